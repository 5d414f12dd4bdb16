"""The state of the contracts, rebuilt from their events alone.

Positions keep the order of the ledger, so that the rebuilt account equals ``snapshotOf`` word by word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from plimsoll.chain.words import Word, unpack
from plimsoll.constants import CLEARING_ID, DAY_SEC, FUND_ID, WAD
from plimsoll.index.effects import EFFECTS, EffectState
from plimsoll.index.funding import index_at, owed
from plimsoll.index.interest import Lending, accrual, after_index
from plimsoll.index.lines import Lines, LineState
from plimsoll.index.reader import ChainEvent


@dataclass(slots=True)
class AccountState:
    """One account as stored; ``index_wad`` is the index, by the sign of its cash, that the cash was stored at."""

    owner: str
    mode: int
    index_wad: int
    cash_wad: int = 0
    collateral: dict[int, int] = field(default_factory=dict)
    words: list[int] = field(default_factory=list)
    #: By underlying: the funding index up to which the perpetual has paid.
    paid_index: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class AuctionState:
    """One running auction; a clock is 0 while it does not run, ``vouched_ts`` when equity was above maintenance."""

    started_ts: int
    solvent_ts: int = 0
    insolvent_ts: int = 0
    vouched_ts: int = 0
    loss_wad: int = 0
    reserve_wad: int = 0
    credit_wad: int = 0
    bid_count: int = 0

    @property
    def stored(self) -> tuple[int, ...]:
        """What the contract stores, in the order of ``IAuction.State`` after ``isOpen``."""
        clocks = (self.solvent_ts, self.insolvent_ts, self.vouched_ts)
        return (*clocks, self.loss_wad, self.reserve_wad, self.credit_wad)


@dataclass(frozen=True, slots=True)
class FundingState:
    """Funding of one underlying: index when the rate was set, the rate a day, and when."""

    index_wad: int
    rate_wad: int
    since_ts: int


@dataclass(frozen=True, slots=True)
class TermsState:
    """Terms of a collateral token; ``linked_id`` is 0 when it is linked to no underlying."""

    linked_id: int
    haircut_wad: int
    linked_haircut_wad: int
    ratio_wad: int


@dataclass(frozen=True, slots=True)
class RateState:
    """Rate of a token that follows a source: gaps between two observations of a rise and of a fall, and the first one.

    Before anything was observed ``seen_wad`` is 0, and ``ts`` when the source was set.
    """

    gap_sec: int
    fall_gap_sec: int
    seen_wad: int
    ts: int

    def due_ts(self, ratio_wad: int) -> int:
        """Return when the next observation may be made whatever the source states; mirror of ``RateFeed.update``.

        Parameters
        ----------
        ratio_wad : int
            Ratio in the book.

        Returns
        -------
        int
            Unix seconds.
        """
        if not self.seen_wad:
            return self.ts
        return self.ts + (self.fall_gap_sec if self.seen_wad < ratio_wad else self.gap_sec)


@dataclass(slots=True)
class GrantState:
    """What a trader key may do; ``limits`` by underlying id: largest delta, gamma and vega."""

    until_ts: int
    kinds: int
    max_loss_wad: int
    limits: dict[int, tuple[int, int, int]]
    loss_wad: int = 0


@dataclass(slots=True)
class OperatorState:
    """What an operator may do; by token id: most a day, and what was used on which day since 1970, raw."""

    until_ts: int
    roles: int
    allowances: dict[int, int]
    used: dict[int, tuple[int, int]] = field(default_factory=dict)

    def left_of(self, token_id: int, now_ts: int) -> int:
        """Return what may still be withdrawn of a token, raw; mirror of ``Operators.allowanceOf``.

        Parameters
        ----------
        token_id : int
            Token.
        now_ts : int
            Time.

        Returns
        -------
        int
            Raw.
        """
        day, used = self.used.get(token_id, (0, 0))
        return self.allowances.get(token_id, 0) - (used if day == now_ts // DAY_SEC else 0)


@dataclass(slots=True)
class State:
    """Everything the keeper needs to know of the chain."""

    accounts: dict[int, AccountState] = field(default_factory=dict)
    rounds: dict[int, SimpleNamespace] = field(default_factory=dict)
    token_prices: dict[int, tuple[int, int]] = field(default_factory=dict)
    settled: dict[tuple[int, int], int] = field(default_factory=dict)
    terms: dict[int, TermsState] = field(default_factory=dict)
    rates: dict[int, RateState] = field(default_factory=dict)
    auctions: dict[int, AuctionState] = field(default_factory=dict)
    lines: Lines = field(default_factory=Lines)
    grants: dict[tuple[int, str], GrantState] = field(default_factory=dict)
    operators: dict[tuple[int, str], OperatorState] = field(default_factory=dict)
    #: Digests of intents that were filled, hexadecimal.
    intents: set[str] = field(default_factory=set)
    lending: Lending = field(default_factory=Lending)
    socialised_wad: int = 0
    closed_count: int = 0
    funding: dict[int, FundingState] = field(default_factory=dict)
    #: By underlying: the round that set the present rate.
    funded_round_ts: dict[int, int] = field(default_factory=dict)
    #: By account: what tells one auction, call or share of it from the next.
    effects: dict[int, EffectState] = field(default_factory=dict)
    #: Time of the latest event, or of the block that the reader has come to: what funding counts up to.
    ts: int = 0

    def cash_of(self, account_id: int) -> int:
        """Return cash with pending losses, interest and unsettled funding, wad; mirror of ``Accounts.cashOf``.

        Parameters
        ----------
        account_id : int
            Account.

        Returns
        -------
        int
            Wad.
        """
        account = self.accounts[account_id]
        return self.cash_before_funding(account_id) - sum(
            self._owed(account, word) for word in map(unpack, account.words)
        )

    def cash_before_funding(self, account_id: int) -> int:
        """Return cash with pending losses and interest alone, wad: what losses are spread over.

        Parameters
        ----------
        account_id : int
            Account.

        Returns
        -------
        int
            Wad.
        """
        account = self.accounts[account_id]
        if account_id == CLEARING_ID:
            return account.cash_wad
        moved = accrual(self.lending, self.ts)
        reserve = moved.reserve_wad if account_id == FUND_ID else 0
        return after_index(account.cash_wad, account.index_wad, moved) + reserve

    def backing_of(self, account_id: int) -> tuple[int, int]:
        """Return what guarantee lines give an account, and what they hold; mirror of ``Guarantees.backingOf``.

        Parameters
        ----------
        account_id : int
            Account.

        Returns
        -------
        tuple of int
            Credit and reserves, wad, at the time of the state.
        """
        found = [(self.lines[number], self.cash_of(number)) for number in self.lines.of(account_id)]
        return sum(line.counted(held, self.ts) for line, held in found), sum(held for _, held in found)

    def funding_index(self, underlying_id: int) -> int:
        """Return what one unit of a long has paid, wad; mirror of ``Accounts.fundingOf``.

        Parameters
        ----------
        underlying_id : int
            Underlying.

        Returns
        -------
        int
            Wad, at the time of the state.
        """
        funding = self.funding.get(underlying_id, FundingState(0, 0, 0))
        return index_at(funding.index_wad, funding.rate_wad, funding.since_ts, self.ts)

    def _owed(self, account: AccountState, word: Word) -> int:
        """Return the unsettled funding of one position."""
        if not word.kind.pays_funding:
            return 0
        step = self.funding_index(word.underlying_id) - account.paid_index[word.underlying_id]
        return owed(word.quantity_wad, step)


def _opened(state: State, event: ChainEvent) -> None:
    values = event.values
    state.accounts[values["accountId"]] = AccountState(values["owner"], values["mode"], state.lending.cash_index_wad)


def _account_closed(state: State, event: ChainEvent) -> None:
    del state.accounts[event.values["accountId"]]
    state.closed_count += 1


def _transferred(state: State, event: ChainEvent) -> None:
    # The mint comes before AccountOpened, which names the owner itself.
    account_id = event.values["tokenId"]
    if account_id in state.accounts:
        state.accounts[account_id].owner = event.values["to"]
        state.grants = {key: grant for key, grant in state.grants.items() if key[0] != account_id}
        state.operators = {key: grant for key, grant in state.operators.items() if key[0] != account_id}


def _mode_changed(state: State, event: ChainEvent) -> None:
    state.accounts[event.values["accountId"]].mode = event.values["newMode"]


def _cash_changed(state: State, event: ChainEvent) -> None:
    account = state.accounts[event.values["accountId"]]
    account.cash_wad = event.values["cashWad"]
    lending = state.lending
    account.index_wad = lending.debt_index_wad if account.cash_wad < 0 else lending.cash_index_wad


def _collateral_changed(state: State, event: ChainEvent) -> None:
    held = state.accounts[event.values["accountId"]].collateral
    held[event.values["tokenId"]] = event.values["amountWad"]
    if event.values["amountWad"] == 0:
        del held[event.values["tokenId"]]


def _position_changed(state: State, event: ChainEvent) -> None:
    account = state.accounts[event.values["accountId"]]
    words = account.words
    old, new = event.values["oldWord"], event.values["newWord"]
    traded = unpack(new or old)
    if traded.kind.pays_funding:
        # Every change of a perpetual settles its funding first.
        account.paid_index[traded.underlying_id] = state.funding_index(traded.underlying_id)
    if old == 0:
        words.append(new)
        return
    place = words.index(old)
    if new != 0:
        words[place] = new
        return
    last = words.pop()
    if place < len(words):
        words[place] = last


def _loss_socialised(state: State, event: ChainEvent) -> None:
    state.lending = replace(state.lending, cash_index_wad=event.values["newIndexWad"])
    state.socialised_wad += event.values["lossWad"]


def _interest_accrued(state: State, event: ChainEvent) -> None:
    values, lending = event.values, state.lending
    state.lending = replace(
        lending,
        cash_index_wad=values["cashIndexWad"],
        debt_index_wad=values["debtIndexWad"],
        debt_wad=lending.debt_wad + values["interestWad"],
        positive_wad=lending.positive_wad + values["interestWad"] - values["reserveWad"],
        since_ts=event.block_ts,
    )


def _loans_changed(state: State, event: ChainEvent) -> None:
    values = event.values
    state.lending = replace(
        state.lending,
        debt_wad=values["debtWad"],
        positive_wad=values["positiveCashWad"],
        rate_e6=values["rateE6"],
        since_ts=event.block_ts,
    )


def _rate_curve_set(state: State, event: ChainEvent) -> None:
    state.lending = replace(state.lending, reserve_bps=event.values["curve"].reserveBps)


def _funding_rate_set(state: State, event: ChainEvent) -> None:
    values = event.values
    state.funding[values["underlyingId"]] = FundingState(values["indexWad"], values["rateWad"], event.block_ts)


def _funding_settled(state: State, event: ChainEvent) -> None:
    account = state.accounts[event.values["accountId"]]
    account.paid_index[event.values["underlyingId"]] = event.values["indexWad"]


def _funding_updated(state: State, event: ChainEvent) -> None:
    state.funded_round_ts[event.values["underlyingId"]] = event.values["roundTs"]


def _round_posted(state: State, event: ChainEvent) -> None:
    state.rounds[event.values["underlyingId"]] = event.values["round"]


def _token_price_posted(state: State, event: ChainEvent) -> None:
    state.token_prices[event.values["tokenId"]] = (event.values["ts"], event.values["priceWad"])


def _collateral_set(state: State, event: ChainEvent) -> None:
    params = event.values["newParams"]
    state.terms[event.values["tokenId"]] = TermsState(
        params.linkedUnderlying, params.haircutWad, params.linkedHaircutWad, params.ratioWad
    )


def _ratio_set(state: State, event: ChainEvent) -> None:
    token_id = event.values["tokenId"]
    if token_id in state.terms:
        state.terms[token_id] = replace(state.terms[token_id], ratio_wad=event.values["newRatioWad"])


def _source_set(state: State, event: ChainEvent) -> None:
    token_id, terms = event.values["tokenId"], event.values["terms"]
    state.rates.pop(token_id, None)
    if int(terms.source, 16):
        state.rates[token_id] = RateState(terms.gapSec, terms.fallGapSec, 0, event.block_ts)


def _rate_observed(state: State, event: ChainEvent) -> None:
    token_id, values = event.values["tokenId"], event.values
    state.rates[token_id] = replace(state.rates[token_id], seen_wad=values["rateWad"], ts=values["ts"])


def _settlement_posted(state: State, event: ChainEvent) -> None:
    state.settled[event.values["underlyingId"], event.values["expiryTs"]] = event.values["priceWad"]


def _auction_started(state: State, event: ChainEvent) -> None:
    state.auctions[event.values["accountId"]] = AuctionState(event.block_ts)


def _bid_filled(state: State, event: ChainEvent) -> None:
    auction = state.auctions[event.values["accountId"]]
    auction.bid_count += 1
    if event.values["isSolvent"]:
        auction.reserve_wad += event.values["cashWad"]
        auction.credit_wad = _own_of(state, event)
    else:
        # What reserve and lines paid came off with the loss, which was covered before.
        left_wad = auction.credit_wad - auction.credit_wad * event.values["fractionWad"] // WAD
        auction.credit_wad = max(_own_of(state, event), left_wad)


def _own_of(state: State, event: ChainEvent) -> int:
    """Return the reserve of an auction and what the account's lines hold."""
    account_id = event.values["accountId"]
    return state.auctions[account_id].reserve_wad + state.backing_of(account_id)[1]


