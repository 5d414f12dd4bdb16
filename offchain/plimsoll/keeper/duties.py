"""What each duty gets to see: its own part of the index, and nothing of the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from plimsoll.decide import (
    AccountView,
    AuctionTerms,
    AuctionView,
    FundingView,
    LiquidationView,
    MarginCallView,
    RateSight,
    RateView,
    SettlementView,
)
from plimsoll.deployment.record import Deployment
from plimsoll.index.state import State
from plimsoll.keeper.effects import Effects
from plimsoll.keeper.names import name_of
from plimsoll.units import wad_to_float

Series = tuple[str, int]


def _posted(state: State, deployment: Deployment) -> dict[str, int]:
    """Return the times of the rounds on chain, of underlyings listed later too."""
    return {name_of(deployment.underlyings, number): posted.ts for number, posted in state.rounds.items()}


def settlement_view(
    state: State,
    deployment: Deployment,
    block_ts: int,
    expired: Mapping[Series, tuple[int, ...]],
    final: Collection[Series],
    sampled: Collection[Series],
) -> SettlementView:
    """Return the series that have expired.

    Parameters
    ----------
    state : State
        Rebuilt state.
    deployment : Deployment
        Names.
    block_ts : int
        Time of the block, unix seconds.
    expired : Mapping[tuple[str, int], tuple[int, ...]]
        Accounts that still hold an expired series.
    final : collection of tuple[str, int]
        Series whose price on chain is final.
    sampled : collection of tuple[str, int]
        Series whose samples this keeper can post.

    Returns
    -------
    SettlementView
    """
    settled = {(name_of(deployment.underlyings, number), expiry_ts) for number, expiry_ts in state.settled}
    return SettlementView(
        block_ts, dict(expired), frozenset(settled & set(final)), frozenset(expired) - settled, frozenset(sampled)
    )


def funding_view(state: State, deployment: Deployment, block_ts: int, heartbeat_sec: int) -> FundingView:
    """Return which round set which funding rate.

    Parameters
    ----------
    state : State
        Rebuilt state.
    deployment : Deployment
        Names.
    block_ts : int
        Time of the block, unix seconds.
    heartbeat_sec : int
        Age at which a round no longer counts.

    Returns
    -------
    FundingView
    """
    funded = {name_of(deployment.underlyings, number): ts for number, ts in state.funded_round_ts.items()}
    return FundingView(block_ts, heartbeat_sec, _posted(state, deployment), funded)


def rate_view(state: State, deployment: Deployment, block_ts: int, stated: Mapping[int, float]) -> RateView:
    """Return what is known of the rates of wrapped tokens.

    Parameters
    ----------
    state : State
        Rebuilt state.
    deployment : Deployment
        Names.
    block_ts : int
        Time of the block, unix seconds.
    stated : Mapping[int, float]
        What sources state now, by token; missing where that could not be read.

    Returns
    -------
    RateView
    """
    ids = {symbol: record.token_id for symbol, record in deployment.tokens.items()}
    sights = {}
    for token_id, rate in state.rates.items():
        ratio_wad = state.terms[token_id].ratio_wad if token_id in state.terms else 0
        ratio, seen = wad_to_float(ratio_wad), wad_to_float(rate.seen_wad)
        sight = RateSight(rate.due_ts(ratio_wad), rate.ts, ratio, seen, stated.get(token_id, 0.0))
        sights[name_of(ids, token_id)] = sight
    return RateView(block_ts, sights)


def pure_debts(state: State, account_ids: Iterable[int]) -> frozenset[int]:
    """Return which of some accounts hold a debt and nothing else.

    Parameters
    ----------
    state : State
        Rebuilt state.
    account_ids : iterable of int
        Those that are not healthy: the others need not be looked at.

    Returns
    -------
    frozenset of int
    """
    held = ((number, state.accounts[number]) for number in account_ids if number in state.accounts)
    return frozenset(
        number for number, account in held if account.cash_wad < 0 and not account.words and not account.collateral
    )


def auction_views(state: State, effects: Effects, accounts: Sequence[AccountView]) -> tuple[AuctionView, ...]:
    """Return the running auctions.

    Parameters
    ----------
    state : State
        Rebuilt state.
    effects : Effects
        Counts from the same events.
    accounts : sequence of AccountView
        Accounts with a margin, which decides the branch.

    Returns
    -------
    tuple of AuctionView
        By account; those of accounts without a margin, or that were closed, on their solvent branch.
    """
    views = {view.account_id: view for view in accounts}
    return tuple(_auction(state, account_id, effects, views.get(account_id)) for account_id in sorted(state.auctions))


def _auction(state: State, account_id: int, effects: Effects, view: AccountView | None) -> AuctionView:
    auction = state.auctions[account_id]
    reserve = wad_to_float(auction.reserve_wad)
    is_solvent = view is None or view.market_equity >= reserve
    return AuctionView(
        account_id,
        auction.started_ts,
        is_solvent,
        clock_ts=(auction.solvent_ts if is_solvent else auction.insolvent_ts) or None,
        vouched_ts=auction.vouched_ts or None,
        reserve=reserve,
        credit=wad_to_float(auction.credit_wad),
        loss=wad_to_float(auction.loss_wad),
        bid_count=auction.bid_count,
        number=effects.starts.get(account_id, 0),
        look_count=effects.looks.get(account_id, 0),
        lines=wad_to_float(state.backing_of(account_id)[1]),
    )


def liquidation_view(
    state: State, effects: Effects, block_ts: int, accounts: tuple[AccountView, ...], terms: AuctionTerms
) -> LiquidationView:
    """Return accounts that are not healthy, and auctions.

    Parameters
    ----------
    state : State
        Rebuilt state.
    effects : Effects
        Counts from the same events.
    block_ts : int
        Time of the block, unix seconds.
    accounts : tuple of AccountView
        Accounts with a margin that are short, or under auction.
    terms : AuctionTerms
        Of the auctions.

    Returns
    -------
    LiquidationView
    """
    closed = frozenset(set(state.auctions) - set(state.accounts))
    auctions = auction_views(state, effects, accounts)
    return LiquidationView(block_ts, accounts, auctions, closed, terms, effects.starts, effects.ends)


def margin_call_view(
    state: State, effects: Effects, accounts: tuple[AccountView, ...], blurred: Collection[int]
) -> MarginCallView:
    """Return accounts that are short, and calls that are open.

    Parameters
    ----------
    state : State
        Rebuilt state.
    effects : Effects
        Counts from the same events.
    accounts : tuple of AccountView
        Accounts with a margin that are short, or called.
    blurred : collection of int
        Accounts that only an auction can value.

    Returns
    -------
    MarginCallView
    """
    called = frozenset(effects.called & state.accounts.keys())
    return MarginCallView(accounts, called, effects.notes, frozenset(blurred))
