"""Equity, requirement and state of accounts; mirror of contracts/margin/MarginEngine.sol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from offchain.errors import DomainError
from offchain.mirror.risk_engine import Instrument, UnderlyingRisk, expiries_of, risk_of
from offchain.mirror.scenario_book import VOL_NAMES, Book, scenario_book
from offchain.mirror.standard import StandardMargin, standard_of
from offchain.model import Kind, Market, Mode, Portfolio, Position
from offchain.params import AccountParams, Params

Vector = npt.NDArray[np.float64]

HEALTHY, MARGIN_CALL, LIQUIDATABLE, INSOLVENT = "healthy", "margin call", "liquidatable", "insolvent"


@dataclass(frozen=True, slots=True)
class RowPnl:
    """One scenario row and the account's weighted P&L under it, cash."""

    price: float
    vol: str
    skew: float
    weight: float
    pnl: float


@dataclass(frozen=True, slots=True)
class ExpiryGreeks:
    """Greeks of what expires together; ``expiry_ts`` 0 holds perpetuals and linked collateral."""

    expiry_ts: int
    delta: float
    gamma: float
    vega: float
    theta: float


@dataclass(frozen=True, slots=True)
class UnderlyingMargin:
    """Components of one underlying, cash; greeks summed over the portfolio, and per expiry that the account holds.

    The first entry of ``expiries`` is 0; the document of ``to_json`` is fixed and leaves them out.
    """

    scan: float
    certified_scan: float
    basis: float
    vega_term: float
    short_min: float
    concentration: float
    requirement: float
    worst_row: int
    rows: tuple[RowPnl, ...]
    delta: float
    gamma: float
    vega: float
    theta: float
    expiries: tuple[ExpiryGreeks, ...]

    def to_json(self) -> dict[str, object]:
        """Entry of ``underlyings`` in the plimsoll.margin/1 document."""
        return {
            "scan": self.scan,
            "certifiedScan": self.certified_scan,
            "basis": self.basis,
            "vegaTerm": self.vega_term,
            "shortMin": self.short_min,
            "concentration": self.concentration,
            "requirement": self.requirement,
            "worstRow": self.worst_row,
            "rows": [
                {"price": r.price, "vol": r.vol, "skew": r.skew, "weight": r.weight, "pnl": r.pnl} for r in self.rows
            ],
            "greeks": {"delta": self.delta, "gamma": self.gamma, "vega": self.vega, "theta": self.theta},
        }


@dataclass(frozen=True, slots=True)
class MarginResult:
    """One account's margin; money in cash, requirements unsigned, equity signed."""

    engine: str
    state: str
    equity: float
    market_equity: float
    mark_to_market: float
    initial_margin: float
    maintenance_margin: float
    gross_notional: float
    underlyings: Mapping[str, UnderlyingMargin]

    def to_json(self) -> dict[str, object]:
        """Build the plimsoll.margin/1 document."""
        return {
            "schema": "plimsoll.margin/1",
            "engine": self.engine,
            "state": self.state,
            "equity": self.equity,
            "marketEquity": self.market_equity,
            "markToMarket": self.mark_to_market,
            "initialMargin": self.initial_margin,
            "maintenanceMargin": self.maintenance_margin,
            "excessInitial": self.equity - self.initial_margin,
            "excessMaintenance": self.equity - self.maintenance_margin,
            "underlyings": {name: u.to_json() for name, u in self.underlyings.items()},
        }


@dataclass(frozen=True, slots=True)
class _Slice:
    """All accounts in one underlying."""

    risk: UnderlyingRisk
    standard: StandardMargin
    book: Book
    confidence: float
    expiries: list[int]


def state_of(equity: float, market_equity: float, initial: float, maintenance: float) -> str:
    """State of an account (risk-model section 6); insolvency goes before all others."""
    if market_equity < 0.0:
        return INSOLVENT
    if equity < maintenance:
        return LIQUIDATABLE
    return MARGIN_CALL if equity < initial else HEALTHY