def _clocks_set(state: State, event: ChainEvent) -> None:
    auction = state.auctions[event.values["accountId"]]
    was_ts = auction.insolvent_ts
    auction.solvent_ts, auction.insolvent_ts = event.values["solventTs"], event.values["insolventTs"]
    auction.vouched_ts = event.values["vouchedTs"]
    if auction.insolvent_ts == 0:
        auction.credit_wad = _own_of(state, event)
    elif auction.insolvent_ts != was_ts:
        # The clock starts, or starts again.
        auction.credit_wad = max(auction.credit_wad, _own_of(state, event))


def _loss_noted(state: State, event: ChainEvent) -> None:
    # That of an auction that ended is noted before its end.
    state.auctions[event.values["accountId"]].loss_wad = event.values["lossWad"]


def _loss_covered(state: State, event: ChainEvent) -> None:
    # A debt may be written off without an auction; then there is no reserve either.
    if event.values["fromReserveWad"]:
        state.auctions[event.values["accountId"]].reserve_wad -= event.values["fromReserveWad"]


def _auction_ended(state: State, event: ChainEvent) -> None:
    state.auctions.pop(event.values["accountId"], None)


def _line_given(state: State, event: ChainEvent) -> None:
    values = event.values
    terms = values["sponsorId"], values["beneficiaryId"], values["endTs"], values["rampSec"]
    state.lines[values["lineId"]] = LineState(*terms)


