"""Kill -9 twenty times under load, the chain reorganised three times between: nothing accepted or told is lost."""

import random
import signal
import time
from collections import Counter

import pytest
from helpers.keeper_runs import until
from helpers.local_chain import local_chain
from helpers.venue_runs import trader, venue, write_venue
from helpers.venue_witness import PERP, Crowd, Witness, all_trades

from plimsoll.chain.abi import decode_event, load_artifact
from plimsoll.client import VenueError

SEED = 20_260_114
#: By database: the default takes all of them, a real server enough to meet every kind.
KILLS = {"sqlite": 20, "postgres": 8}


def forks_of(kills):
    """Return kills at which the chain is reorganised: by how many blocks, when, whether transactions come back."""
    return {
        kills // 5: (2, "before", False),
        kills // 2: (5, "while it is away", False),
        4 * kills // 5: (3, "after", True),
    }


OPTIONS = (
    *("[transact]", "confirmations = 40"),
    # A snapshot every few seconds, so that some of the kills meet one.
    *("[book]", "max_log_events = 200"),
    *("[limits]", "orders_per_sec = 5000.0", "burst_orders = 5000"),
    *("requests_per_sec = 5000.0", "burst_requests = 5000"),
)


@pytest.fixture
def chain():
    with local_chain(int(time.time()) - 60) as running:
        yield running


@pytest.fixture(params=KILLS)
def database(request):
    """The default, and a real server; with how often the venue is killed."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    return url, KILLS[request.param]


def reorganise(chain, depth, keeps_transactions):
    """Replace the newest blocks by empty ones; their transactions are gone, or wait to be mined again."""
    chain.client.rpc("anvil_reorg", depth, [])
    if not keeps_transactions:
        chain.client.rpc("anvil_dropAllTransactions")
    chain.client.forget_nonces()


def fills_of_the_chain(chain):
    """Return how often each fill is on the chain: transaction, block, quantity and price."""
    artifact, address = load_artifact("Exchange"), chain.deployment.contracts["Exchange"]
    found = Counter()
    for log in chain.client.rpc("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "address": address}):
        name, values = decode_event(artifact.events[log["topics"][0]], log)
        if name == "Settled":
            found[log["transactionHash"], int(log["blockNumber"], 16), values.quantityWad, values.priceWad] += 1
    return found


def filled_on_chain(chain, orders):
    """Ask the exchange what is filled of each order."""
    exchange = chain.world.contract("Exchange")
    return {one: exchange.call("filledOf", bytes.fromhex(one[2:])) for one in orders}


def known(traders, order_hash):
    """Return an order of one of them as the venue knows it; none when it does not."""
    for who in traders:
        try:
            return who.order(order_hash)
        except VenueError:
            continue
    return None


def kill_and_fork(chain, running, crowd, fork, dice):
    """Kill the venue at a moment of its own, start it again, and let it take orders."""
    depth, when, keeps = fork
    if when == "before":
        reorganise(chain, depth, keeps)
    time.sleep(dice.uniform(0.1, 1.0))
    before = len(crowd.accepted)
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    if when == "while it is away":
        reorganise(chain, depth, keeps)
    running.start()
    until(lambda: len(crowd.accepted) > before + 10, lambda: (crowd.refused[-3:], running.tail()), 60)
    if when == "after":
        reorganise(chain, depth, keeps)
    # Rounds grow old, and those of blocks that are gone are gone.
    chain.post(1_900.0)


def test_kill__under_load_between_three_reorganisations__loses_nothing_and_doubles_nothing(chain, database, tmp_path):
    url, kills = database
    path = write_venue(tmp_path, chain, *OPTIONS, database=url)
    dice = random.Random(SEED)
    with venue(path) as running:
        traders = [trader(running.url, chain, name, 50_000_000.0) for name in ("anna", "ben")]
        for _ in range(8):
            chain.client.rpc("evm_mine")
        crowd, witnesses = Crowd(traders, SEED), [Witness(who) for who in traders]
        for thread in (*witnesses, crowd):
            thread.start()
        until(lambda: len(crowd.accepted) > 20, lambda: crowd.refused[-3:])
        forks = forks_of(kills)
        for number in range(1, kills + 1):
            kill_and_fork(chain, running, crowd, forks.get(number, (0, "", False)), dice)
        crowd.stop.set()
        crowd.join(timeout=30)
        for who in traders:
            who.venue.login(who.wallet)
            who.cancel_all()
        until(lambda: traders[0].venue.health().pendingTrades == 0, lambda: running.tail(), 90)
        until(lambda: all(time.monotonic() - one.heard_sec > 2 for one in witnesses), lambda: "they still hear", 30)
        for one in witnesses:
            one.stop.set()
            one.join(timeout=10)
        check_orders(chain, traders, crowd)
        check_fills(chain, traders)
        for one in witnesses:
            check_witness(one, kills)
        assert running.end(signal.SIGINT) == 0


def check_orders(chain, traders, crowd):
    """Whatever was answered is there, whole, and filled as far as the chain says."""
    found = {one: known(traders, one) for one in crowd.accepted}
    assert [one for one, order in found.items() if order is None] == []
    assert {order.state for order in found.values()} <= {"filled", "cancelled"}
    on_chain = filled_on_chain(chain, found)
    assert {one: order.filledWad for one, order in found.items()} == on_chain
    assert sum(order.filledWad > 0 for order in found.values()) > 5 * len(traders)


def check_fills(chain, traders):
    """Each fill of the venue is on the chain once, and the chain has no other."""
    trades = all_trades(traders[0]).values()
    assert {trade.state for trade in trades} <= {"settled", "final", "failed"}
    counted = Counter(
        (trade.txHash, trade.blockNumber, trade.quantityWad, trade.priceWad)
        for trade in trades
        if trade.state != "failed"
    )
    assert counted == fills_of_the_chain(chain)


def check_witness(one, kills):
    """It was told of every restart, missed nothing without knowing, and ends where the venue is."""
    assert one.problems == []
    assert len(one.epochs) == kills + 1
    assert set(one.told_anew.values()) == {kills}
    one.catch_up()
    shown = one.who.venue.book(PERP)
    levels = {(side, level.priceWad): level.quantityWad for side in ("bids", "asks") for level in getattr(shown, side)}
    assert one.book() == levels
    assert one.trades == all_trades(one.who)
    assert one.orders == {order_hash: one.who.order(order_hash) for order_hash in one.orders}