def cross_requirement(requirements: Vector, worst_moves: Vector, params: AccountParams) -> float:
    """``max(sqrt(sum rho_uv R_u R_v), stressShare*sum R_u)`` of one account.

    Parameters
    ----------
    requirements, worst_moves : ndarray, shape (n_underlyings,)
        ``R_u`` and the price move of the worst row of each underlying.
    params : AccountParams

    Returns
    -------
    float
        Cash; never below ``stressShare`` of the plain sum.
    """
    same = worst_moves[:, None] * worst_moves[None, :] >= 0.0
    rho = np.where(same, params.rho_high, -params.rho_low)
    np.fill_diagonal(rho, 1.0)
    quadratic = float(requirements @ rho @ requirements)
    return max(float(np.sqrt(max(quadratic, 0.0))), params.stress_share * float(requirements.sum()))


def _identity(position: Position) -> Instrument:
    linear = position.kind in (Kind.FUTURE, Kind.PERP)
    return Instrument(position.kind, position.expiry_ts, 0.0 if linear else position.price)


def _linked_units(market: Market, portfolios: Sequence[Portfolio], name: str) -> Vector:
    tokens = [token for token in market.tokens.values() if token.linked == name]
    return np.array([sum(p.collateral.get(t.symbol, 0.0) * t.ratio for t in tokens) for p in portfolios])


def _slice(market: Market, portfolios: Sequence[Portfolio], name: str, params: Params) -> _Slice:
    """Evaluate every account in one underlying."""
    held = sorted({_identity(p) for folio in portfolios for p in folio.positions if p.underlying == name})
    column = {instrument: i for i, instrument in enumerate(held)}
    quantity = np.zeros((len(portfolios), len(held)))
    entry = np.zeros_like(quantity)
    for row, folio in enumerate(portfolios):
        for position in folio.positions:
            if position.underlying == name:
                i = column[_identity(position)]
                quantity[row, i] = position.quantity
                entry[row, i] = position.price
    own = params.for_underlying(name)
    book = scenario_book(params.book, own.price_range)
    round_ = market.rounds[name]
    risk, unit = risk_of(round_, held, quantity, entry, _linked_units(market, portfolios, name), own, book)
    standard = standard_of(round_.spot, held, quantity, entry, unit)
    return _Slice(risk, standard, book, round_.confidence, expiries_of(held))


def _conf_charge(part: _Slice, account: int, params: AccountParams) -> float:
    if part.confidence >= params.conf_threshold:
        return 0.0
    return (1.0 - part.confidence) * params.conf_rate * float(part.risk.gross_notional[account])


def _collateral_value(market: Market, folio: Portfolio, haircuts: bool) -> float:
    total = 0.0
    for symbol, amount in folio.collateral.items():
        token = market.tokens[symbol]
        netted = token.linked is not None and folio.mode != Mode.STANDARD
        haircut = (token.linked_haircut if netted else token.haircut) if haircuts else 0.0
        total += amount * token.price * (1.0 - haircut)
    return total


def _requirements(parts: Mapping[str, _Slice], i: int, mode: Mode, params: AccountParams) -> tuple[float, float]:
    """Return initial and maintenance margin before the peg and confidence charges."""
    if mode == Mode.STANDARD:
        return (
            sum(float(part.standard.initial[i]) for part in parts.values()),
            sum(float(part.standard.maintenance[i]) for part in parts.values()),
        )
    required = np.array([part.risk.requirement[i] for part in parts.values()])
    if mode == Mode.CROSS:
        moves = np.array([part.book.rows[int(part.risk.worst_row[i])].price for part in parts.values()])
        total = cross_requirement(required, moves, params)
    else:
        total = float(required.sum())
    return params.im_factor * total, params.mm_factor * total


def _expiry_greeks(part: _Slice, i: int, listed: set[int]) -> tuple[ExpiryGreeks, ...]:
    rows = zip(part.expiries, part.risk.by_expiry[i], strict=True)
    return tuple(ExpiryGreeks(expiry, *map(float, greeks)) for expiry, greeks in rows if expiry in listed)


