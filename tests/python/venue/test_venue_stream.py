"""The stream: first messages, changes without gaps, coming back, slow readers, wrong operations."""

import json
import socket
import time

import pytest
from helpers.venue_runs import settled, venue, write_venue
from pydantic import TypeAdapter
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from plimsoll.client.schema import stream as messages
from plimsoll.constants import WAD
from plimsoll.venue.stream.hub import KEPT, Hub, Reader

PERP = "ETH-PERP"
READ = TypeAdapter(messages.ServerMessage)


def address(running):
    return "ws" + running.url.removeprefix("http") + "/api/stream"


def opened(running):
    line = connect(address(running), max_size=None)
    assert READ.validate_json(line.recv(timeout=5)).type == "welcome"
    return line


def say(line, **operation):
    line.send(json.dumps(operation))
    while True:
        answer = READ.validate_json(line.recv(timeout=5))
        if answer.type in ("answer", "pong"):
            return answer


def take(stream, count, wait_sec=5.0):
    found = []
    for message in stream.messages(wait_sec=wait_sec):
        found.append(message)
        if len(found) == count:
            return found
    raise AssertionError(f"only {len(found)} messages: {found}")


def folded(messages_):
    """Fold a book's messages to its levels."""
    levels = {}
    for message in messages_:
        if message.type == "bookSnapshot":
            levels = {}
        for side in ("bids", "asks"):
            for level in getattr(message.data, side):
                levels[side, level.priceWad] = level.quantityWad
    return {key: quantity for key, quantity in levels.items() if quantity}


def shown(book):
    return {(side, level.priceWad): level.quantityWad for side in ("bids", "asks") for level in getattr(book, side)}


