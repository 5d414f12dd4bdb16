"""The door: logins, shapes, floods, sizes, origins, and what everybody may see."""

import json
import select
import socket
import time

import httpx
import pytest
from helpers.venue_runs import SETTLER, refusal, venue, write_venue

from plimsoll.client.client import sign_typed
from plimsoll.client.schema.account import Draft, DraftLeg
from plimsoll.client.schema.problem import Problem
from plimsoll.client.schema.service import AbiView, AskChallenge, ChallengeView, Login, TokenGrant
from plimsoll.client.transport import VenueError
from plimsoll.constants import WAD


def ask(running, method, path, **more):
    response = httpx.request(method, f"{running.url}/api{path}", timeout=10, **more)
    return response, (Problem.model_validate_json(response.content) if response.status_code >= 400 else None)


def test_health__everything_well__says_so(running, anna):
    found = anna.venue.health()
    assert found.isOk
    assert set(found.parts) == {"chain", "database", "settlement", "round BTC", "round ETH"}


def test_config__tells_what_a_page_needs(anna, chain):
    config = anna.venue.config
    assert config.contracts["Exchange"] == chain.deployment.contracts["Exchange"]
    assert config.firstBlock == chain.deployment.block > 0
    assert config.order.domain.verifyingContract == config.contracts["Exchange"]
    assert [field.name for field in config.order.types["Order"]][:2] == ["accountId", "instrument"]
    assert config.settler == SETTLER.address
    assert {token.symbol: token.linkedUnderlyingId for token in config.tokens}["WETH"] == config.underlyings["ETH"]
    abi = anna.venue.transport.get("/abis/Exchange", AbiView)
    assert any(entry.get("name") == "settle" for entry in abi.abi)
    assert refusal(lambda: anna.venue.transport.get("/abis/Nothing", AbiView)).code == "notFound"


def test_market__shows_rounds_marks_and_the_option_chain(anna):
    markets = {one.symbol: one for one in anna.venue.markets()}
    assert markets["ETH"].spotWad > 0
    assert not markets["ETH"].isStale
    shown = anna.venue.instruments()
    end = markets["ETH"].expiries[0]
    calls = [one for one in shown if (one.symbol, one.kind, one.expiryTs) == ("ETH", "call", end)]
    marks = [one.markWad for one in sorted(calls, key=lambda one: one.strikeE8)]
    assert marks == sorted(marks, reverse=True)
    assert all(0 <= one.greeks.deltaWad <= WAD for one in calls)
    assert {one.underlyingId for one in anna.venue.rounds()} == {one.underlyingId for one in markets.values()}


def test_account_and_preview__are_the_chains_own(anna, chain):
    account = anna.venue.account(anna.account_id)
    margin = chain.world.contract("MarginEngine").call("marginOf", anna.account_id)
    assert account.margin.equityWad == margin.equityWad
    perp = anna.venue.instrument("ETH-PERP")
    leg = DraftLeg.model_construct(instrument=perp, quantityWad=-3 * WAD, priceWad=1_900 * WAD)
    draft = Draft.model_construct(mode=None, cashWad=-5 * WAD, tokens=(), legs=(leg,))
    found = anna.venue.preview(anna.account_id, draft)
    assert found.after.equityWad < found.before.equityWad
    assert found.after.initialWad > found.before.initialWad
    rows = found.after.underlyings[0].rows
    assert sum(row.isWorst for row in rows) == 1
    worst = next(row for row in rows if row.isWorst)
    assert worst.pnlWad * worst.weightWad == min(row.pnlWad * row.weightWad for row in rows)


def test_login__signed_text__serves_once_and_sees_only_its_own(running, anna, ben, chain):
    stranger = chain.world.funded_wallet("stranger")
    order = anna.place("ETH-PERP", 1, 1_000)
    client = type(anna.venue)(running.url)
    client.login(stranger)
    other = type(anna)(client, stranger, anna.account_id)
    assert refusal(lambda: other.order(order.orderHash)).code == "unknownOrder"
    assert refusal(other.orders).code == "notYours"
    assert other.cancel(order.orderHash)[0].problem.code == "unknownOrder"
    assert anna.order(order.orderHash).state == "open"
    asked = client.transport.post("/login/challenge", AskChallenge(address=stranger.address), ChallengeView)
    signature = sign_typed(stranger, asked.typed, asked.message.model_dump())
    answer = Login(address=stranger.address, nonce=asked.message.nonce, signature=signature)
    client.transport.post("/login", answer, TokenGrant)
    assert refusal(lambda: client.transport.post("/login", answer, TokenGrant)).code == "notLoggedIn"


def test_login__signed_by_another_key__is_refused(running, anna, ben):
    client = type(anna.venue)(running.url)
    asked = client.transport.post("/login/challenge", AskChallenge(address=anna.wallet.address), ChallengeView)
    signature = sign_typed(ben.wallet, asked.typed, asked.message.model_dump())
    answer = Login(address=anna.wallet.address, nonce=asked.message.nonce, signature=signature)
    assert refusal(lambda: client.transport.post("/login", answer, TokenGrant)).code == "badSignature"


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "status"),
    [
        ("GET", "/nothing", None, "notFound", 404),
        ("DELETE", "/orders", None, "badField", 405),
        ("GET", "/accounts/999999", None, "unknownAccount", 404),
        ("GET", "/accounts/0x5", None, "badField", 422),
        ("GET", "/books/abc", None, "badField", 422),
        ("GET", f"/orders/0x{'0' * 64}", None, "notLoggedIn", 401),
        ("GET", "/instruments?underlyingId=77", None, "notFound", 404),
        ("GET", "/accounts?owner=0x12", None, "badField", 422),
        ("POST", "/orders", "{", "badField", 422),
        ("POST", "/orders", "[]", "badField", 422),
        ("POST", "/orders", '{"orders": []}', "badField", 422),
        ("POST", "/orders", '{"orders": [{"order": {"accountId": 2.5}}]}', "badField", 422),
        ("POST", "/orders", '{"orders": [], "more": 1}', "badField", 422),
        ("POST", "/login/challenge", '{"address": "0x0000"}', "badField", 422),
    ],
)
def test_shapes__anything_wrong__is_one_sentence(running, method, path, body, code, status):
    response, problem = ask(running, method, path, content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, problem.code) == (status, code)
    assert "\n" not in problem.message