def _underlying_margin(part: _Slice, i: int, listed: set[int]) -> UnderlyingMargin:
    risk = part.risk
    rows = tuple(
        RowPnl(row.price, VOL_NAMES[row.vol], row.skew, row.weight, float(pnl))
        for row, pnl in zip(part.book.rows, risk.row_pnl[i], strict=True)
    )
    return UnderlyingMargin(
        scan=float(risk.scan[i]),
        certified_scan=float(risk.certified_scan[i]),
        basis=float(risk.basis[i]),
        vega_term=float(risk.vega_term[i]),
        short_min=float(risk.short_min[i]),
        concentration=float(risk.concentration[i]),
        requirement=float(risk.requirement[i]),
        worst_row=int(risk.worst_row[i]),
        rows=rows,
        delta=float(risk.delta[i]),
        gamma=float(risk.gamma[i]),
        vega=float(risk.vega[i]),
        theta=float(risk.theta[i]),
        expiries=_expiry_greeks(part, i, listed),
    )


def _listed(folio: Portfolio, name: str) -> set[int]:
    return {0, *(position.expiry_ts for position in folio.positions if position.underlying == name)}


def _account(market: Market, folio: Portfolio, i: int, parts: Mapping[str, _Slice], params: Params) -> MarginResult:
    standard = folio.mode == Mode.STANDARD
    mark = sum(float(part.risk.mark_to_market[i]) for part in parts.values())
    counted = sum(float(part.standard.equity_value[i]) for part in parts.values()) if standard else mark
    initial, maintenance = _requirements(parts, i, folio.mode, params.account)
    peg = 1.0 + params.account.peg_slope * max(0.0, params.account.peg_threshold - market.usdc_price)
    initial = initial * peg + sum(_conf_charge(part, i, params.account) for part in parts.values())
    equity = folio.cash + counted + _collateral_value(market, folio, haircuts=True)
    market_equity = folio.cash + mark + _collateral_value(market, folio, haircuts=False)
    return MarginResult(
        engine="float",
        state=state_of(equity, market_equity, initial, maintenance),
        equity=equity,
        market_equity=market_equity,
        mark_to_market=mark,
        initial_margin=initial,
        maintenance_margin=maintenance,
        gross_notional=sum(float(part.risk.gross_notional[i]) for part in parts.values()),
        underlyings={name: _underlying_margin(part, i, _listed(folio, name)) for name, part in parts.items()},
    )


def _check_finite(underlying: str, risk: UnderlyingRisk) -> None:
    for item in fields(risk):
        bad = ~np.isfinite(getattr(risk, item.name)).reshape(len(risk.scan), -1).all(axis=1)
        if bad.any():
            raise DomainError(f"portfolio {int(bad.argmax())}", f"{underlying}: {item.name} is too large for a float")


def evaluate_many(market: Market, portfolios: Sequence[Portfolio], params: Params) -> list[MarginResult]:
    """Margin of many accounts at one market; each distinct instrument is priced once.

    Parameters
    ----------
    market : Market
        Rounds and token prices; every underlying and token held must be in it.
    portfolios : sequence of Portfolio
    params : Params

    Returns
    -------
    list of MarginResult
        In the order of ``portfolios``.

    Raises
    ------
    DomainError
        If an expiry is not in its round, or a result is not finite.

    Notes
    -----
    Against 50-digit arithmetic the error is within 1e-11 of gross notional.

    References
    ----------
    .. [1] contracts/margin/MarginEngine.sol, ``evaluateDetailed``.
    """
    # An overflow is found in the results, by name; numpy's warning would only repeat it.
    with np.errstate(all="ignore"):
        parts = {name: _slice(market, portfolios, name, params) for name in market.rounds}
        for name, part in parts.items():
            _check_finite(name, part.risk)
        results = [_account(market, folio, i, parts, params) for i, folio in enumerate(portfolios)]
    for i, result in enumerate(results):
        if not np.isfinite([result.equity, result.initial_margin, result.maintenance_margin]).all():
            raise DomainError(f"portfolio {i}", "the margin is too large for a float")
    return results


def evaluate(market: Market, portfolio: Portfolio, params: Params) -> MarginResult:
    """Margin of one account; see ``evaluate_many``."""
    return evaluate_many(market, [portfolio], params)[0]
