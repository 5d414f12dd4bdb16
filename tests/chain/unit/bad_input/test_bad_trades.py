"""Bad orders and quotes, each refused by its one named error, all storage as it was: docs/proof/bad-input.md."""

from __future__ import annotations

from tests.chain.helpers.bad_input import (
    HOUR,
    MAX_PRICE_WAD,
    MAX_WAD,
    NOBODY,
    STRIKE_STEP_E8,
    Case,
    World,
    cases,
    check,
    flipped,
    trade,
)
from tests.chain.helpers.ledger import WAD, option, perp, shown
from tests.chain.helpers.untouched import refused, roots


def listed_in_steps(world: World) -> None:
    world.exchange.setRules(1, (15, HOUR, 126_144_000, STRIKE_STEP_E8), {"from": world.governor})


ORDERS = (
    Case("zero", "Exchange__ZeroQuantity", lambda w: w.settle(0), lambda _: (0, 1)),
    Case("dust", "Exchange__Dust", lambda w: w.settle(10**12 - 1), lambda _: (10**12 - 1, 10**12)),
    Case("self", "Exchange__SelfTrade", lambda w: w.settle(ids=(w.buyer, w.buyer)), lambda w: (w.buyer, w.buyer)),
    Case("expired", "Exchange__OrderExpired", lambda w: w.settle(until=w.start - 1)),
    Case(
        "replayed",
        "Exchange__Overfilled",
        lambda w: w.settle(4 * WAD, until=w.start + HOUR),
        lambda _: (4 * WAD, 0),
        lambda w: w.settle(4 * WAD, until=w.start + HOUR),
    ),
    Case(
        "cancelled",
        "Exchange__Cancelled",
        lambda w: w.settle(),
        lambda w: (shown(w.trader), 1),
        lambda w: w.exchange.cancel(1, {"from": w.trader}),
    ),
    Case("other chain", "Exchange__BadSignature", lambda w: w.settle(chain_id=5)),
    Case("malleable", "Exchange__BadSignature", lambda w: w.settle(bend=flipped), lambda w: (NOBODY, w.buyer)),
    Case(
        "strike",
        "Exchange__StrikeNotListed",
        lambda w: w.settle(instrument=option(w.expiry, 2_001)),
        lambda _: (2_001 * 10**8, STRIKE_STEP_E8),
        listed_in_steps,
    ),
    Case(
        "quantity beyond a position",
        "Exchange__QuantityTooLarge",
        lambda w: w.settle(2**256 - 1, quantity=2**256 - 1),
        lambda _: (2**256 - 1, MAX_WAD),
    ),
    Case(
        "price beyond a position",
        "Exchange__PriceOutOfRange",
        lambda w: w.settle(price=2**256 - 1),
        lambda _: (2**256 - 1, MAX_PRICE_WAD),
    ),
    Case("premium beyond cash", "Accounts__Overflow", lambda w: w.settle(MAX_WAD, quantity=MAX_WAD)),
    Case(
        "position beyond its word",
        "PositionWord__QuantityOverflow",
        lambda w: w.settle(2**126, instrument=perp(), quantity=2**127, price=10**10, until=w.start + HOUR),
        lambda _: (2**127, MAX_WAD),
        lambda w: w.settle(2**126, instrument=perp(), quantity=2**127, price=10**10, until=w.start + HOUR),
    ),
    Case(
        "paused",
        "ExpiringPause__Paused",
        lambda w: w.settle(),
        prepare=lambda w: w.exchange.pause({"from": w.governor}),
    ),
    Case(
        "instrument paused",
        "Exchange__InstrumentPaused",
        lambda w: w.settle(),
        lambda w: (option(w.expiry, 2_000),),
        lambda w: w.exchange.pauseInstrument(option(w.expiry, 2_000), {"from": w.governor}),
    ),
)


QUOTES = (
    Case("zero", "Exchange__ZeroQuantity", lambda w: w.quote(w.leg(), w.leg(2_100, 0)), lambda _: (0, 1)),
    Case("self", "Exchange__SelfTrade", lambda w: w.quote(taker=w.seller), lambda w: (w.seller, w.seller)),
    Case("expired", "Exchange__OrderExpired", lambda w: w.quote(life=-1)),
    Case("replayed", "Exchange__Overfilled", lambda w: w.quote(), lambda _: (1, 0), lambda w: w.quote()),
    Case("other chain", "Exchange__BadSignature", lambda w: w.quote(chain_id=5)),
    Case("malleable", "Exchange__BadSignature", lambda w: w.quote(bend=flipped), lambda w: (NOBODY, w.seller)),
    Case("legs twice", "Exchange__DuplicateLeg", lambda w: w.quote(w.leg(), w.leg()), lambda _: (0, 1)),
    Case(
        "strike",
        "Exchange__StrikeNotListed",
        lambda w: w.quote(w.leg(), w.leg(2_001)),
        lambda _: (2_001 * 10**8, STRIKE_STEP_E8),
        listed_in_steps,
    ),
    Case(
        "overflow",
        "Exchange__QuantityTooLarge",
        lambda w: w.quote(w.leg(), w.leg(2_100, MAX_WAD + 1)),
        lambda _: (MAX_WAD + 1, MAX_WAD),
    ),
    Case(
        "paused", "ExpiringPause__Paused", lambda w: w.quote(), prepare=lambda w: w.exchange.pause({"from": w.governor})
    ),
    Case(
        "instrument paused",
        "Exchange__InstrumentPaused",
        lambda w: w.quote(w.leg(2_100), w.leg()),
        lambda w: (option(w.expiry, 2_000),),
        lambda w: w.exchange.pauseInstrument(option(w.expiry, 2_000), {"from": w.governor}),
    ),
)


@cases(*ORDERS)
def test_order__bad__reverts_by_name_and_changes_nothing(world, case):
    check(case, world)


@cases(*QUOTES)
def test_quote__bad__reverts_by_name_and_changes_nothing(world, case):
    check(case, world)


def test_account_at_the_position_limit__order_and_quote__revert_TooManyPositions(world):
    for i in range(128):
        trade(world, seller=1, instrument=option(world.expiry, 2_001 + i))
    for act in (world.settle, world.quote):
        with refused(world.contracts, "Accounts__TooManyPositions", 129, 128):
            act()


def test_good_input__same_roots_would_show_a_change(world):
    """The yardstick itself: a call that passes moves the root of what it writes to, and only of that."""
    before = roots(world.contracts)
    world.settle()
    after = roots(world.contracts)
    assert [a != b for a, b in zip(before, after, strict=True)] == [True, False, True, False, False, False]
