"""Oracle.postRound: who may sign, what a round must satisfy, and what is stored."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_naming, reverts_with
from tests.chain.helpers.signed import DAY, SIGNERS, STRANGER, WAD, market_round, numbers, plain, post, sign, surface

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def test_post_round__valid__stores_every_field(oracle, relayer, chain):
    now = chain.time()
    message = market_round(now, (now + DAY, now + 9 * DAY), confWad=WAD // 3)
    message["surfaces"][1] |= {"aWad": -(10**14), "rateWad": -(10**16), "mWad": -(10**17), "rhoWad": 3 * 10**17}
    tx = post(oracle, "postRound", message, relayer)
    assert [event.name for event in tx.events] == ["RoundPosted"]
    header, surfaces = oracle.roundFor(1, [now + DAY, now + 9 * DAY])
    assert numbers(header) == [now, message["spotWad"], message["perpWad"], message["confWad"], 0]
    assert [numbers(s) for s in surfaces] == [list(s.values()) for s in message["surfaces"]]
    assert numbers(oracle.expiriesOf(1)) == [now + DAY, now + 9 * DAY]


def test_post_round__as_old_as_the_stored__changes_nothing(oracle, relayer, chain):
    now = chain.time()
    post(oracle, "postRound", market_round(now), relayer)
    tx = post(oracle, "postRound", market_round(now, spotWad=2_000 * WAD), relayer)
    assert len(tx.events) == 0
    assert oracle.roundFor(1, [])[0][1] == 1_900 * WAD


def test_post_round__one_signature__reverts_TooFewSignatures(oracle, relayer, chain):
    with reverts_with("Oracle__TooFewSignatures", 1, 2):
        post(oracle, "postRound", market_round(chain.time()), relayer, signers=SIGNERS[:1])


@pytest.mark.parametrize(
    "signers",
    [(SIGNERS[0], SIGNERS[0]), (SIGNERS[1], SIGNERS[0]), (STRANGER, SIGNERS[2])],
    ids=["twice", "order", "who"],
)
def test_post_round__wrong_signers__reverts_BadSigner(oracle, relayer, chain, signers):
    with reverts_with("Oracle__BadSigner"):
        post(oracle, "postRound", market_round(chain.time()), relayer, signers=signers)


@pytest.mark.parametrize("domain", [{"chainId": 5}, {"verifyingContract": "0x" + "11" * 20}, {"version": "2"}])
def test_post_round__signed_for_another_domain__reverts_BadSigner(oracle, relayer, chain, domain):
    with reverts_with("Oracle__BadSigner"):
        post(oracle, "postRound", market_round(chain.time()), relayer, **domain)


def test_post_round__malleable_signature__reverts(oracle, relayer, chain):
    message = market_round(chain.time())
    first, second = sign(oracle, "Round", message)
    flipped = first[:32] + (ORDER - int.from_bytes(first[32:64], "big")).to_bytes(32, "big") + bytes([55 - first[64]])
    with reverts_with("ECDSAInvalidSignatureS"):
        oracle.postRound(plain(message), [flipped, second], {"from": relayer})
    oracle.postRound(plain(message), [first, second], {"from": relayer})


def test_post_round__changed_after_signing__reverts_BadSigner(oracle, relayer, chain):
    message = market_round(chain.time(), (chain.time() + DAY,))
    signatures = sign(oracle, "Round", message)
    message["surfaces"][0]["sWad"] += 1
    with reverts_with("Oracle__BadSigner"):
        oracle.postRound(plain(message), signatures, {"from": relayer})


@pytest.mark.parametrize(
    "changed",
    [{"spotWad": 0}, {"perpWad": 0}, {"confWad": WAD + 1}, {"spotWad": 10**30 + 1}],
)
def test_post_round__header_outside_domain__reverts_OutOfDomain(oracle, relayer, chain, changed):
    with reverts_with("Oracle__OutOfDomain"):
        post(oracle, "postRound", market_round(chain.time(), **changed), relayer)


@pytest.mark.parametrize(
    "changed",
    [
        {"forwardWad": 0},
        {"sWad": 0},
        {"rhoWad": WAD},
        {"rhoWad": -WAD},
        {"bWad": 17 * 10**17},
        {"aWad": -3 * 10**15},
        {"rateWad": 10**19},
    ],
)
def test_post_round__surface_outside_domain__reverts_OutOfDomain(oracle, relayer, chain, changed):
    now = chain.time()
    with reverts_with("Oracle__OutOfDomain"):
        post(oracle, "postRound", market_round(now, surfaces=[surface(now + DAY, **changed)]), relayer)
    post(oracle, "postRound", market_round(now, surfaces=[surface(now + DAY)]), relayer)


@pytest.mark.parametrize("days", [(2, 1), (1, 1), (-1, 1)], ids=["falling", "equal", "past"])
def test_post_round__expiries_not_increasing__reverts_OutOfDomain(oracle, relayer, chain, days):
    now = chain.time()
    with reverts_with("Oracle__OutOfDomain"):
        post(oracle, "postRound", market_round(now, tuple(now + day * DAY for day in days)), relayer)


def test_post_round__thirteen_expiries__reverts_BadLength(oracle, relayer, chain):
    now = chain.time()
    with reverts_with("Oracle__BadLength", 13, 12):
        post(oracle, "postRound", market_round(now, tuple(now + day * DAY for day in range(1, 14))), relayer)


def test_post_round__too_old_or_too_new__reverts(oracle, relayer, chain):
    with reverts_with("Oracle__Stale"):
        post(oracle, "postRound", market_round(chain.time() - 3_700), relayer)
    with reverts_with("Oracle__FromFuture"):
        post(oracle, "postRound", market_round(chain.time() + 60), relayer)


def test_post_round__expiry_in_ten_years__reverts_OutOfDomain(oracle, relayer, chain):
    now = chain.time()
    late = now + 3_650 * DAY + 60
    with reverts_with("Oracle__OutOfDomain"):
        post(oracle, "postRound", market_round(now, (now + DAY, late)), relayer)
    post(oracle, "postRound", market_round(now, (now + DAY, late - 61)), relayer)


@pytest.mark.parametrize(("rate", "days"), [(-8, 300), (9, 45), (101, 3_650)], ids=["low", "high", "tenths, far"])
def test_post_round__rate_over_the_tenor__reverts_OutOfDomain(oracle, relayer, chain, rate, days):
    """e^(-rT) stays between 1/e and e: no library meets an exponent outside its domain."""
    now, rate_wad = chain.time(), rate * WAD if abs(rate) < 10 else rate * WAD // 1_000
    limit = WAD * 365 // days - 10**9
    with reverts_naming("Oracle__OutOfDomain", "rate*T"):
        post(oracle, "postRound", market_round(now, surfaces=[surface(now + days * DAY, rateWad=rate_wad)]), relayer)
    inside = limit if rate > 0 else -limit
    post(oracle, "postRound", market_round(now, surfaces=[surface(now + days * DAY, rateWad=inside)]), relayer)


def test_post_round__inside_the_window__stores_the_mean(oracle, relayer, chain):
    now = chain.time()
    message = market_round(now, (now + 600, now + DAY), meanWad=1_905 * WAD)
    tx = post(oracle, "postRound", message, relayer)
    assert tx.events["RoundPosted"]["round"][5] == 1_905 * WAD
    assert numbers(oracle.roundFor(1, [])[0]) == [now, 1_900 * WAD, 1_899 * WAD, WAD, 1_905 * WAD]


def test_post_round__window_over__forgets_the_mean(oracle, relayer, chain):
    now = chain.time()
    post(oracle, "postRound", market_round(now - 5, (now + 600,), meanWad=1_905 * WAD), relayer)
    post(oracle, "postRound", market_round(now, (now + DAY,)), relayer)
    assert oracle.roundFor(1, [])[0][4] == 0


@pytest.mark.parametrize(
    ("left", "mean"), [(1_799, 0), (0, 0), (1_799, 10**12 * WAD + 1), (1_800, WAD), (None, WAD)], ids=str
)
def test_post_round__mean_without_window_or_window_without_mean__reverts_OutOfDomain(
    oracle, relayer, chain, left, mean
):
    now = chain.time()
    with reverts_naming("Oracle__OutOfDomain", "mean"):
        expiries = () if left is None else (now + left,)
        post(oracle, "postRound", market_round(now, expiries, meanWad=mean), relayer)
    post(oracle, "postRound", market_round(now, (now + 1_799,), meanWad=1_900 * WAD), relayer)


def test_post_round__two_windows__reverts_WindowsOverlap(oracle, relayer, chain):
    now = chain.time()
    with reverts_with("Oracle__WindowsOverlap", now + 1_799, now + 1_800):
        post(oracle, "postRound", market_round(now, (now, now + 1_799), meanWad=1_900 * WAD), relayer)
    post(oracle, "postRound", market_round(now, (now, now + 1_800), meanWad=1_900 * WAD), relayer)


def test_post_round__lists_a_settled_expiry__reverts_AlreadySettled(oracle, relayer, chain):
    """A late round from before the expiry would give the series its old value back."""
    now = chain.time()
    expiry = now - 60
    message = market_round(expiry - 10, (expiry,), meanWad=1_900 * WAD)
    post(oracle, "postRound", message, relayer)
    samples = {"underlyingId": 1, "expiryTs": expiry, "sampleTs": [expiry - 300 * n for n in range(5, -1, -1)]}
    post(oracle, "postSettlement", samples | {"spotsWad": [1_900 * WAD] * 6}, relayer)
    with reverts_with("Oracle__AlreadySettled", 1, expiry):
        post(oracle, "postRound", message | {"ts": expiry - 5}, relayer)
    post(oracle, "postRound", market_round(expiry - 5), relayer)


def test_post_round__paused__reverts(oracle, relayer, accounts, chain):
    oracle.pause({"from": accounts[0]})
    with reverts_with("ExpiringPause__Paused"):
        post(oracle, "postRound", market_round(chain.time()), relayer)
    oracle.unpause({"from": accounts[0]})
    post(oracle, "postRound", market_round(chain.time()), relayer)
