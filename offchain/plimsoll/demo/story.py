"""Folds the events of a run into facts: nothing is computed from the plan, only from what the contracts emitted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum

from plimsoll.chain.words import from_word, unpack
from plimsoll.constants import CLEARING_ID, FUND_ID
from plimsoll.demo.facts import Borrowing, Expiry, Facts, FundBook, Funding, QuoteFill, QuoteLeg, Side
from plimsoll.index.reader import ChainEvent
from plimsoll.units import wad_to_float

# Contracts whose events the story needs.
SOURCES = ("Accounts", "Auction", "Exchange", "InsuranceFund", "Oracle", "PerpMarket", "Settlement")


class Reason(IntEnum):
    """Why cash changed; values equal ``IAccounts.Reason``."""

    DEPOSIT = 0
    WITHDRAWAL = 1
    TRADE = 2
    TRANSFER = 3
    SETTLEMENT = 4
    LIQUIDATION = 5
    SOCIALISED = 6
    CLEARING = 7
    FUNDING = 8
    INTEREST = 9
    RESERVE = 10


def _cash(events: Iterable[ChainEvent], *reasons: Reason) -> list[ChainEvent]:
    """Return the changes of cash for some reasons."""
    return [e for e in events if e.name == "CashChanged" and e.values["reason"] in reasons]


def _named(events: Iterable[ChainEvent], contract: str, name: str) -> list[ChainEvent]:
    return [e for e in events if e.contract == contract and e.name == name]


def quotes_of(
    events: Sequence[ChainEvent], symbols: Mapping[int, str], sides: Mapping[int, tuple[Side, Side]]
) -> tuple[QuoteFill, ...]:
    """Find every quote that was filled, with its legs.

    Parameters
    ----------
    events : Sequence[ChainEvent]
        Of the run, in chain order.
    symbols : Mapping[int, str]
        Underlyings by id.
    sides : Mapping[int, tuple[Side, Side]]
        Margin of taker and maker round the fill, by block.

    Returns
    -------
    tuple[QuoteFill, ...]
        In chain order.
    """
    found = []
    for filled in _named(events, "Exchange", "QuoteFilled"):
        mine = [e for e in events if e.tx_hash == filled.tx_hash and e.contract == "Exchange"]
        taker_id, maker_id = filled.values["takerId"], filled.values["makerId"]
        legs = []
        for settled in (e.values for e in mine if e.name == "Settled"):
            sign = 1 if settled["buyerId"] == taker_id else -1
            position = from_word(settled["instrument"] + _quantity(sign * settled["quantityWad"]), dict(symbols))
            legs.append(QuoteLeg(position, wad_to_float(settled["priceWad"])))
        fee_wad = sum(e.values["feeWad"] for e in mine if e.name == "FeePaid")
        taker, maker = sides.get(filled.block_number, (None, None))
        place = filled.block_ts, filled.block_number, _hex(filled.values["digest"])
        found.append(QuoteFill(*place, maker_id, taker_id, tuple(legs), fee_wad, taker, maker))
    return tuple(found)


def _hex(value: bytes | str) -> str:
    """Return a word of bytes as it is written."""
    return value if isinstance(value, str) else f"0x{value.hex()}"


def _quantity(wad: int) -> int:
    """Return a quantity as the low half of a position word."""
    return wad % (1 << 128)


def borrowing_of(events: Sequence[ChainEvent]) -> Borrowing:
    """Add up loans and interest.

    Parameters
    ----------
    events : Sequence[ChainEvent]
        Of the run; all interest must have been booked at its end.

    Returns
    -------
    Borrowing
        Accounts without interest are left out.
    """
    paid: dict[int, int] = defaultdict(int)
    earned: dict[int, int] = defaultdict(int)
    drawn: dict[int, int] = defaultdict(int)
    repaid: dict[int, int] = defaultdict(int)
    for change in (e.values for e in _cash(events, Reason.INTEREST)):
        side = paid if change["deltaWad"] < 0 else earned
        side[change["accountId"]] += abs(change["deltaWad"])
    for change in (e.values for e in _cash(events, Reason.WITHDRAWAL, Reason.DEPOSIT)):
        before, after = change["cashWad"] - change["deltaWad"], change["cashWad"]
        drawn[change["accountId"]] += max(0, min(before, 0) - min(after, 0))
        repaid[change["accountId"]] += max(0, min(after, 0) - min(before, 0))
    held: dict[int, dict[int, int]] = {i: {} for i, v in drawn.items() if v}
    for change in (e.values for e in _named(events, "Accounts", "CollateralChanged")):
        if change["accountId"] in held:
            held[change["accountId"]][change["tokenId"]] = change["amountWad"]
    loans = [e.values for e in _named(events, "Accounts", "LoansChanged")]
    reserve = sum(e.values["deltaWad"] for e in _cash(events, Reason.RESERVE))
    return Borrowing(
        drawn_wad={i: v for i, v in drawn.items() if v},
        repaid_wad={i: v for i, v in repaid.items() if v},
        paid_wad=dict(paid),
        earned_wad=dict(earned),
        reserve_wad=reserve,
        kept_wad=sum(paid.values()) - sum(earned.values()) - reserve,
        highest_debt_wad=max((v["debtWad"] for v in loans), default=0),
        highest_rate_e6=max((v["rateE6"] for v in loans), default=0),
        collateral_wad=held,
    )


def funding_of(events: Sequence[ChainEvent]) -> Funding:
    """Add up funding and check it against what clearing took.

    Parameters
    ----------
    events : Sequence[ChainEvent]
        Of the run; all funding must have been settled at its end.

    Returns
    -------
    Funding
        By account.
    """
    net: dict[int, int] = defaultdict(int)
    residue, booked = 0, 0
    waiting = False
    for event in events:
        if event.name != "CashChanged":
            continue
        change = event.values
        if change["reason"] == Reason.FUNDING:
            net[change["accountId"]] -= change["deltaWad"]
            booked += change["deltaWad"]
            waiting = True
        elif waiting and change["accountId"] == CLEARING_ID:
            # The ledger books the opposite side right behind each payment.
            residue += change["deltaWad"]
            waiting = False
    return Funding(
        updates=len(_named(events, "PerpMarket", "FundingUpdated")),
        net_wad=dict(net),
        paid_wad=sum(v for v in net.values() if v > 0),
        received_wad=-sum(v for v in net.values() if v < 0),
        residue_wad=booked + residue,
    )


def expiries_of(events: Sequence[ChainEvent], symbols: Mapping[int, str]) -> tuple[Expiry, ...]:
    """Find what every settled series paid.

    Parameters
    ----------
    events : Sequence[ChainEvent]
        Of the run.
    symbols : Mapping[int, str]
        Underlyings by id.

    Returns
    -------
    tuple[Expiry, ...]
        By time and underlying; series that nobody held are left out.
    """
    prices = {
        (e.values["underlyingId"], e.values["expiryTs"]): e.values["priceWad"]
        for e in _named(events, "Oracle", "SettlementPosted")
    }
    cash: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    counts: dict[tuple[int, int], int] = defaultdict(int)
    futures: set[tuple[int, int]] = set()
    pending: dict[int, int] = {}
    for event in events:
        values = event.values
        if event.name == "PositionChanged" and values["newWord"] == 0:
            word = unpack(values["oldWord"])
            if word.kind.is_linear:
                futures.add((word.underlying_id, word.expiry_ts))
        elif event.name == "CashChanged" and values["reason"] == Reason.SETTLEMENT:
            pending[values["accountId"]] = values["deltaWad"]
        elif event.name == "AccountSettled" and values["settled"]:
            series = values["underlyingId"], values["expiryTs"]
            cash[series][values["accountId"]] = pending.pop(values["accountId"], 0)
            counts[series] += values["settled"]
    order = sorted(cash, key=lambda series: (series[1], series[0]))
    return tuple(Expiry(symbols[s[0]], s[1], prices[s], counts[s], cash[s], s in futures) for s in order)


def fund_of(events: Sequence[ChainEvent], balance_wad: int) -> FundBook:
    """Explain the insurance fund's balance.

    Parameters
    ----------
    events : Sequence[ChainEvent]
        Of the run.
    balance_wad : int
        ``InsuranceFund.balanceWad`` at the end.

    Returns
    -------
    FundBook
        Its ``gap_wad`` is 0 when the events explain every wei.
    """
    mine = [e for e in events if e.name == "CashChanged" and e.values["accountId"] == FUND_ID]

    def total(*reasons: Reason) -> int:
        return sum(e.values["deltaWad"] for e in _cash(mine, *reasons))

    trade_fees = sum(e.values["feeWad"] for e in _named(events, "Exchange", "FeePaid") if e.values["toId"] == FUND_ID)
    liquidation_fees = sum(e.values["feeWad"] for e in _named(events, "Auction", "BidFilled"))
    drawn = sum(e.values["paidWad"] for e in _named(events, "InsuranceFund", "FundDrawn"))
    named = (Reason.DEPOSIT, Reason.RESERVE, Reason.INTEREST)
    rest = sum(e.values["deltaWad"] for e in mine) - total(*named)
    return FundBook(
        deposited_wad=total(Reason.DEPOSIT),
        trade_fees_wad=trade_fees,
        liquidation_fees_wad=liquidation_fees,
        reserve_wad=total(Reason.RESERVE),
        interest_wad=total(Reason.INTEREST),
        other_wad=rest - trade_fees - liquidation_fees + drawn,
        drawn_wad=drawn,
        balance_wad=balance_wad,
    )


def facts_of(
    events: Sequence[ChainEvent],
    symbols: Mapping[int, str],
    sides: Mapping[int, tuple[Side, Side]],
    fund_balance_wad: int,
) -> Facts:
    """Fold all events of a run.

    Parameters
    ----------
    events : Sequence[ChainEvent]
        In chain order, interest and funding booked at the end.
    symbols : Mapping[int, str]
        Underlyings by id.
    sides : Mapping[int, tuple[Side, Side]]
        Margin of taker and maker round each quote, by block.
    fund_balance_wad : int
        ``InsuranceFund.balanceWad`` at the end.

    Returns
    -------
    Facts
        Its ``problems`` name what does not add up.
    """
    return Facts(
        quotes_of(events, symbols, sides),
        borrowing_of(events),
        funding_of(events),
        expiries_of(events, symbols),
        fund_of(events, fund_balance_wad),
    )
