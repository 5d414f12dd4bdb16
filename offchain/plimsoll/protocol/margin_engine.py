"""Margin by the contracts: really signed rounds on a local chain, read back as the mirror's own result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from eth_account.signers.local import LocalAccount

from plimsoll.chain import anvil
from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.chain.revert import RevertError
from plimsoll.chain.words import to_word
from plimsoll.deployment.deploy import deploy_pricing
from plimsoll.deployment.record import Deployment
from plimsoll.deployment.spec import spec_for_market
from plimsoll.errors import DomainError
from plimsoll.mirror.margin_engine import ExpiryGreeks, MarginResult, RowPnl, UnderlyingMargin, filled_up, state_of
from plimsoll.mirror.scenario_book import Book, scenario_book
from plimsoll.model import Market, Portfolio
from plimsoll.params import VOL_NAMES, Params
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.units import float_to_wad, wad_to_float

STATE_NAMES = ("healthy", "margin call", "liquidatable", "insolvent")
CHECK_BATCH = 50


def snapshot_of(portfolio: Portfolio, deployment: Deployment) -> dict[str, Any]:
    """Turn a portfolio into ``IAccounts.Snapshot``.

    Parameters
    ----------
    portfolio : Portfolio
        One account.
    deployment : Deployment
        Names of tokens and underlyings on chain.

    Returns
    -------
    dict[str, Any]
        Fields of the struct, wad.
    """
    held = sorted((deployment.tokens[symbol].token_id, amount) for symbol, amount in portfolio.collateral.items())
    return {
        "mode": int(portfolio.mode),
        "cashWad": float_to_wad(portfolio.cash),
        "tokenIds": [token_id for token_id, _ in held],
        "amountsWad": [float_to_wad(amount) for _, amount in held],
        "positions": [to_word(p, deployment.underlyings[p.underlying]) for p in portfolio.positions],
    }


def _empty_underlying(book: Book) -> UnderlyingMargin:
    """Return an underlying that the account does not touch."""
    rows = tuple(RowPnl(row.price, VOL_NAMES[row.vol], row.skew, row.weight, 0.0) for row in book.rows)
    nothing = (ExpiryGreeks(0, 0.0, 0.0, 0.0, 0.0),)
    return UnderlyingMargin(
        scan=0.0,
        certified_scan=0.0,
        basis=0.0,
        vega_term=0.0,
        skew_term=0.0,
        short_min=0.0,
        concentration=0.0,
        requirement=0.0,
        cutoff=0,
        worst_row=0,
        rows=rows,
        delta=0.0,
        gamma=0.0,
        vega=0.0,
        theta=0.0,
        expiries=nothing,
    )


def _expiry(greeks: SimpleNamespace) -> ExpiryGreeks:
    figures = (greeks.deltaWad, greeks.gammaWad, greeks.vegaWad, greeks.thetaWad)
    return ExpiryGreeks(greeks.expiryTs, *map(wad_to_float, figures))


def _underlying(risk: SimpleNamespace, detail: SimpleNamespace, book: Book) -> UnderlyingMargin:
    rows = tuple(
        RowPnl(row.price, VOL_NAMES[row.vol], row.skew, row.weight, wad_to_float(pnl))
        for row, pnl in zip(book.rows, detail.rowPnlWad, strict=True)
    )
    return UnderlyingMargin(
        scan=wad_to_float(risk.scanWad),
        certified_scan=wad_to_float(risk.certifiedScanWad),
        basis=wad_to_float(risk.basisWad),
        vega_term=wad_to_float(risk.vegaTermWad),
        skew_term=wad_to_float(risk.skewTermWad),
        short_min=wad_to_float(risk.shortMinWad),
        concentration=wad_to_float(risk.concentrationWad),
        requirement=wad_to_float(risk.requirementWad),
        cutoff=risk.cutoffTs,
        worst_row=risk.worstRow,
        rows=rows,
        delta=wad_to_float(detail.deltaWad),
        gamma=wad_to_float(detail.gammaWad),
        vega=wad_to_float(detail.vegaWad),
        theta=wad_to_float(detail.thetaWad),
        expiries=tuple(sorted((_expiry(greeks) for greeks in detail.expiries), key=lambda found: found.expiry_ts)),
    )


def result_of(
    answer: tuple[SimpleNamespace, list[SimpleNamespace]], deployment: Deployment, params: Params
) -> MarginResult:
    """Turn what ``evaluateDetailed`` returned into the mirror's result.

    Parameters
    ----------
    answer : tuple
        ``MarginState`` and one ``UnderlyingDetail`` for each of its underlyings.
    deployment : Deployment
        Names of the underlyings on chain.
    params : Params
        Whose rows give the results their labels.

    Returns
    -------
    MarginResult
        Every underlying of the deployment; those the account does not touch are zero.
    """
    state, details = answer
    books = {
        symbol: scenario_book(params.book_of(symbol), params.for_underlying(symbol).price_range)
        for symbol in deployment.underlyings
    }
    symbols = {number: symbol for symbol, number in deployment.underlyings.items()}
    underlyings = {symbol: _empty_underlying(books[symbol]) for symbol in sorted(deployment.underlyings)}
    for risk, detail in zip(state.underlyings, details, strict=True):
        symbol = symbols[risk.underlyingId]
        underlyings[symbol] = _underlying(risk, detail, books[symbol])
    return MarginResult(
        engine="chain",
        state=STATE_NAMES[state.state],
        equity=wad_to_float(state.equityWad),
        market_equity=wad_to_float(state.marketEquityWad),
        mark_to_market=wad_to_float(state.markToMarketWad),
        initial_margin=wad_to_float(state.initialWad),
        maintenance_margin=wad_to_float(state.maintenanceWad),
        debt_charge=wad_to_float(state.debtChargeWad),
        gross_notional=sum(wad_to_float(risk.grossNotionalWad) for risk in state.underlyings),
        underlyings=underlyings,
    )


@dataclass(frozen=True, slots=True)
class Checker:
    """A chain that holds one market and answers for any portfolio in it."""

    engine: Contract
    deployment: Deployment
    params: Params

    def evaluate_many(self, portfolios: Sequence[Portfolio]) -> list[MarginResult]:
        """Ask the contracts for many portfolios, in batched calls.

        Parameters
        ----------
        portfolios : Sequence[Portfolio]
            Accounts in the chain's market.

        Returns
        -------
        list[MarginResult]
            In the same order.

        Raises
        ------
        DomainError
            When the contracts refuse a portfolio; names their error.
        """
        results: list[MarginResult] = []
        for first in range(0, len(portfolios), CHECK_BATCH):
            part = portfolios[first : first + CHECK_BATCH]
            snapshots = [[snapshot_of(portfolio, self.deployment)] for portfolio in part]
            for number, answer in enumerate(self.engine.call_many("evaluateDetailed", snapshots)):
                if isinstance(answer, RevertError):
                    raise DomainError(f"portfolio {first + number}", f"the contracts {answer.message}")
                if isinstance(answer, Exception):
                    raise answer
                found = result_of(answer, self.deployment, self.params)
                results.append(_with_credit(found, part[number].credit))
        return results


def _with_credit(found: MarginResult, credit: float) -> MarginResult:
    """Add what guarantee lines give: a snapshot is nobody's, so the contracts count none for it."""
    added = filled_up(found.equity, found.initial_margin, credit)
    if not added:
        return found
    equity, market = found.equity + added, found.market_equity + added
    state = state_of(equity, market, found.initial_margin, found.maintenance_margin)
    return replace(found, equity=equity, state=state, guaranteed=added)


