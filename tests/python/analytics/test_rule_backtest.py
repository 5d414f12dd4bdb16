"""Back-test of the rule of ranges: on histories whose answer is known, and on the real one."""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.histories import synthetic_history, walk

from plimsoll.analytics.backtest.rule_backtest import CALLERS, backtest_rule, rule_path, rule_terms
from plimsoll.analytics.series.history import load_history
from plimsoll.cli import run
from plimsoll.errors import InputError
from plimsoll.mirror.range_rule import RangeTerms
from plimsoll.params import Params

TERMS = RangeTerms(0.2)
DAY = 86_400


def ranged(history, low, high):
    return replace(history, low=history.close * low, high=history.close * high)


def test_calm__stays_at_the_floor():
    found = backtest_rule(synthetic_history(walk(400, 0.005)), "ETH", Params(), TERMS)
    assert (found.share_above, found.highest, found.changes_a_year, found.rise_week) == (0.0, 0.2, 0.0, 0.0)
    assert found.initial.dates == ()


def test_path__sees_earlier_days_only():
    close = walk(300, 0.02)
    other = close.copy()
    other[200:] *= 0.5
    paths = [rule_path(synthetic_history(c), "ETH", TERMS, CALLERS[0], 0).asked for c in (close, other)]
    # Entry i is what held before day i + 1.
    assert np.array_equal(paths[0][:200], paths[1][:200])
    assert not np.array_equal(paths[0], paths[1])


def test_storm__rises_by_a_day_and_grace_keeps_what_held_before():
    history = ranged(synthetic_history(1_000.0 + np.arange(40) % 2), 0.85, 1.15)
    path = rule_path(history, "ETH", TERMS, "everyPrice", DAY)
    assert path.asked[:4] == pytest.approx([0.2, 0.23, 0.26, 0.29])
    assert path.enforced[:4] == pytest.approx([0.2, 0.2, 0.2, 0.2])
    # Once nothing rises any more the grace ends.
    assert path.enforced[-1] == path.asked[-1] == TERMS.ceiling
    assert rule_path(history, "ETH", TERMS, "everyPrice", 0).enforced == pytest.approx(path.asked)


def test_callers__one_call_a_day_sees_no_low_and_no_high():
    history = ranged(synthetic_history(1_000.0 + np.arange(40) % 2), 0.85, 1.15)
    assert rule_path(history, "ETH", TERMS, "oneCallADay", 0).asked.max() == TERMS.floor


def test_figures__of_a_storm__are_the_paths():
    history = ranged(synthetic_history(1_000.0 + np.arange(41) % 2), 0.85, 1.15)
    found = backtest_rule(history, "ETH", Params(), TERMS, coverage=0.9, grace_sec=0)
    assert (found.rise_day, found.rise_week) == (pytest.approx(0.03), pytest.approx(0.21))
    assert found.highest == TERMS.ceiling
    assert found.share_above == pytest.approx(39 / 40)
    # Ten rises of 0.03 lead to the ceiling; a day moves 0.15, below 0.8 of every range.
    assert found.changes_a_year == pytest.approx(10 / 40 * 365.25)
    assert found.maintenance.dates == ()
    tight = backtest_rule(history, "ETH", Params(), replace(TERMS, floor=0.15), coverage=0.9, grace_sec=0)
    assert (len(tight.maintenance.dates), tight.maintenance.expected) == (2, pytest.approx(4.0))


def test_hourly_history__is_refused():
    history = replace(synthetic_history(walk(50, 0.01)), step_sec=3_600)
    with pytest.raises(InputError, match="the rule sees days"):
        rule_path(history, "ETH", TERMS, CALLERS[0], 0)


def test_real_history__the_rule_keeps_997_where_the_fixed_range_does_not(real_prices):
    history = load_history(real_prices, ["ETH", "BTC"])
    for asset in history.assets:
        found = backtest_rule(history, asset, Params(), rule_terms(Params(), asset))
        fixed = backtest_rule(history, asset, Params(), replace(rule_terms(Params(), asset), multiple=0.1))
        assert fixed.share_above == 0.0
        assert found.initial.passes
        assert found.maintenance.passes
        assert not fixed.maintenance.passes
        assert found.rise_day <= 0.03 + 1e-12
        assert found.share_above < 0.25


def test_command__prints_a_document_and_a_page(tmp_path, capsys):
    page, file = tmp_path / "rule.html", tmp_path / "H.csv"
    rows = [f"{n * DAY},ETH,{price:.6f}" for n, price in enumerate(walk(300, 0.03)[:, 0])]
    file.write_text("\n".join(["ts,asset,close", *rows, ""]), encoding="utf-8")
    command = ["backtest", "--rule", "--asset", "ETH", "--history", str(file)]
    assert run([*command, "--coverage", "0.997", "--grace", "60", "--json", "--html", str(page)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "plimsoll.ruleBacktest/1"
    assert (document["graceSec"], document["coverage"]) == (60, 0.997)
    assert set(document["assets"]["ETH"]) == set(CALLERS)
    assert "Back-test of the rule of ranges" in page.read_text(encoding="utf-8")
    assert run(command) == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines() if line.strip()[:3] == "ETH"] == [
        ["ETH", "all"],
        ["ETH", "closes"],
    ]
