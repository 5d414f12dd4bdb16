"""Liquidity of a range in the float mirror: 50 digits, its shape, and that a held one is worst at a node."""

import itertools

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.errors import DomainError
from plimsoll.mirror.liquidity import bends, values, worst_share
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.mirror.market_sheaf import market_sheaf, sheaf_margins
from plimsoll.mirror.scenario_book import scenario_book
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, PriceRange, Round, Token
from plimsoll.params import Params

PARAMS = Params()
BOOK = scenario_book(PARAMS.book_of("ETH"), PARAMS.for_underlying("ETH").price_range)
SPOT = 1_900.0

spans = st.builds(
    lambda lower, width: PriceRange(lower, lower * width),
    st.floats(1e-3, 1e6),
    st.sampled_from([1.0001, 1.001, 1.05, 1.5, 4.0, 1e3, 1e30]),
)


def exact(span, price):
    """(worth, units) of one unit, 50 digits."""
    with mp.workdps(50):
        a, b, y = mp.sqrt(span.lower), mp.sqrt(span.upper), mp.mpf(price)
        root = min(max(mp.sqrt(y), a), b)
        units = 1 / root - 1 / b
        return units * y + root - a, units


@settings(max_examples=400)
@given(spans, st.floats(0.01, 100.0))
def test_value_and_units__equal_fifty_digits(span, share):
    price = span.lower * share
    worth, units = exact(span, price)
    # Ends and price are doubles as they stand: nothing but the rounding of a few operations is left.
    assert span.value(price) == pytest.approx(float(worth), rel=4e-15, abs=0.0)
    assert span.units(price) == pytest.approx(float(units), rel=4e-15, abs=0.0)


@given(spans)
def test_shape__at_the_ends__nothing_jumps(span):
    for end in (span.lower, span.upper):
        below, above = (span.value(end * (1.0 + side)) for side in (-1e-12, 1e-12))
        assert below == pytest.approx(span.value(end), rel=1e-8)
        assert above == pytest.approx(span.value(end), rel=1e-8)
    assert span.units(span.upper) == span.units(2.0 * span.upper) == 0.0
    assert span.units(span.lower) == span.units(0.5 * span.lower) > 0.0
    assert span.gamma(span.lower) == span.gamma(span.upper) == 0.0


@given(spans, st.lists(st.floats(0.01, 50.0), min_size=3, max_size=12, unique=True))
def test_shape__concave_and_never_falling(span, shares):
    prices = np.sort(np.array(shares)) * span.lower
    worth = values(span, prices)
    assert (np.diff(worth) >= -1e-12 * worth[-1]).all()
    for i, j, k in itertools.combinations(range(len(prices)), 3):
        chord = worth[i] + (worth[k] - worth[i]) * (prices[j] - prices[i]) / (prices[k] - prices[i])
        assert worth[j] >= chord - 1e-12 * worth[-1]


@given(spans, st.floats(0.02, 50.0))
def test_bends__units_and_bend__are_the_whole_loss(span, share):
    spot, moves = span.lower * share, BOOK.moves
    lost = span.value(spot) - values(span, spot * (1.0 + moves))
    found = bends(span, spot, moves)[0] - span.units(spot) * spot * moves
    assert found == pytest.approx(lost, abs=1e-12 * span.value(spot))
    assert 0.0 <= worst_share(span, spot, BOOK) <= 1.0


def market(span, spot=SPOT):
    tokens = (Token("USDC", 1.0, 0.0), Token("LP", None, 0.2, "ETH", 0.05, span=span))
    return Market(1, {t.symbol: t for t in tokens}, {"ETH": Round("ETH", 1, spot, spot, 1.0, ())})


def folio(amount, perps=0.0, mode=Mode.SINGLE):
    legs = (Position("ETH", Kind.PERP, 0, SPOT, perps),) if perps else ()
    return Portfolio(mode, 0.0, {"LP": amount}, legs)


@settings(max_examples=60)
@given(
    st.sampled_from([PriceRange(1_500, 2_500), PriceRange(1_890, 1_910), PriceRange(2_000, 2_100), PriceRange(1, 1e9)]),
    st.floats(-30.0, 30.0),
)
def test_requirement__beside_a_perpetual__covers_every_price_between_the_outermost_nodes(span, perps):
    """The worst of a held position lies at a node: no price in between loses more than the scan."""
    amount = 10.0 * SPOT / span.value(SPOT)
    scan = evaluate(market(span), folio(amount, perps), PARAMS).underlyings["ETH"].scan
    reach = PARAMS.for_underlying("ETH").price_range
    for move in np.linspace(-3 * reach, 3 * reach, 301):
        worth = amount * (span.value(SPOT * (1 + move)) - span.value(SPOT)) + perps * SPOT * move
        weight = min(1.0, reach / abs(move)) if move else 1.0
        assert -worth * weight <= scan * (1 + 1e-12) + 1e-9


@pytest.mark.parametrize("mode", list(Mode))
def test_requirement__mode__counts_the_fall_once(mode):
    """Netted the fall is in the scan; in STANDARD it is in the haircut, and the requirement is none."""
    span = PriceRange(1_500, 2_500)
    found = evaluate(market(span), folio(100.0, mode=mode), PARAMS)
    worth, fall = 100.0 * span.value(SPOT), worst_share(span, SPOT, BOOK)
    assert found.market_equity == pytest.approx(worth)
    if mode == Mode.STANDARD:
        assert found.equity == pytest.approx(worth * (1 - max(0.2, 0.05 + fall)))
        assert found.initial_margin == 0.0
    else:
        assert found.equity == pytest.approx(worth * 0.95)
        assert found.underlyings["ETH"].scan == pytest.approx(worth * fall)


def test_requirement__short_perpetual__hedges():
    span = PriceRange(1_500, 2_500)
    units = 100.0 * span.units(SPOT)
    alone, hedged = (evaluate(market(span), folio(100.0, -q), PARAMS).underlyings["ETH"].scan for q in (0.0, units))
    assert 0.0 < hedged < 0.5 * alone


@pytest.mark.parametrize("mode", list(Mode))
def test_sheaf__many_spots__equals_one_market_at_a_time(mode):
    span, spots = PriceRange(1_800, 2_000), [1_000.0, 1_800.0, 1_900.0, 1_999.9, 2_000.0, 3_000.0]
    markets = [market(span, spot) for spot in spots]
    found = sheaf_margins(market_sheaf(markets), folio(50.0, -3.0, mode), PARAMS)
    for i, one in enumerate(markets):
        single = evaluate(one, folio(50.0, -3.0, mode), PARAMS)
        assert found.equity[i] == pytest.approx(single.equity, rel=1e-12)
        assert found.initial_margin[i] == pytest.approx(single.initial_margin, rel=1e-12)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: PriceRange(0.0, 1.0), "lower is 0"),
        (lambda: PriceRange(2.0, 2.0), "upper is 2"),
        (lambda: PriceRange(1.0, float("nan")), "upper is nan"),
        (lambda: Token("LP", 3.0, 0.1, span=PriceRange(1.0, 2.0)), "linked to no underlying"),
        (lambda: Token("LP", None, 0.1, "ETH", 0.1, 1.5, span=PriceRange(1.0, 2.0)), "has no ratio, found 1.5"),
    ],
)
def test_nouns__refuse_what_no_pool_could_hold(make, words):
    with pytest.raises(DomainError, match=words):
        make()
