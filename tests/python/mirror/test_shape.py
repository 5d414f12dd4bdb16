"""What must hold for any numbers: shapes of prices, of the requirement, and the promise of the certified scan."""

import math
from dataclasses import replace

import numpy as np
import pytest
from helpers.documents import DAY, TS, cases, load
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.mirror import black76
from plimsoll.mirror.margin_engine import evaluate, evaluate_many
from plimsoll.mirror.settlement_window import window_of
from plimsoll.mirror.svi import volatility
from plimsoll.mirror.vol_shock import shocked_volatility
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
from plimsoll.params import Params

VOLS = ("up", "flat", "down")
#: Charges that are not of degree one, switched off.
LINEAR_ONLY = Params(overrides_all={"conc_rate": 0.0, "conc_vega_rate": 0.0})


def flat_market(forward=2_000.0, sigma=0.6, days=0.4):
    """One expiry with the same volatility at every strike."""
    seconds = round(days * DAY)
    svi = Svi(a=sigma**2 * seconds / (365 * DAY), b=0.0, rho=0.0, m=0.0, sigma=0.1)
    surface = Surface(TS + seconds, forward, 0.0, svi)
    round_ = Round("ETH", TS, forward, forward, 1.0, (surface,))
    return Market(TS, {"USDC": Token("USDC", 1.0, 0.0)}, {"ETH": round_})


def option_pnl(shape, surface, window, state, moves, own):
    """P&L of one unit of an option (call, strike, discount) for any moves under one vol state."""
    is_call, strike, discount = (np.array([x]) for x in shape)
    sigma = volatility(surface.svi, np.log(strike / surface.forward), window.variance_time)
    shocked = shocked_volatility(sigma, state, window.time, own)
    root = math.sqrt(window.variance_time)
    value, _ = black76.price_and_delta(is_call, surface.forward * (1.0 + moves), strike, shocked * root, discount)
    base, _ = black76.price_and_delta(is_call, np.array([surface.forward]), strike, sigma * root, discount)
    return value - base


def dense_loss(market, portfolio, name, params, points=401):
    """Worst loss on a dense grid of prices inside the range, for each vol state; by pricing every point."""
    own, round_ = params.for_underlying(name), market.rounds[name]
    grid = params.book_of(name).grid_moves
    moves = np.linspace(grid[0] * own.price_range, grid[-1] * own.price_range, points)
    linked = sum(
        amount * market.tokens[symbol].ratio
        for symbol, amount in portfolio.collateral.items()
        if market.tokens[symbol].linked == name
    )
    losses = {}
    for state, vol in enumerate(VOLS):
        pnl = linked * round_.spot * moves
        for p in portfolio.positions:
            if p.underlying != name:
                continue
            if p.kind is Kind.PERP:
                pnl = pnl + p.quantity * round_.perp * moves
                continue
            (surface,) = [s for s in round_.surfaces if s.expiry_ts == p.expiry_ts]
            window = window_of(round_, surface.expiry_ts)
            discount = math.exp(-surface.rate * window.time)
            quantity, strike = p.quantity * window.open, p.price - window.known * window.mean
            if p.kind is Kind.FUTURE or (p.kind is Kind.CALL and window.open > 0.0 and strike <= 0.0):
                pnl = pnl + quantity * discount * surface.forward * moves
            elif window.open > 0.0 and strike > 0.0:
                shape = (p.kind is Kind.CALL, strike / window.open, discount)
                pnl = pnl + quantity * option_pnl(shape, surface, window, state, moves, own)
        losses[vol] = float(-pnl.min())
    return losses


def butterflies(market, quantity, strikes):
    expiry = market.rounds["ETH"].surfaces[0].expiry_ts
    sizes = (-quantity, 2 * quantity, -quantity)
    legs = tuple(Position("ETH", Kind.CALL, expiry, k, q) for k, q in zip(strikes, sizes, strict=True))
    return Portfolio(Mode.SINGLE, 0.0, {}, legs)


@settings(max_examples=300)
@given(
    centre=st.floats(1_650.0, 2_350.0), width=st.floats(5.0, 120.0), days=st.floats(0.03, 60.0),
    sigma=st.floats(0.1, 2.0), quantity=st.sampled_from([-10.0, 10.0]),
)  # fmt: skip
def test_certified_scan__adversarial_butterflies__covers_every_price(centre, width, days, sigma, quantity):
    market, params = flat_market(sigma=sigma, days=days), Params()
    folio = butterflies(market, quantity, (centre - width, centre, centre + width))
    part = evaluate(market, folio, params).underlyings["ETH"]
    losses = dense_loss(market, folio, "ETH", params)
    assert part.certified_scan >= max(losses.values()) - 1e-9 * 4_000


