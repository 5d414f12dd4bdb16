"""Each cleaning rule removes what it names, and counts it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from plimsoll.market.fit.clean import NEAR_ROWS, WING_STD, clean


def test_counts_add_up(first):
    quotes, report = clean(first)
    dropped = report.no_volatility + report.crossed + report.stale + report.in_the_money + report.far_wing
    assert report.rows == first.strike.size == dropped + report.used
    assert report.used == sum(q.iv.size for q in quotes.values())
    assert report.in_the_money > 0
    assert report.far_wing > 0


def put_out_of_the_money(first) -> int:
    """Row of a liquid out-of-the-money put that every rule keeps."""
    wanted = ~first.is_call & (np.abs(first.strike / first.underlying - 0.95) < 0.03) & (first.bid > 0.001)
    return int(np.flatnonzero(wanted)[0])


def with_value(first, field: str, row: int, value: float):
    column = getattr(first, field).copy()
    column[row] = value
    return replace(first, **{field: column})


def test_each_rule_counts_its_row(first):
    row = put_out_of_the_money(first)
    base = clean(first)[1]
    assert clean(with_value(first, "iv", row, np.nan))[1].no_volatility == base.no_volatility + 1
    assert clean(with_value(first, "iv", row, 0.0))[1].no_volatility == base.no_volatility + 1
    assert clean(with_value(first, "bid", row, first.ask[row] + 0.001))[1].crossed == base.crossed + 1
    assert clean(with_value(first, "mark", row, 2.0 * first.ask[row] + 0.01))[1].stale == base.stale + 1


def test_the_out_of_the_money_twin_stays_unless_it_is_unusable(first):
    row = put_out_of_the_money(first)
    expiry = int(first.expiry_ts[row])
    k = np.log(first.strike[row] / first.underlying[row])
    marked = with_value(first, "iv", row, first.iv[row] + 0.07)
    found = clean(marked)[0][expiry]
    assert found.iv[np.argmin(np.abs(found.log_moneyness - k))] == first.iv[row] + 0.07
    without = clean(with_value(first, "iv", row, np.nan))[0][expiry]
    assert without.iv[np.argmin(np.abs(without.log_moneyness - k))] == first.iv[row]


def test_wings_end_where_the_rule_says_but_spare_the_nearest_rows(first):
    for q in clean(first)[0].values():
        distance = np.abs(q.log_moneyness) / (q.iv * np.sqrt(q.years))
        assert q.iv.size >= NEAR_ROWS
        assert (np.sort(distance)[NEAR_ROWS:] <= WING_STD).all()
        assert (np.diff(q.log_moneyness) > 0.0).all()
        assert ((q.weight > 0.0) & (q.weight <= 1.0)).all()
    sparse = replace(first, iv=np.full_like(first.iv, 0.011))
    assert all(q.iv.size >= NEAR_ROWS for q in clean(sparse)[0].values())