def test_stream__own_orders_book_and_trades__tell_the_whole_story_in_order(anna, ben):
    word = anna.venue.instrument(PERP)
    with anna.stream(f"book:{word}", f"trades:{word}") as stream:
        first = take(stream, 3)
        assert {message.type for message in first} == {"ordersSnapshot", "bookSnapshot", "trades"}
        placed = anna.place(PERP, 2, 1_899)
        ben.place(PERP, -1, 1_899)
        settled(ben, 1)
        told = [*first, *stream.messages(wait_sec=1.5)]
    assert stream.gaps == 0
    book = [message for message in told if message.type.startswith("book")]
    assert folded(book) == shown(anna.venue.book(PERP))
    mine = [
        order
        for m in told
        if m.type == "ordersChange"
        for order in m.data.orders
        if order.orderHash == placed.orderHash
    ]
    assert [(o.leavesWad // WAD, o.pendingWad // WAD, o.filledWad // WAD) for o in mine][:3] == [
        (2, 0, 0),
        (1, 1, 0),
        (1, 0, 1),
    ]
    states = [trade.state for m in told if m.type == "trades" for trade in m.data.trades if m.prev]
    assert states[:2] == ["pending", "settled"]
    for name in {message.channel for message in told}:
        numbers = [message.seq for message in told if message.channel == name]
        assert numbers == sorted(set(numbers))


def test_stream__connection_lost__goes_on_where_it_stopped(anna):
    word = anna.venue.instrument(PERP)
    with anna.venue.stream(f"book:{word}") as stream:
        told = take(stream, 1)
        anna.place(PERP, 1, 1_500)
        told += take(stream, 1)
        stream._socket.socket.shutdown(socket.SHUT_RDWR)
        for price in (1_501, 1_502, 1_503):
            anna.place(PERP, 1, price)
        later = take(stream, 3)
        assert later[0].isResumed
        assert [message.prev for message in later] == [told[-1].seq, later[0].seq, later[1].seq]
        assert (stream.connections, stream.restarts, stream.gaps) == (2, 0, 0)
        assert folded([*told, *later]) == shown(anna.venue.book(PERP))


def test_subscribe__since_of_another_epoch__gets_everything(running, anna):
    word = anna.venue.instrument(PERP)
    line = opened(running)
    line.send(json.dumps({"op": "subscribe", "channel": f"book:{word}", "since": {"epoch": "old", "seq": 1}}))
    answer, first = (READ.validate_json(line.recv(timeout=5)) for _ in range(2))
    assert (answer.type, first.type, first.isResumed, first.prev) == ("answer", "bookSnapshot", False, 0)


def test_messages__one_is_lost_on_the_way__the_client_notices_and_repairs(anna):
    word = anna.venue.instrument(PERP)
    with anna.venue.stream(f"book:{word}") as stream:
        told = take(stream, 1)
        anna.place(PERP, 1, 1_400)
        stream._socket.recv(timeout=5)
        anna.place(PERP, 1, 1_401)
        told += list(stream.messages(wait_sec=1.0))
        assert stream.gaps == 1
        assert folded(told) == shown(anna.venue.book(PERP))


def test_margin_rounds_and_chain__follow_the_blocks(anna, chain):
    with anna.stream(f"margin:{anna.account_id}", "rounds:2", "chain", "auctions") as stream:
        take(stream, 5)
        chain.wait(30)
        chain.post(1_905.0)
        told = list(stream.messages(wait_sec=1.5))
    kinds = {message.type for message in told}
    assert {"margin", "round", "chain"} <= kinds
    last = [message for message in told if message.type == "margin"][-1]
    assert last.data.margin.equityWad == anna.venue.account(anna.account_id).margin.equityWad
    chain.wait(30)
    chain.post(1_900.0)


def test_operations__wrong_ones__are_answered_and_the_connection_stays(running, anna):
    line = opened(running)
    cases = (
        ({"op": "nothing"}, "badField"),
        ({"op": "subscribe", "id": 1, "channel": "nothing"}, "unknownChannel"),
        ({"op": "subscribe", "id": 2, "channel": "BOOK"}, "badField"),
        ({"op": "subscribe", "id": 3, "channel": "book:"}, "badField"),
        ({"op": "subscribe", "id": 4, "channel": f"orders:{anna.account_id}"}, "notLoggedIn"),
        ({"op": "subscribe", "id": 5, "channel": "rounds:99"}, "unknownChannel"),
        ({"op": "authenticate", "id": 6, "token": "x"}, "notLoggedIn"),
        ({"op": "cancel", "id": 7, "orderHashes": ["0x" + "1" * 64]}, "notLoggedIn"),
        ({"op": "place", "id": 8, "orders": []}, "badField"),
    )
    for operation, code in cases:
        answer = say(line, **operation)
        assert answer.problem.code == code, operation
        assert answer.id == (operation.get("id", 0) if code != "badField" else 0)
    assert say(line, op="ping", id=9).id == 9


def test_operations__somebody_elses_orders__are_not_shown(running, anna, ben):
    line = opened(running)
    assert say(line, op="authenticate", token=ben.venue.transport.token).problem is None
    answer = say(line, op="subscribe", channel=f"orders:{anna.account_id}")
    assert answer.problem.code == "notYours"


def test_operations__place_amend_cancel__work_over_the_stream(running, anna):
    line = opened(running)
    say(line, op="authenticate", token=anna.venue.transport.token)
    body = json.loads(anna.signed(PERP, 1, 1_200).model_dump_json())
    placed = say(line, op="place", id=1, orders=[body]).placed[0]
    assert placed.order.state == "open"
    other = json.loads(anna.signed(PERP, 2, 1_201).model_dump_json())
    amended = say(line, op="amend", id=2, orderHash=placed.orderHash, replacement=other).placed[0]
    assert amended.order.leavesWad == 2 * WAD
    assert say(line, op="cancel", id=3, orderHashes=[amended.orderHash]).cancelled[0].cancelledWad == 2 * WAD
    assert say(line, op="massCancel", id=4, accountId=anna.account_id).cancelled == []


def read_to_the_end(line):
    """Read until the other side closes."""
    told = []
    try:
        while True:
            told.append(READ.validate_json(line.recv(timeout=20)))
    except ConnectionClosed:
        return told


def test_slow_reader__is_told_why_and_let_go_and_nobody_else_waits(chain, anna, tmp_path):
    limits = ("orders_per_sec = 5000.0", "burst_orders = 5000", "requests_per_sec = 5000.0", "burst_requests = 5000")
    path = write_venue(tmp_path, chain, "[limits]", "queue_messages = 10", *limits)
    with venue(path) as running:
        client = type(anna.venue)(running.url)
        mine = client.trade_as(anna.wallet, anna.account_id)
        assert all(one.problem is None for one in mine.place_many([mine.signed(PERP, 1, 1_000) for _ in range(200)]))
        slow = connect(address(running), max_size=None, max_queue=1)
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        say(slow, op="authenticate", token=client.transport.token)
        for _ in range(60):
            # Each brings a first message of some 200 kB, which nobody reads.
            slow.send(json.dumps({"op": "subscribe", "channel": f"orders:{anna.account_id}"}))
        assert mine.place(PERP, 1, 1_001).order.state == "open"
        told = read_to_the_end(slow)
        assert slow.close_code == 4_008
        assert (told[-1].type, told[-1].problem.code, told[-1].problem.limit) == ("farewell", "tooSlow", "10")
        assert client.health().streams == 0
        mine.cancel_all()


def test_flood__of_operations__is_told_when_to_come_back_and_the_connection_stays(chain, anna, tmp_path):
    limits = (
        "orders_per_sec = 5.0",
        "burst_orders = 5",
        "requests_per_sec = 20.0",
        "burst_requests = 60",
        "streams = 3",
    )
    path = write_venue(tmp_path, chain, "[limits]", *limits)
    with venue(path) as running:
        line = opened(running)
        for number in range(1, 201):
            line.send(json.dumps({"op": "ping", "id": number}))
        told = [READ.validate_json(line.recv(timeout=20)) for _ in range(200)]
        refused_ = [one for one in told if one.type == "answer"]
        assert {one.problem.code for one in refused_} == {"rateLimit"}
        assert 60 <= sum(one.type == "pong" for one in told) < 200
        time.sleep(1.0)
        assert say(line, op="ping", id=201).id == 201
        orders = [json.loads(anna.signed(PERP, 1, 1_000 + n).model_dump_json()) for n in range(10)]
        answers = [say(line, op="place", id=n, orders=[order]) for n, order in enumerate(orders)]
        codes = [one.problem.code if one.problem else one.placed[0].order.state for one in answers]
        assert codes[:5] == ["open"] * 5
        assert codes[-1] == "rateLimit"
        others = [opened(running) for _ in range(2)]
        one_more = connect(address(running), max_size=None)
        with pytest.raises(ConnectionClosed) as ended:
            one_more.recv(timeout=5)
        assert ended.value.rcvd.code == 1_013
        others[0].close()


def test_missed__older_than_what_is_kept__is_none_so_that_a_first_message_follows():
    hub = Hub()
    reader = Reader()
    hub.join(reader, "chain")
    for number in range(KEPT + 5):
        hub.publish("chain", None, "chain", str(number))
    last = hub.join(reader, "chain").last
    assert hub.missed("chain", hub.epoch, last) == []
    newest = [json.loads(one) for one in hub.missed("chain", hub.epoch, last - 3)]
    assert [one["seq"] for one in newest] == [last - 2, last - 1, last]
    assert [one["isResumed"] for one in newest] == [True, False, False]
    assert len(hub.missed("chain", hub.epoch, last - KEPT)) == KEPT
    assert hub.missed("chain", hub.epoch, last - KEPT - 1) is None
    assert hub.missed("chain", "another", last) is None
    assert hub.missed("nothing", hub.epoch, 0) is None
