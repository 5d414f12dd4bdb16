"""Signers over real HTTP against the real oracle: what they sign is accepted, what they refuse never is."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from helpers.feed_world import NOW, SIGNERS, Market, a_round, reading, run
from helpers.postgres import server as postgres
from helpers.signer_services import opened_signer, running_signer, three_services
from helpers.venue_server import serving

from plimsoll.chain.anvil import wallet
from plimsoll.chain.revert import RevertError
from plimsoll.errors import InputError
from plimsoll.feeds.reading import SourceError
from plimsoll.feeds.signed_store import SignedStore
from plimsoll.feeds.signer_app import Bucket, SignerOptions
from plimsoll.feeds.signer_client import Answer, LocalSigner, Quorum, RemoteSigner
from plimsoll.storage import open_database, upgrade

STRANGER = wallet("nobody's signer")


@pytest.fixture
def services(world, tmp_path):
    with three_services(world, tmp_path) as found:
        yield found


@pytest.fixture
def messages(world):
    return world.messages()


def collected(world, signers, message):
    """Ask signers as the keeper does."""

    async def ask():
        view = world.view()
        quorum = Quorum(signers, world.messages_now, view.quorum, view.is_signer)
        try:
            return await quorum.collect(message)
        finally:
            await quorum.close()
            await view.close()

    return run(ask())


def asked(world, urls, message, **options):
    world.messages_now = world.messages()
    return collected(world, [RemoteSigner(url, world.messages_now, **options) for url in urls], message)


def answers(found):
    return {report.signer: report.answer for report in found.reports}


def test_collect__three_signers__the_oracle_accepts_the_round(world, services, messages):
    message = messages.round(a_round(ts=world.now))
    found = asked(world, [s.url for s in services], message)
    assert found.is_enough
    assert found.needed == 2
    world.send(messages.call(message, found.signatures))
    spot, ts = world.oracle("lastSpotOf", world.deployment.underlyings["ETH"])
    assert (spot, ts) == (2_000 * 10**18, message.ts)


def test_collect__one_service_gone__the_others_suffice_and_it_is_named(world, services, messages):
    message = messages.round(a_round(ts=world.now))
    gone = "http://127.0.0.1:1"
    found = asked(world, [services[0].url, gone, services[2].url], message)
    assert found.is_enough
    assert answers(found)[gone] is Answer.SILENT
    world.send(messages.call(message, found.signatures))


def test_collect__two_services_gone__is_too_few_and_the_oracle_says_so_too(world, services, messages):
    message = messages.round(a_round(ts=world.now))
    found = asked(world, [services[0].url, "http://127.0.0.1:1", "http://127.0.0.1:2"], message)
    assert not found.is_enough
    assert "1 of 2 signatures" in str(found)
    with pytest.raises(RevertError, match="TooFewSignatures"):
        world.send(messages.call(message, found.signatures))


def test_collect__slow_service__is_not_waited_for(world, services, messages):
    async def slow(request):
        await asyncio.sleep(1.5)
        return web.json_response({})

    message = messages.round(a_round(ts=world.now))
    with serving(slow) as address:
        started = asyncio.new_event_loop().time()
        found = asked(world, [address, services[0].url, services[1].url], message)
        assert asyncio.new_event_loop().time() - started < 1.4
        assert found.is_enough
        late = asked(world, [address], message, timeout_sec=0.2)
        assert late.reports[0].answer is Answer.SILENT


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<html>", "answered no JSON"),
        ('{"signature": "0xzz"}', "not hexadecimal"),
        ('{"signature": "0x00"}', "signed by nobody"),
        ("[]", "HTTP status 200"),
    ],
)
def test_collect__service_that_lies__is_wrong_and_its_signature_not_posted(world, services, messages, body, text):
    message = messages.round(a_round(ts=world.now))
    with serving(lambda request: web.Response(text=body)) as address:
        found = asked(world, [address, services[0].url, services[1].url], message)
        wrong = asked(world, [address], message).reports[0]
    assert found.is_enough
    assert wrong.answer is Answer.WRONG
    assert text in wrong.text


def test_collect__signature_of_a_stranger_or_of_one_key_twice__does_not_count(world, messages):
    world.messages_now = messages
    message = messages.round(a_round(ts=world.now))
    signers = [LocalSigner(account, messages) for account in (STRANGER, SIGNERS[0], SIGNERS[0])]
    found = collected(world, signers, message)
    assert list(found.signatures) == [SIGNERS[0].address]
    assert sorted(r.answer for r in found.reports) == [Answer.SIGNED, Answer.WRONG, Answer.WRONG]


def reasons(world, services, message):
    found = asked(world, [services[0].url], message)
    assert not found.signatures
    assert found.reports[0].answer is Answer.REFUSED
    return found.reports[0]


def test_sign__forward_at_three_times_spot__is_refused_by_every_signer(world, services, messages):
    one = a_round(ts=world.now)
    bad = replace(one, surfaces=(replace(one.surfaces[0], forward=6_000.0), one.surfaces[1]))
    message = messages.round(bad)
    found = asked(world, [s.url for s in services], message)
    assert not found.signatures
    assert all(r.answer is Answer.REFUSED and "forward: forward over spot" in r.text for r in found.reports)
    # They name the expiry, so that the poster can leave it out.
    assert found.reports[0].bad_expiries == {one.surfaces[0].expiry_ts}
    # On the chain alone it would have been taken: the contract knows no such rule.
    signatures = {a.address: messages.sign(a, message) for a in SIGNERS[:2]}
    world.send(messages.call(message, signatures))


def test_sign__spot_unlike_its_own__is_refused(world, services, messages):
    for service in services:
        service.source.reading = reading(world.now, eth=2_020.0)
    report = reasons(world, services, messages.round(a_round(ts=world.now)))
    assert "disagrees: spot" in report.text


def test_sign__own_source_down_or_old__is_refused(world, services, messages):
    message = messages.round(a_round(ts=world.now))
    services[0].source.error = SourceError("source 0", "HTTP status 503")
    assert "HTTP status 503" in reasons(world, services, message).text
    services[0].source.error = None
    services[0].source.reading = reading(world.now - 300)
    assert "no-own-data" in reasons(world, services, message).text


def test_sign__stale_future_or_not_newer__is_refused(world, services, messages):
    now = world.now
    assert "stale" in reasons(world, services, messages.round(a_round(ts=now - 700))).text
    assert "from-future" in reasons(world, services, messages.round(a_round(ts=now + 30))).text
    message = messages.round(a_round(ts=now))
    found = asked(world, [s.url for s in services], message)
    world.send(messages.call(message, found.signatures))
    assert "not-newer" in reasons(world, services, messages.round(a_round(ts=now - 1))).text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda d: d["message"].update(ts=str(NOW * 1_000)), "milliseconds"),
        (lambda d: d["message"].update(spotWad="1.5"), "no uint256 in decimal text"),
        (lambda d: d["message"].update(spotWad=2_000), "no uint256 in decimal text"),
        (lambda d: d["message"].update(spotWad=str(2**256)), "no uint256"),
        (lambda d: d["message"].pop("spotWad"), "expected an object of"),
        (lambda d: d["message"].update(extra="1"), "expected an object of"),
        (lambda d: d["message"].update(surfaces="x"), "expected a list"),
        (lambda d: d["message"].update(underlyingId="77"), "not listed"),
        (lambda d: d["message"].update(spotWad="0"), "spot is 0"),
        (lambda d: d.update(kind="order"), "not one of"),
        (lambda d: d.pop("kind"), "an object of kind and message"),
    ],
)
def test_sign__malformed_message__is_refused_by_name(world, services, messages, change, text):
    document = messages.to_wire(messages.round(a_round(ts=world.now)))
    change(document)
    status, answer = posted(services[0].url, document)
    assert status == 409
    assert text in answer["reasons"][0]["text"]


def posted(url, document, **headers):
    async def post():
        async with aiohttp.ClientSession() as session:
            body = document if isinstance(document, bytes) else None
            async with session.post(
                f"{url}/sign", json=None if body else document, data=body, headers=headers
            ) as found:
                return found.status, await found.json()

    return run(post())


def test_sign__not_json_or_too_long__is_refused(services):
    assert posted(services[0].url, b"{")[0] == 400
    assert posted(services[0].url, b" " * (300 * 1024))[0] == 413


def test_sign__two_rounds_of_one_time__only_the_first_and_after_a_restart_too(world, tmp_path, messages):
    source, database = Market("own", reading(world.now)), f"sqlite:///{tmp_path / 'one.sqlite'}"
    first, other = (messages.to_wire(messages.round(a_round(ts=world.now, confidence=c))) for c in (0.9, 0.8))
    with running_signer(opened_signer(world, SIGNERS[0], source, database)) as (url, _):
        status, answer = posted(url, first)
        assert status == 200
        # The very same round again is the same signature.
        assert posted(url, first) == (200, answer)
        assert posted(url, other)[1]["reasons"][0]["code"] == "signed-otherwise"
    with running_signer(opened_signer(world, SIGNERS[0], source, database)) as (url, _):
        assert posted(url, other)[1]["reasons"][0]["code"] == "signed-otherwise"
        assert posted(url, first) == (200, answer)


def test_sign__token__guards_the_service(world, tmp_path, messages):
    signer = opened_signer(world, SIGNERS[0], Market("own", reading(world.now)), f"sqlite:///{tmp_path / 'one.sqlite'}")
    document = messages.to_wire(messages.round(a_round(ts=world.now)))
    token = "t" * 16
    with running_signer(signer, token=token) as (url, _):
        assert posted(url, document)[0] == 401
        assert posted(url, document, Authorization="Bearer " + "x" * 16)[0] == 401
        assert posted(url, document, Authorization=f"Bearer {token}")[0] == 200
        found = asked(world, [url], messages.from_wire(document), token=token)
        assert len(found.signatures) == 1


def test_sign__flood__is_limited_and_costs_no_fetches(world, tmp_path, messages):
    source = Market("own", reading(world.now))
    signer = opened_signer(world, SIGNERS[0], source, f"sqlite:///{tmp_path / 'one.sqlite'}", read_every_sec=60.0)
    document = messages.to_wire(messages.round(a_round(ts=world.now)))
    with running_signer(signer, requests_per_sec=0.001, burst=2) as (url, _):
        assert [posted(url, document)[0] for _ in range(4)] == [200, 200, 429, 429]
    assert source.asked == 1


def test_bucket__fills_at_its_rate():
    now = [0.0]
    bucket = Bucket(2.0, 2, lambda: now[0])
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now[0] = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"host": "192.0.2.1"}, "reached from other machines"),
        ({"token": "short"}, "at least 16"),
        ({"port": 0}, "outside"),
        ({"burst": 0}, "above 0"),
    ],
)
def test_signer_options__unsafe__are_refused(options, match):
    with pytest.raises(InputError, match=match):
        SignerOptions(**options)


def test_sign__tokens_and_settlement__are_judged_and_accepted_by_the_oracle(world, services, messages):
    for service in services:
        service.source.reading = reading(world.now, usdc=0.97)
    urls = [s.url for s in services]
    assert "disagrees: USDC" in reasons(world, services, messages.tokens(world.now, {"USDC": 1.0})).text
    message = messages.tokens(world.now - 1, {"USDC": 0.9701})
    world.send(messages.call(message, asked(world, urls, message).signatures))
    assert world.oracle("tokenPriceOf", 0) == 9_701 * 10**14
    expiry = world.now + 60
    minutes = tuple((expiry - 1_800 + 60 * i, 2_000.0 + i) for i in range(1, 31))
    settled = messages.settlement("ETH", expiry, minutes)
    assert "not-expired" in reasons(world, services, settled).text
    world.at(expiry)
    assert "share of the window not seen" in reasons(world, services, settled).text
    for service in services:
        service.source.history["ETH", expiry] = tuple((ts + 7, price) for ts, price in minutes[:-1])
    found = asked(world, urls, settled)
    world.send(messages.call(settled, found.signatures))
    price = world.oracle("settlementPriceOf", world.deployment.underlyings["ETH"], expiry)
    assert price == pytest.approx(2_014.53333 * 10**18, rel=1e-8)
    assert "settled" in reasons(world, services, settled).text


def claims(engine, messages, account=SIGNERS[0]):
    """Two threads claim two rounds of one time at once; returns who won."""
    one, other = (messages.round(a_round(confidence=c)) for c in (0.9, 0.8))
    won: dict[str, list[bool]] = {"one": [], "other": []}
    gate = threading.Barrier(2)

    def work(name, message):
        store = SignedStore(engine)
        gate.wait()
        won[name].append(store.claim(account.address, messages.domain_key, message, messages.digest(message)))

    threads = [threading.Thread(target=work, args=item) for item in (("one", one), ("other", other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won["one"] + won["other"]


def test_claim__two_at_once__one_wins(engine, installed):
    assert sorted(claims(engine, installed.messages())) == [False, True]


def test_claim__refused_for_one_token__leaves_the_other_free(engine, installed):
    messages, store = installed.messages(), SignedStore(engine)

    def claim(prices):
        message = messages.tokens(NOW, prices)
        return store.claim("0x1", "d", message, messages.digest(message))

    assert claim({"USDC": 1.0})
    assert not claim({"USDC": 0.5, "WETH": 2_000.0})
    assert claim({"WETH": 2_001.0})


def test_claim__two_at_once_on_postgresql__one_wins(installed):
    with postgres() as server:
        engine = open_database(server.new_database())
        upgrade(engine)
        messages = installed.messages()
        for _ in range(5):
            assert sorted(claims(engine, messages, wallet(f"claimer {_}"))) == [False, True]
        tokens = [messages.tokens(NOW, {"USDC": price}) for price in (1.0, 0.5)]
        store = SignedStore(engine)
        taken = [store.claim("0x1", "d", message, messages.digest(message)) for message in (*tokens, tokens[0])]
        assert taken == [True, False, True]
        from plimsoll.feeds.samples import SampleStore

        samples = SampleStore(engine)
        assert samples.add("ETH", [(NOW, 1.1), (NOW + 1, 2.2)], "a") == 2
        assert samples.add("ETH", [(NOW, 9.0)], "a") == 0
        assert samples.window("ETH", NOW + 1) == ((NOW, 1.1), (NOW + 1, 2.2))
        engine.dispose()


def test_digest__is_what_the_contract_recovers(world, messages):
    """Two signatures in the wrong order are refused, so the order of ``call`` is the contract's."""
    message = messages.round(a_round(ts=world.now))
    both = {a.address: messages.sign(a, message) for a in SIGNERS}
    assert {messages.signer_of(message, s) for s in both.values()} == set(both)
    assert (
        messages.signer_of(replace(message, fields={**message.fields, "confWad": 1}), both[SIGNERS[0].address])
        not in both
    )
    assert messages.signer_of(message, b"") is None
    world.send(messages.call(message, both))