@settings(max_examples=200)
@given(cases(max_positions=8))
def test_certified_scan__random_portfolios__covers_every_price_and_is_not_below_scan(case):
    market, folio, params = load(*case)
    result = evaluate(market, folio, params)
    for name, part in result.underlyings.items():
        assert part.certified_scan >= part.scan >= 0.0
        losses = dense_loss(market, folio, name, params, 161)
        covered = [losses[vol] for vol in params.book.grid_vols]
        slack = 1e-11 * (1.0 + result.gross_notional) + 1e-14 * part.certified_scan
        assert part.certified_scan >= max(covered) - slack - 1e-9


@given(st.floats(100.0, 1e5), st.floats(0.01, 3.0), st.floats(0.0, 2.0), st.floats(0.5, 1.0))
def test_price__in_the_strike__monotone_convex_and_at_parity(forward, std, skew, discount):
    strike = forward * np.exp(np.linspace(-2.0, 2.0, 101) + 0.1 * skew)
    wide = [np.full_like(strike, x) for x in (forward, std, discount)]
    call, call_delta = black76.price_and_delta(np.ones(101, dtype=bool), wide[0], strike, wide[1], wide[2])
    put, put_delta = black76.price_and_delta(np.zeros(101, dtype=bool), wide[0], strike, wide[1], wide[2])
    slack = 1e-12 * strike.max()
    np.testing.assert_allclose(call - put, discount * (forward - strike), rtol=0, atol=slack)
    np.testing.assert_allclose(call_delta - put_delta, discount, rtol=0, atol=1e-14)
    assert (np.diff(call) <= slack).all()
    assert (np.diff(put) >= -slack).all()
    assert (np.diff(np.diff(call) / np.diff(strike)) >= -1e-11).all()
    assert (call >= np.maximum(discount * (forward - strike), 0.0) - slack).all()
    assert (call <= discount * forward + slack).all()


def scaled(folio, factor):
    positions = tuple(replace(p, quantity=p.quantity * factor) for p in folio.positions)
    collateral = {k: v * factor for k, v in folio.collateral.items()}
    return replace(folio, positions=positions, collateral=collateral, cash=folio.cash * factor)


@settings(max_examples=150)
@given(cases(), st.floats(0.01, 100.0))
def test_requirement__without_concentration__is_homogeneous_of_degree_one(case, factor):
    market, folio, _ = load(*case)
    one, many = (evaluate(market, f, LINEAR_ONLY) for f in (folio, scaled(folio, factor)))
    slack = 1e-11 * (factor + 1.0) * (one.gross_notional + 1e4 * sum(folio.collateral.values()) * 64_000.0)
    slack += 1e-14 * factor * one.initial_margin
    assert abs(many.initial_margin - factor * one.initial_margin) <= slack
    assert abs(many.maintenance_margin - factor * one.maintenance_margin) <= slack


@settings(max_examples=150)
@given(cases())
def test_modes__same_account__cross_lies_between_its_floor_and_single(case):
    market, folio, params = load(*case)
    # The joint requirement takes the largest rate of the vega term: with one rate for all it never needs more.
    params = replace(params, overrides_all={**params.overrides_all, "vega_term_rate": 0.6}, overrides={})
    single, cross = (evaluate(market, replace(folio, mode=m), params) for m in (Mode.SINGLE, Mode.CROSS))
    slack = 1e-12 * (1.0 + single.initial_margin)
    account = params.account
    whole = [
        max(u.certified_scan + u.basis + u.vega_term + u.skew_term, u.short_min) + u.concentration
        for u in single.underlyings.values()
    ]
    assert cross.maintenance_margin <= single.maintenance_margin + slack
    floor = account.mm_factor * (account.stress_share * sum(whole) + single.debt_charge)
    assert cross.maintenance_margin >= floor - slack
    assert single.initial_margin >= single.maintenance_margin - slack


@pytest.mark.parametrize("count", [1, 7])
def test_evaluate_many__any_company__each_account_as_if_alone(count):
    market = flat_market(days=20)
    folios = [butterflies(market, 1.0 + i, (1_705.0 + 40 * i, 1_900.0, 2_300.0)) for i in range(count)]
    folios.append(Portfolio(Mode.STANDARD, 5.0))
    for folio, together in zip(folios, evaluate_many(market, folios, Params()), strict=True):
        alone = evaluate(market, folio, Params())
        assert together.state == alone.state
        assert together.initial_margin == pytest.approx(alone.initial_margin, rel=1e-13)
        assert together.equity == pytest.approx(alone.equity, rel=1e-12, abs=1e-9)