def _line_extended(state: State, event: ChainEvent) -> None:
    line_id = event.values["lineId"]
    state.lines[line_id] = replace(state.lines[line_id], end_ts=event.values["endTs"])


def _line_ended(state: State, event: ChainEvent) -> None:
    del state.lines[event.values["lineId"]]


def _granted(state: State, event: ChainEvent) -> None:
    terms = event.values["terms"]
    limits = {entry.underlyingId: (entry.maxDeltaWad, entry.maxGammaWad, entry.maxVegaWad) for entry in terms.limits}
    key = event.values["accountId"], event.values["delegate"]
    state.grants[key] = GrantState(terms.untilTs, terms.kinds, terms.maxLossWad, limits)


def _revoked(state: State, event: ChainEvent) -> None:
    del state.grants[event.values["accountId"], event.values["delegate"]]


def _delegate_traded(state: State, event: ChainEvent) -> None:
    state.grants[event.values["accountId"], event.values["delegate"]].loss_wad = event.values["totalLossWad"]


def _roles_granted(state: State, event: ChainEvent) -> None:
    terms = event.values["terms"]
    allowances = {entry.tokenId: entry.maxRaw for entry in terms.allowances}
    key = event.values["accountId"], event.values["operator"]
    state.operators[key] = OperatorState(terms.untilTs, terms.roles, allowances)


