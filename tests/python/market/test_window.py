"""The running mean of a settlement window: at the expiry it is what the contract makes of the same samples."""

from __future__ import annotations

import pytest

from plimsoll.market.replay.window import running_mean, window_of, with_mean
from plimsoll.model import Round, Surface, Svi

EXPIRY = 1_900_000_800
START = EXPIRY - 1_800


def a_round(ts: int, *expiries: int) -> Round:
    surfaces = tuple(Surface(e, 1_900.0, 0.0, Svi(0.01, 0.0, 0.0, 0.0, 0.1)) for e in expiries)
    return Round("ETH", ts, 1_900.0, 1_900.0, 1.0, surfaces)


def test_running_mean__at_the_expiry__is_the_settlement_price() -> None:
    """The case of tests/chain/unit/feeds/test_oracle__post_settlement.py."""
    offsets, spots = (100, 400, 700, 1_000, 1_200, 1_500, 1_790), (1_000, 2_000, 1_500, 1_800, 1_700, 1_600, 9_000)
    samples = [(START + o, float(s)) for o, s in zip(offsets, spots, strict=True)]
    ends = (400, 700, 1_000, 1_200, 1_500, 1_790, 1_800)
    weights = [end - begin for begin, end in zip((0, *ends), ends, strict=False)]
    expected = sum(s * w for s, w in zip(spots, weights, strict=True)) / 1_800
    assert running_mean(samples, EXPIRY, EXPIRY, 5.0) == pytest.approx(expected)


def test_running_mean__part_way__counts_what_was_seen_until_then() -> None:
    samples = [(START - 5, 7.0), (START + 60, 100.0), (START + 120, 200.0), (START + 500, 900.0)]
    assert running_mean(samples, EXPIRY, START + 240, 5.0) == pytest.approx((100 * 120 + 200 * 120) / 240)


def test_running_mean__nothing_seen__is_spot() -> None:
    assert running_mean([(START, 7.0)], EXPIRY, START + 60, 1_900.0) == 1_900.0


@pytest.mark.parametrize(("left", "open_"), [(1_800, False), (1_799, True), (0, True)])
def test_with_mean__first_expiry__decides(left: int, open_: bool) -> None:
    found = with_mean(a_round(EXPIRY - left, EXPIRY, EXPIRY + 86_400), [])
    assert (found.mean is not None) == open_ == (window_of(found) == EXPIRY)


def test_with_mean__no_expiry__has_none() -> None:
    assert with_mean(a_round(EXPIRY), []).mean is None
