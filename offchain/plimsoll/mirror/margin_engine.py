"""Equity, requirement and state of accounts; mirror of contracts/margin/MarginEngine.sol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from plimsoll.errors import DomainError
from plimsoll.mirror.cross import cross_requirement
from plimsoll.mirror.exposure import Exposure, Holdings, expiries_of, holdings_of
from plimsoll.mirror.liquidity import account_bends, account_gammas, worst_share
from plimsoll.mirror.risk_engine import UnderlyingRisk, risk_of
from plimsoll.mirror.scenario_book import scenario_book
from plimsoll.mirror.standard import standard_requirement, standard_value
from plimsoll.model import Market, Mode, Portfolio, Token
from plimsoll.params import VOL_NAMES, AccountParams, Params

Vector = npt.NDArray[np.float64]

HEALTHY, MARGIN_CALL, LIQUIDATABLE, INSOLVENT = "healthy", "margin call", "liquidatable", "insolvent"
#: From the best to the worst.
STATES = (HEALTHY, MARGIN_CALL, LIQUIDATABLE, INSOLVENT)


@dataclass(frozen=True, slots=True)
class RowPnl:
    """One scenario row and the account's weighted P&L under it, cash; that of a skew row, of weight 0, is plain."""

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

    Components are those of all positions together, in every mode; ``requirement`` is the largest over cut-offs and
    ``cutoff`` the expiry of that cut-off, 0 when nothing has faded.
    The first entry of ``expiries`` is 0; the document of ``to_json`` is fixed and leaves them out.
    """

    scan: float
    certified_scan: float
    basis: float
    vega_term: float
    skew_term: float
    short_min: float
    concentration: float
    requirement: float
    cutoff: int
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
            "skewTerm": self.skew_term,
            "shortMin": self.short_min,
            "concentration": self.concentration,
            "requirement": self.requirement,
            "cutoff": self.cutoff,
            "worstRow": self.worst_row,
            "rows": [
                {"price": r.price, "vol": r.vol, "skew": r.skew, "weight": r.weight, "pnl": r.pnl} for r in self.rows
            ],
            "greeks": {"delta": self.delta, "gamma": self.gamma, "vega": self.vega, "theta": self.theta},
        }


@dataclass(frozen=True, slots=True)
class MarginResult:
    """One account's margin; money in cash, requirements unsigned, equity signed.

    ``debt_charge`` is what the requirement holds for cash that is owed, before the factors; ``guaranteed`` what
    guarantee lines have added to ``equity``, of which ``market_equity`` has nothing.
    """

    engine: str
    state: str
    equity: float
    market_equity: float
    mark_to_market: float
    initial_margin: float
    maintenance_margin: float
    debt_charge: float
    gross_notional: float
    underlyings: Mapping[str, UnderlyingMargin]
    guaranteed: float = 0.0

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
            "debtCharge": self.debt_charge,
            "guaranteed": self.guaranteed,
            "excessInitial": self.equity - self.initial_margin,
            "excessMaintenance": self.equity - self.maintenance_margin,
            "underlyings": {name: u.to_json() for name, u in self.underlyings.items()},
        }


@dataclass(frozen=True, slots=True)
class _Slice:
    """All accounts in one underlying; ``standard`` is what positions need one by one, 0 in other modes."""

    held: Holdings
    risk: UnderlyingRisk
    exposure: Exposure
    touched: npt.NDArray[np.bool_]
    standard: Vector
    standard_value: Vector
    confidence: float


def state_of(equity: float, market_equity: float, initial: float, maintenance: float) -> str:
    """State of an account (risk-model section 6); insolvency goes before all others."""
    if market_equity < 0.0:
        return INSOLVENT
    if equity < maintenance:
        return LIQUIDATABLE
    return MARGIN_CALL if equity < initial else HEALTHY


def filled_up(equity: float, initial: float, credit: float) -> float:
    """Return what guarantee lines add to equity: what it lacks of the initial margin, at most their credit.

    Parameters
    ----------
    equity, initial : float
        Of the account by itself, cash.
    credit : float
        What its lines can add, cash.

    Returns
    -------
    float
        At least 0.

    References
    ----------
    .. [1] contracts/libraries/MarginMath.sol, ``fillUp``.
    """
    return min(credit, max(0.0, initial - equity))


def check_held(market: Market, portfolios: Sequence[Portfolio]) -> None:
    """Refuse what has no round or no terms."""
    for number, folio in enumerate(portfolios):
        for position in folio.positions:
            if position.underlying not in market.rounds:
                raise DomainError(f"portfolio {number}", f"{position.underlying!r} is not an underlying of the market")
        for symbol in folio.collateral:
            if symbol not in market.tokens:
                raise DomainError(f"portfolio {number}", f"{symbol!r} is not a token of the market")


def linked_units(market: Market, portfolios: Sequence[Portfolio], name: str) -> Vector:
    """Add up the collateral of every account that is linked to an underlying, units of it, shape (n_acct,)."""
    spot = market.rounds[name].spot
    units = {token.symbol: token.units_at(spot) for token in market.tokens.values() if token.linked == name}
    return np.array([sum(p.collateral.get(s, 0.0) * n for s, n in units.items()) for p in portfolios], dtype=float)


def _holdings(market: Market, portfolios: Sequence[Portfolio], name: str, params: Params) -> Holdings:
    """Collect the positions of every account in one underlying."""
    instruments = sorted({p.instrument for folio in portfolios for p in folio.positions if p.underlying == name})
    column = {instrument: i for i, instrument in enumerate(instruments)}
    quantity = np.zeros((len(portfolios), len(instruments)))
    entry = np.zeros_like(quantity)
    for row, folio in enumerate(portfolios):
        for position in folio.positions:
            if position.underlying == name:
                i = column[position.instrument]
                quantity[row, i] = position.quantity
                entry[row, i] = position.price
    own = params.for_underlying(name)
    book = scenario_book(params.book_of(name), own.price_range)
    linked = linked_units(market, portfolios, name)
    bends = account_bends(market, portfolios, name, market.rounds[name].spot, book)
    gamma = account_gammas(market, portfolios, name)
    return holdings_of(market.rounds[name], instruments, quantity, entry, linked, own, book, bends, gamma)


def _slice(market: Market, portfolios: Sequence[Portfolio], name: str, params: Params) -> _Slice:
    """Evaluate every account in one underlying."""
    held = _holdings(market, portfolios, name, params)
    risk, exposure = risk_of(held)
    standard = np.zeros(len(portfolios))
    alone = np.array([i for i, folio in enumerate(portfolios) if folio.mode == Mode.STANDARD], dtype=np.int64)
    if alone.size:
        standard[alone] = standard_requirement(held.of(alone))
    return _Slice(
        held=held,
        risk=risk,
        exposure=exposure,
        touched=(held.quantity != 0.0).any(axis=1) | (held.linked_units != 0.0) | held.bends.any(axis=1),
        standard=standard,
        standard_value=standard_value(held),
        confidence=market.rounds[name].confidence,
    )


def _totals(parts: Mapping[str, _Slice], portfolios: Sequence[Portfolio], stress_share: float) -> Vector:
    """Add up the requirement of every account in its mode, before the debt charge."""
    single = sum((part.risk.requirement for part in parts.values()), np.zeros(len(portfolios)))
    standard = sum((part.standard for part in parts.values()), np.zeros(len(portfolios)))
    modes = np.array([folio.mode for folio in portfolios], dtype=np.int64)
    total = np.where(modes == Mode.STANDARD, standard, single)
    crossed = np.flatnonzero(modes == Mode.CROSS)
    if crossed.size:
        exposures = [part.exposure.of(crossed) for part in parts.values()]
        touched = np.array([part.touched[crossed] for part in parts.values()])
        total[crossed] = cross_requirement(exposures, touched, stress_share)
    return total


def peg_factor(market: Market, params: AccountParams) -> float:
    """Factor by which initial margin rises while the cash token is below its peg."""
    return 1.0 + params.peg_slope * max(0.0, params.peg_threshold - market.usdc_price)


def conf_rate(confidence: float, params: AccountParams) -> float:
    """Charge for a doubtful round, as a share of gross notional."""
    return 0.0 if confidence >= params.conf_threshold else (1.0 - confidence) * params.conf_rate


def haircut_of(token: Token, mode: Mode, params: Params, spot: float) -> float:
    """Return the share of a token's price that does not count as equity.

    The price risk of a linked token is in the scan, but for STANDARD, which leaves it out of the scan and takes a
    whole price range off instead; off liquidity of a range the most that it loses alone.

    Parameters
    ----------
    token : Token
    mode : Mode
        Of the account that holds it.
    params : Params
        Ranges of the underlyings.
    spot : float
        Of the underlying it is linked to; of no other token it is read.

    Returns
    -------
    float
        Within [0, 1].
    """
    if token.linked is None:
        return token.haircut
    if mode != Mode.STANDARD:
        return token.linked_haircut
    fall = params.for_underlying(token.linked).price_range
    if token.span is not None:
        fall = worst_share(token.span, spot, scenario_book(params.book_of(token.linked), fall))
    return min(1.0, max(token.haircut, token.linked_haircut + fall))


def _collateral_value(market: Market, folio: Portfolio, params: Params) -> tuple[float, float]:
    """Value of the collateral after haircuts, and before."""
    counted = whole = 0.0
    for symbol, amount in folio.collateral.items():
        token, worth = market.tokens[symbol], amount * market.price_of(symbol)
        whole += worth
        counted += worth * (1.0 - haircut_of(token, folio.mode, params, market.spot_of(token)))
    return counted, whole


def _expiry_greeks(part: _Slice, i: int, listed: set[int]) -> tuple[ExpiryGreeks, ...]:
    rows = zip(expiries_of(part.held.instruments), part.risk.by_expiry[i], strict=True)
    return tuple(ExpiryGreeks(expiry, *map(float, greeks)) for expiry, greeks in rows if expiry in listed)


def _underlying_margin(part: _Slice, i: int, listed: set[int]) -> UnderlyingMargin:
    risk = part.risk
    rows = tuple(
        RowPnl(row.price, VOL_NAMES[row.vol], row.skew, row.weight, float(pnl))
        for row, pnl in zip(part.held.book.rows, risk.row_pnl[i], strict=True)
    )
    return UnderlyingMargin(
        scan=float(risk.scan[i]),
        certified_scan=float(risk.certified_scan[i]),
        basis=float(risk.basis[i]),
        vega_term=float(risk.vega_term[i]),
        skew_term=float(risk.skew_term[i]),
        short_min=float(risk.short_min[i]),
        concentration=float(risk.concentration[i]),
        requirement=float(risk.requirement[i]),
        cutoff=int(risk.cutoff[i]),
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


def _account(
    market: Market, folio: Portfolio, i: int, parts: Mapping[str, _Slice], required: float, params: Params
) -> MarginResult:
    """Put one account together; ``required`` is the requirement in its mode, before the debt charge."""
    account = params.account
    mark = sum(float(part.risk.mark_to_market[i]) for part in parts.values())
    alone = sum(float(part.standard_value[i]) for part in parts.values())
    counted = alone if folio.mode == Mode.STANDARD else mark
    debt_charge = max(0.0, -folio.cash) * account.debt_rate
    doubt = sum(conf_rate(part.confidence, account) * float(part.risk.gross_notional[i]) for part in parts.values())
    initial = account.im_factor * (required + debt_charge) * peg_factor(market, account) + doubt
    maintenance = account.mm_factor * (required + debt_charge)
    cut, whole = _collateral_value(market, folio, params)
    equity, market_equity = folio.cash + counted + cut, folio.cash + mark + whole
    added = filled_up(equity, initial, folio.credit)
    return MarginResult(
        engine="float",
        state=state_of(equity + added, market_equity + added, initial, maintenance),
        equity=equity + added,
        market_equity=market_equity,
        mark_to_market=mark,
        initial_margin=initial,
        maintenance_margin=maintenance,
        debt_charge=debt_charge,
        gross_notional=sum(float(part.risk.gross_notional[i]) for part in parts.values()),
        underlyings={name: _underlying_margin(part, i, _listed(folio, name)) for name, part in parts.items()},
        guaranteed=added,
    )


def required_alone(market: Market, portfolio: Portfolio, params: Params) -> dict[str, float]:
    """Return what mode STANDARD asks of the positions in each underlying, cash, before factors and debt charge.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params

    Returns
    -------
    dict of str to float
        By underlying; they add up to the requirement.
    """
    held = {name: _holdings(market, [portfolio], name, params) for name in market.rounds}
    return {name: float(standard_requirement(own)[0]) for name, own in held.items()}


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
        If a portfolio names an underlying, an expiry or a token that the market does not have, or an instrument
        twice; if the round of an open settlement window carries no mean; or if a result is not finite.

    Notes
    -----
    Against 50-digit arithmetic the error is within 1e-11 of gross notional.

    References
    ----------
    .. [1] contracts/margin/MarginEngine.sol, ``evaluateDetailed``.
    """
    check_held(market, portfolios)
    if not portfolios:
        return []
    # An overflow is found in the results, by name; numpy's warning would only repeat it.
    with np.errstate(all="ignore"):
        parts = {name: _slice(market, portfolios, name, params) for name in market.rounds}
        for name, part in parts.items():
            _check_finite(name, part.risk)
        totals = _totals(parts, portfolios, params.account.stress_share)
        results = [_account(market, folio, i, parts, float(totals[i]), params) for i, folio in enumerate(portfolios)]
    for i, result in enumerate(results):
        if not np.isfinite([result.equity, result.initial_margin, result.maintenance_margin]).all():
            raise DomainError(f"portfolio {i}", "the margin is too large for a float")
    return results


def evaluate(market: Market, portfolio: Portfolio, params: Params) -> MarginResult:
    """Margin of one account; see ``evaluate_many``."""
    return evaluate_many(market, [portfolio], params)[0]