def test_order__number_instead_of_text__is_refused_because_it_may_have_been_rounded(running, anna):
    order = anna.signed("ETH-PERP", 1, 1_000)
    body = json.loads(order.model_dump_json())
    body["order"]["quantityWad"] = WAD
    response, problem = ask(running, "POST", "/orders", json={"orders": [body]})
    assert (response.status_code, problem.field) == (422, "orders.0.order.quantityWad")
    assert "as decimal text" in problem.message


def test_unknown_token__is_refused_rather_than_ignored(running):
    _, problem = ask(running, "GET", "/requests", headers={"Authorization": "Bearer nothing"})
    assert problem.code == "notLoggedIn"


@pytest.fixture(scope="module")
def strict(chain, tmp_path_factory):
    """A venue with narrow limits."""
    limits = ("orders_per_sec = 2.0", "burst_orders = 5", "requests_per_sec = 5.0", "burst_requests = 40")
    more = ("max_body_bytes = 20000",)
    folder = tmp_path_factory.mktemp("strict")
    path = write_venue(folder, chain, "[limits]", *limits, *more)
    text = path.read_text(encoding="utf-8")
    bind = 'bind = "127.0.0.1:0"'
    path.write_text(text.replace(bind, f'{bind}\norigins = ["https://page.example"]'), encoding="utf-8")
    with venue(path) as process:
        yield process


def test_origins__named_one_alone__may_ask(strict):
    for origin, allowed in (("https://page.example", "https://page.example"), ("https://other.example", None)):
        response, _ = ask(strict, "GET", "/health", headers={"Origin": origin})
        assert response.headers.get("access-control-allow-origin") == allowed


def test_body__too_large__is_refused_with_and_without_its_length(strict):
    response, problem = ask(strict, "POST", "/orders", content=b" " * 30_000)
    assert (response.status_code, problem.code, problem.limit) == (413, "tooLarge", "20000")
    response, problem = ask(strict, "POST", "/orders", content=(b" " * 10_000 for _ in range(3)))
    assert (response.status_code, problem.code) == (413, "tooLarge")


def test_flood__of_orders__is_told_when_to_come_back_and_others_are_served(strict, anna):
    client = type(anna.venue)(strict.url)
    mine = client.trade_as(anna.wallet, anna.account_id)
    orders = [mine.signed("ETH-PERP", 1, 1_000 + n) for n in range(5)]
    assert all(result.problem is None for result in mine.place_many(orders))
    flooded = refusal(lambda: mine.place("ETH-PERP", 1, 1_100))
    assert (flooded.code, flooded.problem.status) == ("rateLimit", 429)
    assert 0 < flooded.problem.retryAfterSec <= 1
    time.sleep(flooded.problem.retryAfterSec + 0.1)
    mine.place("ETH-PERP", 1, 1_101)


def test_flood__of_requests__is_429_and_the_service_stays_well(strict):
    with httpx.Client(base_url=f"{strict.url}/api") as client:
        seen = [client.get("/health") for _ in range(120)]
    codes = [response.status_code for response in seen]
    assert codes.count(429) >= 40
    assert next(r for r in seen if r.status_code == 429).headers["Retry-After"] == "1"
    time.sleep(1.0)
    response, _ = ask(strict, "GET", "/health")
    assert response.json()["isOk"]


def test_transport__refusal__is_an_error_with_its_code(anna):
    with pytest.raises(VenueError, match="there is no account 777"):
        anna.venue.account(777)


def half_a_request(running, path, length):
    """Open a connection and send the beginning of a request."""
    host, _, port = running.url.removeprefix("http://").partition(":")
    line = socket.create_connection((host, int(port)), timeout=30)
    head = (
        f"POST /api{path} HTTP/1.1\r\nHost: venue\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    line.sendall(head.encode() + b'{"orders"')
    return line


def test_slow_sockets__bodies_that_do_not_come__hold_nobody_up_and_are_ended(running, anna):
    slow = [half_a_request(running, "/orders", 5_000) for _ in range(100)]
    assert anna.place("ETH-PERP", 1, 1_000).order.state == "open"
    # The order is answered while those who write slowly are still connected: nothing was sent to them yet.
    assert select.select(slow, [], [], 0)[0] == []
    # Read to the end, which is that of the connection.
    answers = [line.makefile("rb").read() for line in slow]
    assert all(answer.startswith(b"HTTP/1.1 408") and b'"tooSlow"' in answer for answer in answers), answers[0]


def test_flood__of_one_key__takes_nothing_from_another(strict, anna):
    client = type(anna.venue)(strict.url)
    client.login(anna.wallet)
    with httpx.Client(base_url=f"{strict.url}/api") as nobody:
        flooded = [nobody.get("/health").status_code for _ in range(120)]
        assert 429 in flooded
        # The same machine, but a key of its own.
        assert client.health().isOk
