"""RangeRule.recalibrate: the range follows the market by a rule, whoever shows it the rounds."""

from __future__ import annotations

import random

import pytest
from brownie import accounts, chain, project, web3

from plimsoll.mirror.range_rule import RangeTerms, observe, target_range
from tests.chain.helpers.books import rows
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ranges import STEP, Seen, Terms, add_rule, expected, next_day, range_of
from tests.chain.helpers.signed import DAY, WAD, market_round, post
from tests.chain.helpers.stack import PRICE_RANGE, UNDERLYING, deploy_stack

TERMS = Terms()
HOUR = 3_600


@pytest.fixture(scope="module")
def stack():
    found = deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)
    found.rule = add_rule(found)
    # A price of this day, so that a test begins at the head of the next one.
    next_day(found)
    return found


def see(stack, spot, by=5):
    """Post a price and show it to the rule."""
    stack.price(spot)
    return stack.rule.recalibrate(1, {"from": accounts[by]})


def seen_by(stack):
    return Seen(*stack.rule.observationOf(1))


def prior_range(stack):
    """Range before the grace that runs, the first word of its book."""
    return int.from_bytes(web3.eth.get_code(stack.book.priorBookPointerOf(1))[1:33], "big")


def set_book(stack, range_wad):
    stack.book.setBook(1, (range_wad, *UNDERLYING[1:]), rows(), {"from": stack.admin})


# --- what it computes


