"""RateFeed: the ratio of a wrapped token follows its source, and nobody pushes it within a block."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest
from brownie import accounts, chain, project, web3
from brownie.exceptions import VirtualMachineError
from eth_abi.abi import encode

from plimsoll.errors import DomainError
from plimsoll.mirror.rate_feed import RatePair, RateTerms, observe
from tests.chain.helpers.books import rows
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import ACCOUNT, UNDERLYING

TOKEN, GAP, FALL_GAP, DAY = 1, 3_600, 24, 86_400
RISE, FALL = 10**16, 5 * 10**16
RATE_ROLE = 3
RATIO = 12 * 10**17
NONE, ERC4626, GET_RATE, EXCHANGE_RATE, GET_EXCHANGE_RATE, STETH_PER_TOKEN = range(6)
NOWHERE = "0x" + "0" * 40
MOST = 10**6 * WAD


def word(value):
    return "0x" + encode(["uint256"], [value]).hex()


@pytest.fixture(scope="module")
def kit():
    """A book with one linked token at 1.2, and a feed that may set its ratio."""
    code, admin = project.get_loaded_projects()[0], accounts[0]
    authority = admin.deploy(code.Authority, admin)
    book = admin.deploy(code.ScenarioBook, authority, ACCOUNT)
    book.listUnderlying("0x" + b"ETH".ljust(32, b"\0").hex(), UNDERLYING, rows(), {"from": admin})
    book.setCollateral(TOKEN, (True, 1, 2 * 10**17, 2 * 10**16, RATIO), {"from": admin})
    feed = admin.deploy(code.RateFeed, authority, book)
    authority.setTargetFunctionRole(book, [book.signatures["setRatio"]], RATE_ROLE, {"from": admin})
    authority.grantRole(RATE_ROLE, feed, 0, {"from": admin})
    stub, pusher = admin.deploy(code.RateStub), admin.deploy(code.RatePusher)
    found = SimpleNamespace(code=code, admin=admin, authority=authority, book=book, feed=feed, stub=stub, pusher=pusher)
    found.ratio = lambda: book.collateralOf(TOKEN)[4]
    return found


@pytest.fixture
def live(kit):
    """The stub as the token's source, settled at this moment."""
    state(kit, RATIO)
    tx = source(kit, kit.stub)
    kit.settled_ts = tx.timestamp
    return kit


def source(kit, address, form=GET_RATE, gap=GAP, rise=RISE, fall=FALL, fall_gap=FALL_GAP, by=None):
    return kit.feed.setSource(TOKEN, (address, form, gap, fall_gap, rise, fall), {"from": by or kit.admin})


def state(kit, rate, *, fails=False):
    kit.stub.set(rate if isinstance(rate, str) else word(rate), fails, {"from": kit.admin})


def update(kit, by=None):
    return kit.feed.update(TOKEN, {"from": by or accounts[5]})


def wait(seconds=GAP):
    chain.sleep(seconds)
    chain.mine()


def bound(old, rate, sec):
    """Largest part of the way up that the bound leaves."""
    return min(rate, old + old * RISE * min(sec, DAY) // (WAD * DAY))


# --- what counts


def test_update__first_observation__counts_for_nothing_yet(live):
    state(live, RATIO + 5)
    tx = update(live)
    assert dict(tx.events["RateObserved"]) == {"tokenId": TOKEN, "rateWad": RATIO + 5, "ts": tx.timestamp}
    assert live.ratio() == RATIO == tx.return_value
    assert list(live.feed.observationOf(TOKEN)) == [tx.timestamp, RATIO + 5, live.settled_ts, 0]
    assert "RatioSet" not in tx.events


def test_update__seen_twice_a_gap_apart__moves_the_book(live):
    state(live, RATIO + 10**12)
    update(live)
    wait()
    version = live.book.version()
    tx = update(live)
    assert dict(tx.events["RateSettled"]) == {"tokenId": TOKEN, "rateWad": RATIO + 10**12, "ratioWad": RATIO + 10**12}
    assert dict(tx.events["RatioSet"]) == {
        "tokenId": TOKEN, "version": version + 1, "oldRatioWad": RATIO, "newRatioWad": RATIO + 10**12,
    }  # fmt: skip
    assert live.ratio() == RATIO + 10**12 == tx.return_value
    assert list(live.feed.observationOf(TOKEN)) == [tx.timestamp, RATIO + 10**12, tx.timestamp, 0]
    # All else of the token stays, and no grace begins.
    assert list(live.book.collateralOf(TOKEN))[:4] == [True, 1, 2 * 10**17, 2 * 10**16]
    assert "GraceStarted" not in tx.events


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [(10**12, 3 * 10**12, 10**12), (3 * 10**12, 10**12, 10**12), (-(10**12), -3 * 10**12, -(10**12)),
     (-3 * 10**12, -(10**12), -(10**12)), (10**12, 0, 0)],
)  # fmt: skip
def test_update__two_observations__count_as_far_as_they_agree(live, first, second, counts):
    state(live, RATIO + first)
    update(live)
    state(live, RATIO + second)
    wait()
    tx = update(live)
    assert live.ratio() == RATIO + counts
    assert tx.events["RateSettled"]["rateWad"] == RATIO + counts
    assert ("RatioSet" in tx.events) == (counts != 0)


