"""Explanations add up, treat equal legs equally and give nothing to what changes nothing."""

from dataclasses import replace
from itertools import permutations

import pytest
from helpers.documents import cases, load
from hypothesis import given, settings

from plimsoll.front import explain as module
from plimsoll.front.legs import call, perp, put
from plimsoll.front.margin import margin
from plimsoll.model import Market, Mode, Portfolio, Round, Surface, Svi, Token
from plimsoll.params import AccountParams, Params

TS = 1_770_326_940
SURFACE = Surface(1_774_598_400, 2_000.0, 0.03, Svi(0.02, 0.05, -0.2, 0.0, 0.2))


def market(confidence=1.0, peg=1.0):
    rounds = {
        "ETH": Round("ETH", TS, 2_000.0, 2_000.0, confidence, (SURFACE,)),
        "BTC": Round("BTC", TS, 60_000.0, 60_000.0, 1.0, (replace(SURFACE, forward=60_000.0),)),
    }
    return Market(TS, {"USDC": Token("USDC", peg, 0.0)}, rounds)


def totals(found):
    explained = found.explain()
    return [sum(share.amount for share in shares) for shares in (explained.terms, explained.legs)]


@settings(max_examples=60)
@given(cases())
def test_explain__any_account__terms_and_legs_add_up(case):
    files = load(*case)
    found = margin(*files)
    slack = 1e-9 * (found.initial + found.result.gross_notional + abs(files[1].cash)) + 1e-12
    for total in totals(found):
        assert total == pytest.approx(found.initial, abs=slack)


@pytest.mark.parametrize("mode", list(Mode))
def test_explain__peg_confidence_debt_and_factor__have_lines_of_their_own(mode):
    folio = Portfolio(mode, -50_000.0, {}, (put("ETH", SURFACE.expiry_ts, 1_800, -10), perp("BTC", 60_000, 1)))
    params = Params(AccountParams(im_factor=1.25))
    found = margin(market(confidence=0.5, peg=0.9), folio, params)
    terms = {share.name: share.amount for share in found.explain().terms}
    # Section 5 by hand, from the requirement R and the debt charge D.
    required = found.maintenance / params.account.mm_factor
    assert terms["initial factor"] == pytest.approx(0.25 * required)
    slope, threshold = params.account.peg_slope, params.account.peg_threshold
    assert terms["peg of the cash token"] == pytest.approx(1.25 * required * slope * (threshold - 0.9))
    assert terms["debt"] == pytest.approx(50_000.0 * params.account.debt_rate)
    assert terms["confidence of the rounds"] > 0.0
    assert totals(found) == pytest.approx([found.initial] * 2)


def test_explain__few_legs__are_the_mean_over_every_order():
    legs = (put("ETH", SURFACE.expiry_ts, 1_800, -10), put("ETH", SURFACE.expiry_ts, 1_600, 10), perp("ETH", 2_000, -4))
    there, empty = market(), Portfolio(Mode.SINGLE, 0.0)
    expected = dict.fromkeys(legs, 0.0)
    for order in permutations(legs):
        before = 0.0
        for count in range(1, 4):
            after = margin(there, replace(empty, positions=order[:count])).initial
            expected[order[count - 1]] += (after - before) / 6
            before = after
    found = margin(there, replace(empty, positions=legs)).explain()
    assert found.is_exact
    assert [share.amount for share in found.legs] == pytest.approx([expected[leg] for leg in legs])
    assert found.legs[1].amount < 0.0 < found.legs[0].amount


def test_explain__many_legs__add_up_and_repeat():
    legs = tuple(call("ETH", SURFACE.expiry_ts, 1_500 + 100 * n, (-1) ** n * (n + 1)) for n in range(12))
    found = margin(market(), Portfolio(Mode.SINGLE, 0.0, {}, legs))
    explained = found.explain()
    assert not explained.is_exact
    assert len(explained.legs) == 12
    assert totals(found) == pytest.approx([found.initial] * 2)
    assert explained == found.explain()


def test_explain__sampled_shares__are_near_the_exact_ones(monkeypatch):
    legs = tuple(put("ETH", SURFACE.expiry_ts, 1_500 + 100 * n, (-1) ** n * (n + 1)) for n in range(7))
    found = margin(market(), Portfolio(Mode.SINGLE, 0.0, {}, legs))
    exact = found.explain()
    monkeypatch.setattr(module, "EXACT_LEGS", 0)
    sampled = found.explain()
    assert exact.is_exact
    assert not sampled.is_exact
    for one, other in zip(exact.legs, sampled.legs, strict=True):
        assert one.amount == pytest.approx(other.amount, abs=0.1 * found.initial)


def test_explain__printed__names_every_share():
    found = margin(market(), Portfolio(Mode.SINGLE, 0.0, {}, (put("ETH", SURFACE.expiry_ts, 1_800, -10),)))
    text = str(found.explain())
    assert "-10 ETH put 2026-03-27T08:00Z 1800" in text
    assert "ETH worst node of the book" in text
    assert all(len(line) <= 80 for line in text.splitlines())