@contextmanager
def checker(market: Market, params: Params) -> Iterator[Checker]:
    """Start a chain at the market's time, deploy what a margin check needs and post the market, signed.

    Parameters
    ----------
    market : Market
        Rounds and token prices.
    params : Params
        Risk parameters.

    Yields
    ------
    Checker
        Answers for any portfolio in this market.

    Raises
    ------
    UnavailableError
        When anvil or the built contracts are missing.
    DomainError
        When the contracts refuse the market.
    """
    signers = [wallet(f"oracle signer {number}") for number in range(2)]
    relayer = wallet("relayer")
    spec = spec_for_market(market, params, tuple(signer.address for signer in signers))
    with anvil.running(market.ts) as chain:
        client = Client(chain.url)
        client.rpc("anvil_setBalance", relayer.address, hex(10**24))
        deployment = deploy_pricing(client, relayer, spec)
        poster = RoundPoster(client, deployment, signers)
        try:
            _post(poster, relayer, market)
        except RevertError as reverted:
            raise DomainError("market", f"the contracts {reverted.message}") from reverted
        yield Checker(deployment.contract(client, "MarginEngine"), deployment, params)


def _post(poster: RoundPoster, relayer: LocalAccount, market: Market) -> None:
    """Post every round and the token prices."""
    for market_round in market.rounds.values():
        poster.send(relayer, poster.round_call(market_round))
    poster.send(relayer, poster.tokens_call(market.ts, own_prices(market)))


def own_prices(market: Market) -> dict[str, float]:
    """Return the prices that are posted: of tokens that are linked to no underlying.

    Parameters
    ----------
    market : Market
        Tokens by symbol.

    Returns
    -------
    dict[str, float]
        Cash by symbol.
    """
    return {symbol: token.price for symbol, token in market.tokens.items() if token.price is not None}


def evaluate_on_chain(market: Market, portfolio: Portfolio, params: Params) -> MarginResult:
    """Ask the contracts for the margin of one portfolio.

    Parameters
    ----------
    market : Market
        Rounds and token prices.
    portfolio : Portfolio
        One account.
    params : Params
        Risk parameters.

    Returns
    -------
    MarginResult
        With ``engine`` set to ``chain``.

    Raises
    ------
    UnavailableError
        When anvil or the built contracts are missing.
    DomainError
        When the contracts refuse the market or the portfolio.

    References
    ----------
    .. [1] contracts/margin/MarginEngine.sol, ``evaluateDetailed``.
    """
    with checker(market, params) as open_checker:
        return open_checker.evaluate_many([portfolio])[0]