def _roles_revoked(state: State, event: ChainEvent) -> None:
    del state.operators[event.values["accountId"], event.values["operator"]]


def _operator_withdrew(state: State, event: ChainEvent) -> None:
    used = event.block_ts // DAY_SEC, event.values["usedRaw"]
    state.operators[event.values["accountId"], event.values["operator"]].used[event.values["tokenId"]] = used


def _intent_filled(state: State, event: ChainEvent) -> None:
    digest = event.values["digest"]
    # From the database it comes as text.
    state.intents.add(digest if isinstance(digest, str) else "0x" + digest.hex())


_FOLD: dict[tuple[str, str], Callable[[State, ChainEvent], None]] = {
    ("Accounts", "AccountOpened"): _opened,
    ("Accounts", "AccountClosed"): _account_closed,
    ("Accounts", "Transfer"): _transferred,
    ("Accounts", "ModeChanged"): _mode_changed,
    ("Accounts", "CashChanged"): _cash_changed,
    ("Accounts", "CollateralChanged"): _collateral_changed,
    ("Accounts", "PositionChanged"): _position_changed,
    ("Accounts", "LossSocialised"): _loss_socialised,
    ("Accounts", "InterestAccrued"): _interest_accrued,
    ("Accounts", "LoansChanged"): _loans_changed,
    ("Accounts", "RateCurveSet"): _rate_curve_set,
    ("Accounts", "FundingRateSet"): _funding_rate_set,
    ("Accounts", "FundingSettled"): _funding_settled,
    ("PerpMarket", "FundingUpdated"): _funding_updated,
    ("Oracle", "RoundPosted"): _round_posted,
    ("Oracle", "TokenPricePosted"): _token_price_posted,
    ("Oracle", "SettlementPosted"): _settlement_posted,
    ("ScenarioBook", "CollateralSet"): _collateral_set,
    ("ScenarioBook", "RatioSet"): _ratio_set,
    ("RateFeed", "SourceSet"): _source_set,
    ("RateFeed", "RateObserved"): _rate_observed,
    ("Auction", "AuctionStarted"): _auction_started,
    ("Auction", "BidFilled"): _bid_filled,
    ("Auction", "ClocksSet"): _clocks_set,
    ("Auction", "LossNoted"): _loss_noted,
    ("Auction", "LossCovered"): _loss_covered,
    ("Auction", "AuctionEnded"): _auction_ended,
    ("Guarantees", "LineGiven"): _line_given,
    ("Guarantees", "LineExtended"): _line_extended,
    ("Guarantees", "LineEnded"): _line_ended,
    ("Delegation", "Granted"): _granted,
    ("Delegation", "Revoked"): _revoked,
    ("Delegation", "DelegateTraded"): _delegate_traded,
    ("Operators", "Granted"): _roles_granted,
    ("Operators", "Revoked"): _roles_revoked,
    ("Operators", "OperatorWithdrew"): _operator_withdrew,
    ("Intents", "IntentFilled"): _intent_filled,
}

