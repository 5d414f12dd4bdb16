"""Margin models of other venues against their published worked examples, and rules that each must keep."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.documents import cases, load
from helpers.examples import EXPIRY, MARKET, PORTFOLIO, TS
from hypothesis import given, settings

from plimsoll.analytics.models import deribit, derive, derive_standard, flat_rates, okx, span
from plimsoll.analytics.models.compare import MODELS, compare
from plimsoll.analytics.models.examples import (
    FLAT,
    FUTURE_GAINS,
    Example,
    book_of,
    case_params,
    derive_naked_call,
    examples_table,
    market_of,
    worked_examples,
)
from plimsoll.analytics.models.parameters import shipped_params
from plimsoll.cli import run
from plimsoll.model import Kind, Market, Position, Round, Surface, Svi, Token
from plimsoll.params import Params


@pytest.mark.parametrize(
    "example", [e for e in worked_examples() if e.got is not None], ids=lambda e: f"{e.model} {e.case}"
)
def test_published_examples(example):
    assert example.agrees, (example.expected, example.got)


def test_the_documented_examples_are_computed_anew():
    text = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "margin-models.md").read_text(encoding="utf-8")
    assert examples_table() in text, (
        "docs/reference/margin-models.md: replace the table by what `plimsoll compare --examples` gives"
    )


def test_an_example_that_is_off_does_not_agree():
    right = Example("m", "s", "c", "1.50", 1.5, 0.0)
    assert right.agrees
    assert right.shown == "1.50"
    assert not replace(right, got=1.51).agrees
    missing = replace(right, got=None)
    assert not missing.agrees
    assert missing.shown == "not compared"


def test_command_lists_the_examples(capsys):
    assert run(["compare", "--examples"]) == 0
    assert capsys.readouterr().out == examples_table() + "\n"


def test_span_array_of_a_future_is_the_published_shape():
    market = market_of("ETH", 1_000.0)
    held = book_of(market, Position("ETH", Kind.PERP, 0, 1_000.0, 1.0)).holdings[0]
    params = replace(shipped_params("span", span.SpanParams).default, price_scan=0.1)
    got = span.risk_array(held, params)[0]
    assert got == pytest.approx(np.array(FUTURE_GAINS) / 100.0, abs=0.05)


def test_span_credits_and_charges_have_their_sign():
    rounds = {n: Round(n, TS, s, s, 1.0, (Surface(EXPIRY, s, 0.0, FLAT),)) for n, s in (("ETH", 2e3), ("BTC", 6e4))}
    market = Market(TS, {"USDC": Token("USDC", 1.0, 0.0)}, rounds)
    eth = Position("ETH", Kind.PERP, 0, 2e3, 30.0)
    params = shipped_params("span", span.SpanParams)
    alone = span.margin(book_of(market, eth), params)
    hedged = span.margin(book_of(market, eth, Position("BTC", Kind.PERP, 0, 6e4, -1.0)), params)
    assert alone.maintenance == pytest.approx(0.285 * 6e4)
    assert hedged.maintenance == pytest.approx(0.5 * (0.285 + 0.23) * 6e4)
    calendar = span.margin(book_of(market, eth, Position("ETH", Kind.FUTURE, EXPIRY, 2e3, -30.0)), params)
    assert calendar.maintenance == pytest.approx(0.01 * 6e4)


def test_span_never_asks_less_than_the_short_option_minimum():
    market = market_of("ETH", 2_000.0, surfaces=(Surface(EXPIRY, 2_000.0, 0.0, FLAT),))
    far = Position("ETH", Kind.CALL, EXPIRY, 1e6, -3.0)
    found = span.margin(book_of(market, far), shipped_params("span", span.SpanParams))
    assert found.maintenance == pytest.approx(0.01 * 2_000.0 * 3.0)


def test_deribit_linear_account():
    account = book_of(market_of("ETH", 2_000.0), Position("ETH", Kind.PERP, 0, 2_000.0, 10.0))
    found = deribit.margin(account, shipped_params("deribit", deribit.DeribitParams))
    # The widest extended row is scaled back to the range: a linear position loses the range in each.
    assert found.initial == pytest.approx((0.18 + 0.005) * 20_000.0)
    assert found.maintenance == pytest.approx(0.8 * (0.18 + 0.005) * 20_000.0)


def test_deribit_dampener_takes_at_most_the_loss():
    market = market_of("BTC", 50_000.0)
    held = book_of(market, Position("BTC", Kind.PERP, 0, 5e4, -1.0)).holdings[0]
    params = shipped_params("deribit", deribit.DeribitParams).of("BTC")
    plain = deribit.matrix_of(held, params).extended
    damped = deribit.matrix_of(held, replace(params, dampener=100.0)).extended
    assert damped[2] == pytest.approx(plain[2] + (0.5 / 0.16 - 1.0) * 100.0)
    assert deribit.matrix_of(held, replace(params, dampener=1e9)).extended.min() == 0.0


def test_okx_combination_takes_the_largest_and_then_the_floor():
    unit = okx.RiskUnit(mr1=10.0, mr2=30.0, mr3=1.0, mr4=2.0, mr5=3.0, mr6=20.0, mr7=0.0)
    assert unit.maintenance == 36.0
    assert replace(unit, mr7=40.0).maintenance == 40.0


def test_derive_naked_short_call_row_by_row():
    _, _, account = derive_naked_call()
    found = derive.manager(account.holdings[0], case_params())
    assert found.rows[-2:] == pytest.approx([-43.43395259503018] * 2, abs=1e-8)
    published = [-9430.612502045187, -7978.264376240463, -7569.803983748366]
    assert found.rows[17:20] == pytest.approx(published, abs=1e-8)
    tails = [64.71374015229630, 129.38451502479600, -3_058.966961715574, -3_253.209461815327, -3_350.58485781257]
    assert found.rows[23:28] == pytest.approx(tails, abs=1e-8)


def test_derive_liquidation_fraction():
    assert derive.max_liquidation_fraction(1.0, 100.0, 0.98) == 0.0
    assert derive.max_liquidation_fraction(-10.0, -100.0, 0.98) == 1.0


def test_derive_forward_fixes_in_the_last_half_hour():
    surface = Surface(TS + 900, 2_000.0, 0.0, Svi(1e-5, 0.0, 0.0, 0.0, 0.1))
    account = book_of(
        market_of("BTC", 2_000.0, surfaces=(surface,)), Position("BTC", Kind.CALL, TS + 900, 1_000.0, -1.0)
    )
    found = derive.manager(account.holdings[0], shipped_params("derive", derive.DeriveParams).default)
    # Half of the forward is fixed: +18 % moves the call by 180, not 360 (the static discount of a debt is 1 here).
    assert found.rows[0] == pytest.approx(-180.0, abs=0.01)


def test_derive_standard_is_the_rule_of_flat_rates_for_naked_shorts():
    market, folio, _ = load(MARKET, {**PORTFOLIO, "collateral": []})
    lines = {line.margin.model: line.margin for line in compare(market, folio, Params())}
    assert lines["derive-standard"].initial == pytest.approx(lines["flat-rates"].initial)
    assert lines["derive-standard"].maintenance == pytest.approx(lines["flat-rates"].maintenance)
    assert lines["flat-rates"].initial < 0.5 * lines["plimsoll standard"].initial


def test_flat_rates_know_strikes_and_marks_but_neither_range_nor_size():
    market = market_of("ETH", 2_000.0, surfaces=(Surface(EXPIRY, 2_000.0, 0.0, FLAT),))
    params = shipped_params("flat-rates", flat_rates.FlatParams)
    assert flat_rates.short_rates(True, 2_000.0, 2_000.0, 1.0, params.default) == pytest.approx((300.0, 180.0))
    assert flat_rates.short_rates(True, 2_000.0, 2_100.0, 1.0, params.default) == pytest.approx((260.0, 180.0))
    deep = flat_rates.short_rates(False, 2_000.0, 6_000.0, 4_000.0, params.default)
    assert deep == pytest.approx((1.05 * 360.0, 360.0))
    perp = flat_rates.margin(book_of(market, Position("ETH", Kind.PERP, 0, 2_000.0, -1e6)), params)
    assert (perp.initial, perp.maintenance) == pytest.approx((2e8, 1.3e8))
    long = book_of(market, Position("ETH", Kind.CALL, EXPIRY, 2_000.0, 3.0))
    assert flat_rates.margin(long, params).initial == pytest.approx(3.0 * float(long.holdings[0].unit_mark[0]))


def test_derive_standard_takes_the_maximum_loss_of_a_spread():
    market = market_of("ETH", 2_000.0, surfaces=(Surface(EXPIRY, 2_000.0, 0.0, FLAT),))
    spread = (Position("ETH", Kind.PUT, EXPIRY, 1_900.0, -1.0), Position("ETH", Kind.PUT, EXPIRY, 1_850.0, 1.0))
    account = book_of(market, *spread)
    found = derive_standard.margin(account, shipped_params("derive-standard", derive_standard.DeriveStandardParams))
    assert account.market_equity - found.initial == pytest.approx(-50.0)
    naked = book_of(
        market, Position("ETH", Kind.CALL, EXPIRY, 2_000.0, -1.0), Position("ETH", Kind.CALL, EXPIRY, 9e3, 2.0)
    )
    worse = derive_standard.margin(naked, shipped_params("derive-standard", derive_standard.DeriveStandardParams))
    assert worse.initial == pytest.approx(naked.market_equity + 0.15 * 2_000.0 + float(naked.holdings[0].unit_mark[0]))


def test_every_model_scales_with_the_book():
    market, folio, _ = load(MARKET, {**PORTFOLIO, "collateral": []})
    double = replace(folio, positions=tuple(replace(p, quantity=2 * p.quantity) for p in folio.positions))
    for one, two in zip(compare(market, folio, Params()), compare(market, double, Params()), strict=True):
        assert two.margin.maintenance == pytest.approx(2 * one.margin.maintenance)


def test_explicit_volatility_goes_before_the_slice_for_the_others_only(tmp_path):
    document = json.loads(json.dumps(MARKET))
    document["underlyings"]["ETH"]["expiries"][0]["vols"] = [{"strike": 2000.0, "vol": 1.5}]
    plain, folio, _ = load(MARKET, PORTFOLIO)
    explicit, _, _ = load(document, PORTFOLIO)
    for before, after in zip(compare(plain, folio, Params()), compare(explicit, folio, Params()), strict=True):
        same = before.margin.model.startswith("plimsoll")
        assert (before.margin == after.margin and before.market_equity == after.market_equity) == same


@pytest.fixture
def arguments(tmp_path):
    (tmp_path / "M.json").write_text(json.dumps(MARKET))
    (tmp_path / "P.json").write_text(json.dumps(PORTFOLIO))
    return ["compare", "--market", str(tmp_path / "M.json"), "--portfolio", str(tmp_path / "P.json")]


def test_command_gives_every_model(arguments, capsys):
    assert run([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    names = [line["model"] for line in document["models"]]
    assert names == ["plimsoll single", "plimsoll cross", "plimsoll standard", *MODELS]
    assert run(arguments) == 0


def shipped_document(model):
    from importlib.resources import files

    return json.loads(files("plimsoll.analytics.models").joinpath("params", f"{model}.json").read_text())


def test_a_parameter_file_replaces_the_shipped_one(arguments, tmp_path, capsys):
    document = shipped_document("span")
    document["default"]["initialFactor"] = 2.0
    (tmp_path / "S.json").write_text(json.dumps(document))
    assert run([*arguments, "--model-params", str(tmp_path / "S.json"), "--json"]) == 0
    lines = {line["model"]: line for line in json.loads(capsys.readouterr().out)["models"]}
    haircuts = lines["span"]["components"]["haircuts"]
    assert lines["span"]["initialRequirement"] - haircuts == pytest.approx(
        2.0 * (lines["span"]["maintenanceRequirement"] - haircuts)
    )


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["model"], "magic", "'magic' is not one of"),
        (["default", "priceScan"], 0.9, "default.priceScan: 0.9 is outside"),
        (["default", "priceScan"], None, "expected a number, got null"),
        (["default", "typo"], 1.0, "unknown key 'typo'"),
        (["underlyings", "ETH", "priceScan"], -1.0, "underlyings.ETH.priceScan: -1 is outside"),
        (["schema"], "other", "is not 'plimsoll.model-params/1'"),
    ],
)
def test_a_bad_parameter_file_is_one_line(arguments, tmp_path, capsys, path, value, message):
    document = shipped_document("span")
    node = document
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    (tmp_path / "S.json").write_text(json.dumps(document))
    assert run([*arguments, "--model-params", str(tmp_path / "S.json")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err
    assert shown.err.count("\n") == 1


def test_two_files_of_one_model_and_bad_arrays_are_errors(arguments, tmp_path, capsys):
    document = shipped_document("okx")
    (tmp_path / "A.json").write_text(json.dumps(document))
    twice = ["--model-params", str(tmp_path / "A.json")] * 2
    assert run([*arguments, *twice]) == 2
    assert "has two parameter files" in capsys.readouterr().err
    for value, message in (([], "is empty"), ([[1.0]], "1 numbers, 2 are wanted")):
        document["default"]["closeOutTiers"] = value
        (tmp_path / "A.json").write_text(json.dumps(document))
        assert run([*arguments, *twice[:2]]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("vols", "message"),
    [
        ([{"strike": 2000.0, "vol": 0.0}], "vol: 0 is outside"),
        ([{"strike": 2000.0, "vol": 1.0}, {"strike": 2000.0, "vol": 1.1}], "strike: 2000 appears twice"),
        ([{"strike": 2000.0}], "missing key 'vol'"),
    ],
)
def test_bad_explicit_volatilities_are_one_line(arguments, tmp_path, capsys, vols, message):
    document = json.loads(json.dumps(MARKET))
    document["underlyings"]["ETH"]["expiries"][0]["vols"] = vols
    (tmp_path / "M.json").write_text(json.dumps(document))
    assert run(arguments) == 2
    assert message in capsys.readouterr().err


@settings(max_examples=60)
@given(cases())
def test_every_model_is_finite_on_any_valid_account_and_initial_covers_maintenance(case):
    market, folio, params = load(*case)
    for line in compare(market, folio, params):
        assert np.isfinite([line.margin.initial, line.margin.maintenance, *line.margin.components.values()]).all()
        slack = 1e-9 * max(1.0, abs(line.margin.initial))
        assert line.margin.model not in MODELS or line.margin.initial >= line.margin.maintenance - slack


@pytest.mark.parametrize("collateral", [[], [{"token": "WETH", "amount": 2.0}], [{"token": "DAI", "amount": 2e6}]])
def test_an_account_without_positions_needs_what_its_collateral_says(collateral):
    market, folio, _ = load(MARKET, {**PORTFOLIO, "positions": [], "collateral": collateral})
    lines = {line.margin.model: line.margin for line in compare(market, folio, Params())}
    if not collateral:
        assert all(margin.initial == 0.0 for margin in lines.values())
    elif collateral == [{"token": "WETH", "amount": 2.0}]:
        assert lines["okx"].components["mr1"] == pytest.approx(0.12 * 3_800.0)
        assert lines["span"].maintenance == pytest.approx(0.2 * 3_800.0)
        assert lines["derive"].components["worst"] > 0.0
    else:
        assert lines["okx"].components["mr9"] == pytest.approx(7_500.0 + 17_500.0)