@pytest.mark.parametrize(("first", "second"), [(10**12, -(10**12)), (-(10**12), 10**12), (-(10**12), 0), (0, -1)])
@pytest.mark.parametrize("sec", [FALL_GAP // 2, FALL_GAP, GAP])
def test_update__on_the_other_side_of_the_ratio__begins_another_pair(live, first, second, sec):
    state(live, RATIO + first)
    update(live)
    state(live, RATIO + second)
    wait(sec)
    tx = update(live)
    assert live.ratio() == RATIO
    assert "RateSettled" not in tx.events
    assert list(live.feed.observationOf(TOKEN)) == [tx.timestamp, RATIO + second, live.settled_ts, 0]


def test_update__each_pair_begins_with_the_last_observation(live):
    for step in range(1, 4):
        state(live, RATIO + step * 10**12)
        update(live)
        wait()
    # The first call only observed, the others settled on what the one before them saw.
    assert live.ratio() == RATIO + 2 * 10**12


# --- a fall


def test_fall__seen_in_two_blocks__settles_at_the_higher_one(live):
    state(live, RATIO * 96 // 100)
    first = update(live).timestamp
    state(live, RATIO * 97 // 100)
    chain.sleep(first + FALL_GAP - chain[-1].timestamp)
    tx = update(live)
    assert live.ratio() == RATIO * 97 // 100
    assert dict(tx.events["RateSettled"]) == {"tokenId": TOKEN, "rateWad": live.ratio(), "ratioWad": live.ratio()}
    assert list(live.feed.observationOf(TOKEN)) == [tx.timestamp, live.ratio(), tx.timestamp, 3 * 10**16]


def test_fall__before_the_short_gap__reverts_TooEarly_unless_it_is_less_deep(live):
    state(live, RATIO * 97 // 100)
    first = update(live).timestamp
    state(live, RATIO * 96 // 100)
    chain.sleep(first + FALL_GAP - 4 - chain[-1].timestamp)
    with reverts_with("RateFeed__TooEarly"):
        update(live)
    state(live, RATIO * 98 // 100)
    tx = update(live)
    assert tx.events["RateObserved"]["ts"] == first
    assert live.ratio() == RATIO
    state(live, RATIO // 2)
    chain.sleep(first + FALL_GAP - chain[-1].timestamp)
    update(live)
    assert live.ratio() == RATIO * 98 // 100


def test_fall__in_one_transaction__never_moves_the_ratio(live):
    state(live, RATIO // 2)
    with reverts_with("RateFeed__TooEarly"):
        live.pusher.twice(live.feed, TOKEN, {"from": accounts[6]})
    assert live.ratio() == RATIO


@pytest.mark.parametrize("watched", [True, False])
def test_fall__pushed_within_each_of_two_blocks__anybody_in_between_undoes_it(live, watched):
    """Unwatched it costs the bound of a day at most."""
    live.pusher.push(live.feed, TOKEN, live.stub, RATIO // 2, RATIO, {"from": accounts[6]})
    if watched:
        update(live)
    wait(FALL_GAP)
    live.pusher.push(live.feed, TOKEN, live.stub, RATIO // 2, RATIO, {"from": accounts[6]})
    assert live.ratio() == (RATIO if watched else RATIO * 95 // 100)


def test_fall__beyond_the_bound__takes_the_days_part_at_once_and_the_rest_as_it_comes_back(live):
    state(live, RATIO // 2)
    update(live)
    wait(FALL_GAP)
    first = update(live)
    held = RATIO * 95 // 100
    assert live.ratio() == held
    wait(FALL_GAP)
    second = update(live)
    back = FALL * (second.timestamp - first.timestamp) // DAY
    assert live.ratio() == held - held * back // WAD
    held = live.ratio()
    wait(DAY)
    update(live)
    assert live.ratio() == held - held * FALL // WAD


def test_fall__rise_in_between__gives_nothing_of_the_bound_back(live):
    state(live, RATIO * 95 // 100)
    update(live)
    wait(FALL_GAP)
    fallen = update(live)
    assert live.ratio() == RATIO * 95 // 100
    state(live, RATIO)
    used, since = FALL, fallen
    # The first pair of rises begins with the rate that the fall was settled at.
    for _ in range(2):
        wait(GAP)
        risen = update(live)
        used, since = used - FALL * (risen.timestamp - since.timestamp) // DAY, risen
        assert live.feed.observationOf(TOKEN)[3] == used
    held = live.ratio()
    assert RATIO * 95 // 100 < held < RATIO
    state(live, RATIO // 2)
    update(live)
    wait(FALL_GAP)
    tx = update(live)
    left = FALL - (used - FALL * (tx.timestamp - risen.timestamp) // DAY)
    assert live.ratio() == held - held * left // WAD


def test_fall__of_what_rounding_moves__is_followed_like_any_other(live):
    state(live, RATIO - 1)
    update(live)
    wait(FALL_GAP)
    update(live)
    assert live.ratio() == RATIO - 1


# --- too early


def test_update__before_the_gap__reverts_TooEarly(live):
    state(live, RATIO + 10**12)
    first = update(live).timestamp
    chain.sleep(first + GAP - 60 - chain[-1].timestamp)
    with reverts_with("RateFeed__TooEarly"):
        update(live)
    state(live, RATIO + 2 * 10**12)
    with reverts_with("RateFeed__TooEarly"):
        update(live)
    chain.sleep(first + GAP - chain[-1].timestamp)
    assert "RateSettled" in update(live).events


def test_update__twice_in_one_block__reverts_TooEarly(live):
    state(live, RATIO * 2)
    with reverts_with("RateFeed__TooEarly"):
        live.pusher.twice(live.feed, TOKEN, {"from": accounts[6]})
    assert live.feed.observationOf(TOKEN)[0] == 0


def test_update__early_but_nearer_to_the_book__replaces_the_rate_and_not_the_time(live):
    state(live, RATIO + 3 * 10**12)
    first = update(live).timestamp
    state(live, RATIO + 10**12)
    tx = update(live)
    assert dict(tx.events["RateObserved"]) == {"tokenId": TOKEN, "rateWad": RATIO + 10**12, "ts": first}
    state(live, RATIO + 2 * 10**12)
    wait()
    update(live)
    assert live.ratio() == RATIO + 10**12


# --- pushing it


def test_push__within_one_block__moves_nothing(live):
    """Seen once at the double, true a block later: the two do not agree."""
    live.pusher.push(live.feed, TOKEN, live.stub, 2 * RATIO, RATIO, {"from": accounts[6]})
    wait()
    update(live)
    assert live.ratio() == RATIO
    # As a second observation no more than as a first.
    wait()
    live.pusher.push(live.feed, TOKEN, live.stub, 2 * RATIO, RATIO, {"from": accounts[6]})
    assert live.ratio() == RATIO


def test_push__down_within_one_block__moves_nothing(live):
    update(live)
    wait()
    live.pusher.push(live.feed, TOKEN, live.stub, RATIO // 2, RATIO, {"from": accounts[6]})
    assert live.ratio() == RATIO
    wait()
    update(live)
    assert live.ratio() == RATIO


def test_push__within_each_of_two_blocks__anybody_in_between_undoes_it(live):
    live.pusher.push(live.feed, TOKEN, live.stub, 2 * RATIO, RATIO, {"from": accounts[6]})
    update(live)
    wait()
    live.pusher.push(live.feed, TOKEN, live.stub, 2 * RATIO, RATIO, {"from": accounts[6]})
    assert live.ratio() == RATIO


def test_push__within_each_of_two_blocks__unwatched__gains_the_bound_at_most(live):
    live.pusher.push(live.feed, TOKEN, live.stub, 2 * RATIO, RATIO, {"from": accounts[6]})
    wait(3 * DAY)
    tx = live.pusher.push(live.feed, TOKEN, live.stub, 2 * RATIO, RATIO, {"from": accounts[6]})
    assert live.ratio() == bound(RATIO, 2 * RATIO, DAY) == RATIO * 101 // 100
    assert tx.events["RateSettled"]["rateWad"] == 2 * RATIO
    # And gives it back: what was pushed is no longer there to see.
    wait(DAY)
    update(live)
    wait(DAY)
    update(live)
    assert live.ratio() == RATIO


# --- a vault


@pytest.fixture(params=[18, 6])
def vault(kit, request):
    """OpenZeppelin's vault over a token of 18 or 6 decimals, 1,000 shares worth 1.2 each."""
    unit = 10**request.param
    asset = kit.admin.deploy(kit.code.LocalToken, "Asset", "AST", request.param)
    found = kit.admin.deploy(kit.code.VaultToken, asset)
    asset.mint(kit.admin, 10**7 * unit, {"from": kit.admin})
    asset.approve(found, 10**7 * unit, {"from": kit.admin})
    found.deposit(1_000 * unit, kit.admin, {"from": kit.admin})
    asset.transfer(found, 200 * unit, {"from": kit.admin})
    source(kit, found, ERC4626)
    kit.settled_ts = chain[-1].timestamp
    return SimpleNamespace(contract=found, asset=asset, unit=unit)


def test_vault__states_whole_assets_per_whole_share(kit, vault):
    rate = kit.feed.rateOf(TOKEN)
    assert rate == vault.contract.convertToAssets(vault.unit) * WAD // vault.unit
    assert abs(rate - RATIO) <= WAD // vault.unit


def test_vault__interest__is_followed(kit, vault):
    vault.asset.transfer(vault.contract, vault.unit // 10, {"from": kit.admin})
    update(kit)
    wait()
    update(kit)
    assert kit.ratio() == kit.feed.rateOf(TOKEN) > RATIO


@pytest.mark.parametrize("blocks", [1, 2])
def test_vault__donation__moves_the_ratio_by_the_bound_at_most(kit, vault, blocks):
    """The donation stays in the vault, so its rate has really risen; the book follows at its own pace."""
    unit = vault.unit
    vault.asset.transfer(kit.pusher, 4 * 10**6 * unit, {"from": kit.admin})
    attack = (kit.feed, TOKEN, vault.contract, 10**6 * unit, 10**6 * unit, {"from": accounts[6]})
    kit.pusher.donate(*attack)
    assert kit.feed.rateOf(TOKEN) > RATIO * 3 // 2
    assert kit.ratio() == RATIO
    if blocks == 2:
        wait()
        settled = kit.pusher.donate(*attack).timestamp
        assert RATIO < kit.ratio() == bound(RATIO, 2**100, settled - kit.settled_ts) < RATIO * 10_005 // 10_000


# --- bounds


@pytest.mark.parametrize("sec", [GAP, 7 * GAP, DAY, 30 * DAY])
def test_rise__beyond_the_bound__goes_as_far_as_the_time_since_lets_it(live, sec):
    rate = 2 * RATIO
    state(live, rate)
    update(live)
    wait(sec)
    tx = update(live)
    wanted = bound(RATIO, rate, tx.timestamp - live.settled_ts)
    assert live.ratio() == wanted != rate
    assert dict(tx.events["RateSettled"]) == {"tokenId": TOKEN, "rateWad": rate, "ratioWad": wanted}
    if sec >= DAY:
        assert wanted == RATIO + RATIO * RISE // WAD
    wait()
    late = update(live)
    assert live.ratio() == bound(wanted, rate, late.timestamp - tx.timestamp)


def test_update__governor_resets_the_ratio__moves_on_from_there(live):
    state(live, RATIO + 10**12)
    update(live)
    live.book.setCollateral(TOKEN, (True, 1, 2 * 10**17, 2 * 10**16, RATIO + 2 * 10**12), {"from": live.admin})
    wait()
    update(live)
    assert live.ratio() == RATIO + 10**12


# --- sources


@pytest.mark.parametrize(
    ("form", "question"),
    [(GET_RATE, "getRate()"), (EXCHANGE_RATE, "exchangeRate()"), (GET_EXCHANGE_RATE, "getExchangeRate()"),
     (STETH_PER_TOKEN, "stEthPerToken()")],
)  # fmt: skip
def test_form__asks_its_own_question(kit, form, question):
    """The stub answers everything, so the question is read off the call."""
    state(kit, RATIO)
    source(kit, kit.stub, form)
    trace = web3.provider.make_request(
        "debug_traceCall",
        [{"to": kit.feed.address, "data": kit.feed.rateOf.encode_input(TOKEN)}, "latest", {"tracer": "callTracer"}],
    )
    asked = trace["result"]["calls"][-1]
    assert asked["to"].lower() == kit.stub.address.lower()
    assert asked["input"].removeprefix("0x") == web3.keccak(text=question)[:4].hex().removeprefix("0x")
    assert kit.feed.rateOf(TOKEN) == RATIO


@pytest.mark.parametrize(
    ("answer", "fails"),
    [(word(RATIO), True), ("0x", False), ("0x" + "ff" * 31, False)],
    ids=["reverts", "none", "short"],
)
def test_update__source_fails__reverts_SourceFailed_and_keeps_the_ratio(live, answer, fails):
    update(live)
    seen = list(live.feed.observationOf(TOKEN))
    state(live, answer, fails=fails)
    wait()
    with reverts_with("RateFeed__SourceFailed", TOKEN, live.stub.address.lower()):
        update(live)
    assert live.ratio() == RATIO
    assert list(live.feed.observationOf(TOKEN)) == seen
    # It goes on where it was as soon as the source does.
    state(live, RATIO + 10**12)
    update(live)


@pytest.mark.parametrize("rate", [0, MOST + 1, 2**256 - 1])
def test_update__no_rate__reverts_BadRate_and_keeps_the_ratio(live, rate):
    state(live, rate)
    with reverts_with("RateFeed__BadRate", rate, MOST):
        update(live)
    assert live.ratio() == RATIO


def test_update__vault_states_garbage__reverts_BadRate(kit):
    """All questions of the vault are answered with 18, then with all bits set: nothing overflows."""
    state(kit, 18)
    with reverts_with("RateFeed__SourceFailed"):
        source(kit, kit.stub, ERC4626)
    asset = kit.admin.deploy(kit.code.LocalToken, "Asset", "AST", 18)
    vault = kit.admin.deploy(kit.code.VaultToken, asset)
    kit.book.setCollateral(TOKEN, (True, 1, 2 * 10**17, 2 * 10**16, WAD), {"from": kit.admin})
    source(kit, vault, ERC4626)
    web3.provider.make_request("anvil_setCode", [vault.address, web3.eth.get_code(kit.stub.address).hex()])
    kit.admin.transfer(vault, 0, data=kit.stub.set.encode_input(word(2**256 - 1), False))
    with reverts_with("RateFeed__BadRate", 2**256 - 1, MOST):
        update(kit)


def test_update__long_answer__is_read_as_a_word_as_long_as_the_stipend_pays_for_it(live):
    state(live, word(RATIO + 1) + "00" * 1_000)
    assert update(live).events["RateObserved"]["rateWad"] == RATIO + 1
    assert live.feed.ceilingOf(TOKEN) == RATIO + 1
    state(live, word(RATIO + 2) + "00" * 20_000)
    with reverts_with("RateFeed__SourceFailed"):
        update(live)
    assert live.feed.ceilingOf(TOKEN) == 0


# --- the mirror


@pytest.mark.parametrize("seed", range(6))
def test_update__any_rates_at_any_times__the_mirror_says_the_same(live, seed):
    draw = random.Random(seed)
    terms = RateTerms(GAP, FALL_GAP, RISE / WAD, FALL / WAD)
    pair, ratio = RatePair(0, 0.0, live.settled_ts), RATIO / WAD
    for _ in range(25):
        rate = int(live.ratio() * draw.choice([0.5, 0.97, 0.99, 0.9999, 1, 1.0001, 1.02, 2]))
        state(live, rate)
        at = chain[-1].timestamp + draw.choice([1, FALL_GAP - 2, FALL_GAP, 300, GAP, DAY])
        chain.sleep(at - chain[-1].timestamp)
        held = live.ratio()
        try:
            tx = update(live)
        except VirtualMachineError:
            with pytest.raises(DomainError):
                observe(pair, terms, chain[-1].timestamp, rate / WAD, held / WAD)
            continue
        pair, ratio = observe(pair, terms, tx.timestamp, rate / WAD, held / WAD)
        assert live.ratio() / WAD == pytest.approx(ratio, rel=1e-12)
        seen = live.feed.observationOf(TOKEN)
        assert (pair.ts, pair.settled_ts) == (seen[0], seen[2])
        assert (seen[1] / WAD, seen[3] / WAD) == pytest.approx((pair.rate, pair.fallen), rel=1e-12, abs=1e-15)


# --- what a token may count for


@pytest.mark.parametrize("rate", [1, RATIO // 2, RATIO, 2 * RATIO, MOST])
def test_ceiling_of__is_what_the_source_states(live, rate):
    state(live, rate)
    assert live.feed.ceilingOf(TOKEN) == rate


@pytest.mark.parametrize(
    ("answer", "fails"),
    [(word(RATIO), True), ("0x", False), ("0x" + "ff" * 31, False), (0, False), (MOST + 1, False), (2**256 - 1, False)],
    ids=["reverts", "none", "short", "zero", "too much", "all bits"],
)
def test_ceiling_of__source_fails__is_zero(live, answer, fails):
    state(live, answer, fails=fails)
    assert live.feed.ceilingOf(TOKEN) == 0


@pytest.mark.parametrize("code", ["fe", "5b5f56", "5b60015f5260205fa05f56", "5f5f5fa1", "5f5f5ff0"])
def test_ceiling_of__source_burns_its_gas_or_writes__is_zero_and_costs_the_stipend(live, code):
    """Invalid, an endless loop, one that logs, a log, a creation: what a static call forbids fails at once."""
    web3.provider.make_request("anvil_setCode", [live.stub.address, "0x" + code])
    assert live.feed.ceilingOf(TOKEN) == 0
    assert live.feed.ceilingOf.estimate_gas(TOKEN, {"from": accounts[5]}) < 300_000


def test_ceiling_of__source_that_asks_for_its_own_rate__is_zero(live):
    """Each question within the other has less gas than a source must have, so that the second is not asked."""
    data = live.feed.ceilingOf.encode_input(TOKEN).removeprefix("0x")
    # Return what feed.ceilingOf(TOKEN) says, or nothing where that fails.
    code = "63" + data[:8] + "60e01b5f526001600452" + "60205f60245f73" + live.feed.address[2:] + "5afa60051b5ff3"
    web3.provider.make_request("anvil_setCode", [live.stub.address, "0x" + code])
    assert live.feed.ceilingOf(TOKEN) == 0


def test_ceiling_of__too_little_gas__fails_whole_and_is_never_told_of_a_rate_of_zero(live):
    state(live, RATIO)
    request = {"to": live.feed.address, "data": live.feed.ceilingOf.encode_input(TOKEN)}
    for gas in (40_000, 100_000, 200_000, 230_000):
        answer = web3.provider.make_request("eth_call", [request | {"gas": hex(gas)}, "latest"])
        assert "error" in answer
    answer = web3.provider.make_request("eth_call", [request | {"gas": hex(300_000)}, "latest"])
    assert int(answer["result"], 16) == RATIO


@pytest.mark.parametrize("token", [0, 2])
def test_ceiling_of__token_without_a_source__is_no_bound(live, token):
    assert live.feed.ceilingOf(token) == 2**256 - 1


@pytest.mark.parametrize("token", [0, 2])
def test_update__token_without_a_source__reverts_NoSource(live, token):
    with reverts_with("RateFeed__NoSource", token):
        live.feed.update(token, {"from": accounts[5]})
    with reverts_with("RateFeed__NoSource", token):
        live.feed.rateOf(token)


# --- setting it


def test_set_source__is_shown_replaced_and_removed(live):
    terms = (live.stub.address, GET_RATE, GAP, FALL_GAP, RISE, FALL)
    assert tuple(live.feed.termsOf(TOKEN)) == terms
    state(live, RATIO + 10**12)
    update(live)
    tx = source(live, live.stub, EXCHANGE_RATE)
    assert tuple(tx.events["SourceSet"]["terms"]) == (live.stub.address, EXCHANGE_RATE, GAP, FALL_GAP, RISE, FALL)
    assert list(live.feed.observationOf(TOKEN)) == [0, 0, tx.timestamp, 0]
    source(live, NOWHERE, NONE, 0, 0, 0, 0)
    assert tuple(live.feed.termsOf(TOKEN)) == (NOWHERE, NONE, 0, 0, 0, 0)
    with reverts_with("RateFeed__NoSource", TOKEN):
        update(live)
    assert live.ratio() == RATIO


@pytest.mark.parametrize(
    ("changed", "error"),
    [({"form": NONE}, ("form", 0, 1)), ({"gap": 59}, ("gapSec", 59, 60)),
     ({"gap": 7 * DAY + 1}, ("gapSec", 7 * DAY + 1, 7 * DAY)), ({"fall_gap": 1}, ("fallGapSec", 1, 2)),
     ({"fall_gap": 601}, ("fallGapSec", 601, 600)), ({"gap": 90, "fall_gap": 91}, ("fallGapSec", 91, 90)),
     ({"rise": 10**17 + 1}, ("maxRiseWad", 10**17 + 1, 10**17)),
     ({"fall": 5 * 10**17 + 1}, ("maxFallWad", 5 * 10**17 + 1, 5 * 10**17))],
)  # fmt: skip
def test_set_source__bad_terms__reverts_BadTerms(kit, changed, error):
    state(kit, RATIO)
    with reverts_with("RateFeed__BadTerms", error[0].encode().ljust(32, b"\0"), *error[1:]):
        source(kit, kit.stub, **changed)


def test_set_source__vault_of_too_many_decimals__reverts_BadTerms(kit):
    asset = kit.admin.deploy(kit.code.LocalToken, "Asset", "AST", 37)
    vault = kit.admin.deploy(kit.code.VaultToken, asset)
    with reverts_with("RateFeed__BadTerms"):
        source(kit, vault, ERC4626)


@pytest.mark.parametrize("apart", [10**17 * 12 // 10 + 1, -(10**17) * 12 // 10 - 1])
def test_set_source__far_from_the_book__reverts_FarFromBook(kit, apart):
    state(kit, RATIO + apart)
    with reverts_with("RateFeed__FarFromBook", RATIO + apart, RATIO):
        source(kit, kit.stub)
    state(kit, RATIO + apart - (1 if apart > 0 else -1))
    source(kit, kit.stub)


def test_set_source__no_contract__reverts_SourceFailed(kit):
    with reverts_with("RateFeed__SourceFailed", TOKEN, accounts[9].address.lower()):
        source(kit, accounts[9])


def test_set_source__unlisted_token__reverts(kit):
    state(kit, RATIO)
    with reverts_with("ScenarioBook__UnknownToken", 7):
        kit.feed.setSource(7, (kit.stub, GET_RATE, GAP, FALL_GAP, RISE, FALL), {"from": kit.admin})


def test_set_source__by_a_stranger__reverts(kit):
    with reverts_with("AccessManagedUnauthorized"):
        source(kit, kit.stub, by=accounts[5])