# Contracts whose events change the state.
SOURCES = tuple(sorted({contract for contract, _ in (*_FOLD, *EFFECTS)}))


def apply(state: State, event: ChainEvent) -> None:
    """Fold one event into the state; events that change nothing here are ignored.

    Parameters
    ----------
    state : State
        Changed in place.
    event : ChainEvent
        The next event in chain order.
    """
    state.ts = max(state.ts, event.block_ts)
    handler = _FOLD.get((event.contract, event.name))
    if handler is not None:
        handler(state, event)
    effect = EFFECTS.get((event.contract, event.name))
    if effect is not None:
        account_id = int(event.values["accountId"])
        state.effects[account_id] = effect(state.effects.get(account_id, EffectState()))


def snapshot_fields(state: State, account_id: int) -> dict[str, Any]:
    """Return an account as ``Accounts.snapshotOf`` does.

    Parameters
    ----------
    state : State
        Rebuilt state.
    account_id : int
        Account.

    Returns
    -------
    dict[str, Any]
        Fields of ``IAccounts.Snapshot``; tokens by id.
    """
    account = state.accounts[account_id]
    held = sorted(account.collateral.items())
    return {
        "mode": account.mode,
        "cashWad": state.cash_of(account_id),
        "tokenIds": [token_id for token_id, _ in held],
        "amountsWad": [amount for _, amount in held],
        "positions": list(account.words),
    }
