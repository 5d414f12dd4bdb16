"""What the mirror cannot say: one account is unknown, with the reason, and no other notices."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.documents import DAY, TS
from helpers.fleets import MONEY, assert_same, columns_of, market_of, names_of

from plimsoll.mirror.fleet import Fleet, Names, Reason, State, explained
from plimsoll.model import Kind, Mode, Portfolio, Position, PriceRange, Token
from plimsoll.params import Params

LEG = Position("ETH", Kind.CALL, TS + 5 * DAY, 2_000.0, -1.0)
GOOD = Portfolio(Mode.CROSS, 1e5, {"WETH": 2.0, "DAI": 5.0}, (LEG, replace(LEG, underlying="BTC", price=7e4)))


def evaluated(columns, market, params=None, names=None):
    return Fleet.from_columns(columns, names or names_of(market_of())).evaluate(market, params or Params())


def spoiled(name, row, value):
    """Columns of three good accounts, one number of the second changed."""
    columns = columns_of(market_of(), [GOOD] * 3)
    changed = getattr(columns, name).copy()
    changed[row] = value
    return replace(columns, **{name: changed})


def assert_second_unknown(found, reason):
    good = evaluated(columns_of(market_of(), [GOOD] * 3), market_of())
    assert found.state.tolist()[1] == State.UNKNOWN
    assert found.reason.tolist() == [0, int(reason), 0]
    assert all(np.isnan(getattr(found, name)[1]) for name in MONEY)
    assert found.unknown.tolist() == [False, True, False]
    assert_same(found.of(np.array([0, 2])), good.of(np.array([0, 2])))
    assert explained(int(found.reason[1])) != "nothing"


@pytest.mark.parametrize(
    ("name", "row", "value", "reason"),
    [
        ("expiry_ts", 2, TS + 6 * DAY, Reason.NO_EXPIRY),
        ("expiry_ts", 2, TS - DAY, Reason.NO_EXPIRY),
        ("underlying", 2, 77, Reason.NO_ROUND),
        ("underlying", 2, -5, Reason.NO_ROUND),
        ("token", 2, 9, Reason.NO_TOKEN),
        ("kind", 2, 4, Reason.BAD_RECORD),
        ("kind", 2, -1, Reason.BAD_RECORD),
        ("kind", 2, 3, Reason.BAD_RECORD),
        ("price", 2, np.nan, Reason.BAD_RECORD),
        ("price", 2, 0.0, Reason.BAD_RECORD),
        ("quantity", 2, np.inf, Reason.BAD_RECORD),
        ("quantity", 2, np.nan, Reason.BAD_RECORD),
        ("quantity", 2, 1e16, Reason.BAD_RECORD),
        ("amount", 2, np.nan, Reason.BAD_RECORD),
        ("amount", 2, -1.0, Reason.BAD_RECORD),
        ("cash", 1, np.nan, Reason.BAD_RECORD),
        ("cash", 1, np.inf, Reason.BAD_RECORD),
        ("modes", 1, 3, Reason.BAD_RECORD),
        ("modes", 1, -1, Reason.BAD_RECORD),
    ],
)
def test_evaluate__one_number_wrong__that_account_alone_is_unknown(name, row, value, reason):
    assert_second_unknown(evaluated(spoiled(name, row, value), market_of()), reason)


def test_evaluate__instrument_or_token_twice__unknown():
    columns = columns_of(market_of(), [GOOD] * 3)
    for name in ("underlying", "price"):
        getattr(columns, name)[2:4] = getattr(columns, name)[2]
    assert_second_unknown(evaluated(columns, market_of()), Reason.BAD_RECORD)
    columns = columns_of(market_of(), [GOOD] * 3)
    columns.token[2:4] = columns.token[2]
    assert_second_unknown(evaluated(columns, market_of()), Reason.BAD_RECORD)


def test_evaluate__more_positions_than_an_account_can_have__unknown():
    many = tuple(replace(LEG, price=1_000.0 + i) for i in range(129))
    columns = columns_of(market_of(), [GOOD, replace(GOOD, positions=many), GOOD])
    assert_second_unknown(evaluated(columns, market_of()), Reason.BAD_RECORD)


def without(market, name):
    """The market before an underlying had its first round; what is linked to it has no price either."""
    tokens = {symbol: token for symbol, token in market.tokens.items() if token.linked != name}
    return replace(market, tokens=tokens, rounds={n: r for n, r in market.rounds.items() if n != name})


def test_evaluate__round_missing__holders_unknown_until_it_comes():
    market = market_of()
    eth, btc = (replace(GOOD, collateral={}, positions=(p,)) for p in GOOD.positions)
    pledger = Portfolio(Mode.SINGLE, 0.0, {"WETH": 1.0})
    fleet = Fleet.from_columns(columns_of(market, [eth, btc, pledger]), names_of(market))
    found = fleet.evaluate(without(market, "ETH"), Params())
    assert found.reason.tolist() == [Reason.NO_ROUND, 0, Reason.NO_TOKEN]
    assert not fleet.evaluate(market, Params()).unknown.any()


def test_evaluate__liquidity_of_a_range__its_holder_alone_is_unknown():
    """What a token does that is no straight line is left to the plain mirror, and the keeper asks the chain."""
    market = market_of()
    pool = Token("WETH", None, 0.2, "ETH", 0.05, span=PriceRange(1_500.0, 2_400.0))
    bent = replace(market, tokens=market.tokens | {"WETH": pool})
    holder, other = Portfolio(Mode.SINGLE, 0.0, {"WETH": 1.0}), replace(GOOD, collateral={})
    fleet = Fleet.from_columns(columns_of(market, [holder, other]), names_of(market))
    found = fleet.evaluate(bent, Params())
    assert found.reason.tolist() == [Reason.BENT, 0]
    assert explained(int(found.reason[0])) == "a token whose worth bends"
    assert not fleet.evaluate(market, Params()).unknown.any()


def test_evaluate__window_without_mean__holders_of_that_expiry_unknown():
    market = market_of()
    rounds = {name: replace(r, mean=None) for name, r in market.rounds.items()}
    near = replace(LEG, expiry_ts=TS + 900)
    folios = [replace(GOOD, positions=(p,)) for p in (LEG, near, replace(near, kind=Kind.FUTURE))]
    found = evaluated(columns_of(market, folios), replace(market, rounds=rounds))
    assert found.reason.tolist() == [0, Reason.NO_MEAN, Reason.NO_MEAN]


def test_evaluate__range_too_wide_for_the_rows__holders_unknown():
    params = Params(overrides={"BTC": {"price_range": 0.99}})
    folios = [replace(GOOD, collateral={}, positions=(p,)) for p in GOOD.positions]
    found = evaluated(columns_of(market_of(), folios), market_of(), params)
    assert found.reason.tolist() == [0, Reason.NO_BOOK]


def test_evaluate__division_by_a_parameter_of_zero__unknown_instead_of_a_number():
    params = Params(overrides={"BTC": {"n0": 0.0, "conc_rate": 0.0}})
    folios = [replace(GOOD, collateral={}, positions=(p,)) for p in GOOD.positions]
    found = evaluated(columns_of(market_of(), folios), market_of(), params)
    assert found.state[1] == State.UNKNOWN or np.isfinite(found.initial[1])
    assert found.reason[0] == 0


def test_listed__token_listed_after_the_start__its_holder_becomes_known():
    market = market_of()
    names = names_of(market)
    few = Names(names.underlyings, {i: s for i, s in names.tokens.items() if s != "DAI"})
    fleet = Fleet.from_columns(columns_of(market, [GOOD]), few)
    assert fleet.evaluate(market, Params()).reason.tolist() == [Reason.NO_TOKEN]
    fleet.listed(names)
    assert fleet.refresh(market, Params()).reason.tolist() == [0]


def test_update__a_bad_record_put_right__known_again():
    market = market_of()
    fleet = Fleet.from_columns(spoiled("cash", 1, np.nan), names_of(market))
    assert fleet.evaluate(market, Params()).unknown.tolist() == [False, True, False]
    fleet.update(columns_of(market, [GOOD], account_ids=[3]))
    assert not fleet.evaluate(market, Params()).unknown.any()