def test_recalibrate__first_price__asks_for_the_floor_and_changes_nothing(stack):
    version = stack.book.version()
    tx = see(stack, 1_900)
    found = seen_by(stack)
    variance = (PRICE_RANGE // 3) ** 2 // WAD
    assert found == Seen(found.ts // DAY, found.ts, 1_900 * WAD, PRICE_RANGE, 1_900 * WAD, 1_900 * WAD, variance,
                         PRICE_RANGE)  # fmt: skip
    assert dict(tx.events["RangeObserved"]) == {
        "underlyingId": 1, "ts": found.ts, "varianceWad": variance, "targetWad": PRICE_RANGE, "rangeWad": PRICE_RANGE,
    }  # fmt: skip
    assert stack.book.version() == version
    assert tx.return_value == PRICE_RANGE == range_of(stack)


@pytest.mark.parametrize("seed", [1, 2])
def test_recalibrate__path_of_rounds__is_the_exact_rule_and_its_mirror(stack, seed):
    """Calm, storm, silence of days, calm again; at any hour, by anybody, with a grace of six hours."""
    draw = random.Random(seed)
    stack.book.setGrace(6 * HOUR, {"from": stack.admin})
    known, mirror, spot, ranges, waited = None, None, 1_900.0, [], 0
    floats = RangeTerms(PRICE_RANGE / WAD, 0.4, 3.0, 0.94, 0.06, 0.01)
    for step in range(70):
        sigma = 0.15 if 15 <= step < 35 else 0.01
        spot *= 1 + draw.gauss(0, sigma)
        chain.sleep(draw.randrange(60, 16 * HOUR) if draw.random() < 0.93 else draw.randrange(2, 6) * DAY)
        old, price = range_of(stack), max(round(spot), 50)
        stack.price(price)
        held = stack.book.priorBookPointerOf(1) != stack.book.bookPointerOf(1)
        prior = prior_range(stack) if held else None
        tx = stack.rule.recalibrate(1, {"from": accounts[draw.randrange(9)]})
        ts = tx.events["RangeObserved"]["ts"]
        known, target = expected(known, TERMS, ts, price * WAD, old, prior)
        assert seen_by(stack) == known
        assert tx.events["RangeObserved"]["targetWad"] == target
        assert range_of(stack) == known.range == tx.return_value
        mirror = observe(mirror, floats, ts, float(price), old / WAD, prior / WAD if held else None)
        assert mirror.variance == pytest.approx(known.variance / WAD, rel=1e-9)
        assert target_range(mirror, floats) == pytest.approx(target / WAD, abs=1e-12)
        assert mirror.price_range == pytest.approx(known.range / WAD, abs=1e-12)
        ranges.append(known.range)
        waited += held and target < old
    assert min(ranges) == PRICE_RANGE
    assert ranges[-1] + TERMS.fall < max(ranges) > PRICE_RANGE + TERMS.rise
    assert waited


def test_recalibrate__days_of_silence__count_as_days_without_a_move(stack):
    see(stack, 1_900)
    before = seen_by(stack).variance
    next_day(stack, 5)
    see(stack, 1_900)
    # The day of the first price, and four that nobody saw.
    assert seen_by(stack).variance / WAD == pytest.approx(before / WAD * 0.94**5, rel=1e-12)
    assert seen_by(stack).low == seen_by(stack).high == 1_900 * WAD


def test_recalibrate__move_over_a_silence__counts_whole_on_the_day_that_shows_it(stack):
    see(stack, 1_900)
    next_day(stack, 3)
    see(stack, 1_500)
    found = seen_by(stack)
    assert (found.low, found.high) == (1_500 * WAD, 1_900 * WAD)


# --- who calls when


@pytest.mark.parametrize(
    "prices",
    [(1_600, 2_200), (2_200, 1_600), (1_900, 1_600, 1_700, 2_200, 1_800), (2_200, 2_100, 1_600, 2_200, 1_600)],
)
def test_recalibrate__within_a_day__highest_and_lowest_alone_count(stack, prices):
    see(stack, 1_900)
    known = seen_by(stack)
    next_day(stack)
    for price in (*prices, 2_000):
        see(stack, price)
    found = seen_by(stack)
    # As if the lowest had come first, then the highest, then the last.
    for price in (1_600, 2_200, 2_000):
        known, _ = expected(known, TERMS, found.ts, price * WAD, known.range)
    assert found == known
    assert PRICE_RANGE < range_of(stack) == known.range


def test_recalibrate__however_often_in_a_day__rises_by_a_day_at_most(stack):
    see(stack, 1_900)
    next_day(stack)
    for step in range(12):
        see(stack, (1_000, 3_000)[step % 2])
        assert range_of(stack) <= PRICE_RANGE + TERMS.rise
    assert range_of(stack) == PRICE_RANGE + TERMS.rise
    # The first call of a new day has that day's speed, and no call before it leaves any over.
    next_day(stack, 4)
    see(stack, 1_000)
    assert range_of(stack) == PRICE_RANGE + 2 * TERMS.rise


def test_recalibrate__storm_without_end__stops_at_the_ceiling(stack):
    for day in range(6):
        see(stack, (1_000, 3_000)[day % 2])
        next_day(stack)
    assert range_of(stack) == TERMS.ceiling


def test_recalibrate__calm_after_a_storm__falls_by_a_day_at_most_and_ends_at_the_floor(stack):
    see(stack, 1_900)
    see(stack, 2_300)
    last = range_of(stack)
    assert last > PRICE_RANGE + 4 * TERMS.fall
    for _ in range(25):
        next_day(stack)
        for _ in range(2):
            see(stack, 2_300)
        assert last - TERMS.fall <= range_of(stack) <= last
        last = range_of(stack)
    assert last == PRICE_RANGE


def test_recalibrate__same_round_again__reverts_NothingNew(stack):
    see(stack, 1_900)
    ts = seen_by(stack).ts
    with reverts_with("RangeRule__NothingNew", ts, ts):
        stack.rule.recalibrate(1, {"from": accounts[6]})


# --- nobody is liquidated by a call


@pytest.fixture
def long_id(stack):
    """Ten perpetuals at 1,900 on 3,600: above maintenance, and below it at a range of 0.24."""
    stack.auction.setPriorMargin(stack.engine_of(stack.admin.deploy(stack.project.PriorBook, stack.book)),
                                 {"from": stack.admin})  # fmt: skip
    stack.book.setGrace(DAY, {"from": stack.admin})
    account_id = stack.open(accounts[1], 3_600)
    stack.trade(account_id, stack.open(accounts[1], 100_000), 10, 1_900)
    return account_id


def test_recalibrate__raise__liquidates_nobody_within_the_grace(stack, long_id):
    see(stack, 1_900)
    tx = see(stack, 2_500)
    assert range_of(stack) == PRICE_RANGE + TERMS.rise
    assert tx.events["GraceStarted"]["endTs"] == tx.timestamp + DAY
    see(stack, 1_900)
    assert stack.margin(long_id).equity < stack.margin(long_id).maintenance
    with reverts_with("Auction__InGrace"):
        stack.auction.start(long_id, {"from": accounts[2]})
    chain.sleep(DAY)
    stack.price(1_900)
    assert "AuctionStarted" in stack.auction.start(long_id, {"from": accounts[2]}).events


def test_recalibrate__fall__starts_a_grace_too(stack, long_id):
    """Some books of options need more at a narrower range: nobody is liquidated by that at once either."""
    see(stack, 1_900)
    set_book(stack, 3 * 10**17)
    chain.sleep(DAY)
    tx = see(stack, 1_900)
    assert range_of(stack) == 3 * 10**17 - TERMS.fall
    assert tx.events["GraceStarted"]["endTs"] == tx.timestamp + DAY
    assert prior_range(stack) == 3 * 10**17


def test_recalibrate__book_in_grace__does_not_fall(stack):
    see(stack, 1_900)
    stack.book.setGrace(3 * DAY, {"from": stack.admin})
    see(stack, 2_300)
    high = range_of(stack)
    for _ in range(2):
        next_day(stack)
        see(stack, 2_300)
        assert range_of(stack) == high
    chain.sleep(3 * DAY)
    see(stack, 2_300)
    assert range_of(stack) == high - TERMS.fall


def test_recalibrate__grace_of_a_fall__nothing_rises_until_its_end(stack):
    """What held before would not protect those who came after the fall."""
    see(stack, 1_900)
    set_book(stack, 3 * 10**17)
    stack.book.setGrace(6 * HOUR, {"from": stack.admin})
    see(stack, 1_900)
    low = 3 * 10**17 - TERMS.fall
    assert range_of(stack) == low
    see(stack, 3_200)
    assert range_of(stack) == low
    chain.sleep(6 * HOUR)
    see(stack, 3_200)
    assert range_of(stack) == 3 * 10**17 + TERMS.rise


def test_recalibrate__grace_of_something_else__holds_nothing(stack):
    see(stack, 1_900)
    set_book(stack, 3 * 10**17)
    stack.book.setGrace(DAY, {"from": stack.admin})
    stack.book.setCollateral(1, (True, 1, 3 * 10**17, 2 * 10**16, WAD), {"from": stack.admin})
    see(stack, 1_900)
    assert range_of(stack) == 3 * 10**17 - TERMS.fall


# --- governance beside it


def test_recalibrate__range_that_governance_has_set__is_where_the_day_begins_anew(stack):
    see(stack, 1_900)
    set_book(stack, 39 * 10**16)
    see(stack, 1_900)
    assert range_of(stack) == 39 * 10**16 - TERMS.fall
    see(stack, 1_901)
    assert range_of(stack) == 39 * 10**16 - TERMS.fall
    set_book(stack, 10**17)
    see(stack, 1_900)
    assert range_of(stack) == 10**17 + TERMS.rise < TERMS.floor
    next_day(stack)
    see(stack, 1_900)
    assert range_of(stack) == TERMS.floor


def test_recalibrate__range_within_its_speed__is_whole_steps_above_the_floor(stack):
    see(stack, 1_900)
    see(stack, 2_200)
    assert PRICE_RANGE < range_of(stack) < PRICE_RANGE + TERMS.rise
    assert (range_of(stack) - TERMS.floor) % STEP == 0


# --- what it refuses


def test_recalibrate__stale_round__reverts_and_another_underlying_goes_on(stack):
    see(stack, 1_900)
    stack.list_second(60_000)
    stack.rule.setTerms(2, TERMS.plain(), {"from": stack.admin})
    chain.sleep(8 * DAY)
    chain.mine()
    ts = chain[-1].timestamp
    both = {"spotWad": 60_000 * WAD, "perpWad": 60_000 * WAD}
    post(stack.oracle, "postRound", market_round(ts, underlyingId=2, **both), stack.admin)
    with reverts_with("Oracle__Stale"):
        stack.rule.recalibrate(1, {"from": accounts[5]})
    stack.rule.recalibrate(2, {"from": accounts[5]})
    assert stack.rule.observationOf(2)[1] == ts


def test_recalibrate__no_round__reverts_NoRound(stack):
    stack.book.listUnderlying("0x" + b"SOL".ljust(32, b"\0").hex(), UNDERLYING, rows(), {"from": stack.admin})
    stack.rule.setTerms(2, TERMS.plain(), {"from": stack.admin})
    with reverts_with("Oracle__NoRound", 2):
        stack.rule.recalibrate(2, {"from": accounts[5]})


def test_recalibrate__without_terms__reverts_NoTerms(stack):
    with reverts_with("RangeRule__NoTerms", 2):
        stack.rule.recalibrate(2, {"from": accounts[5]})
