"""What the events of a run say about quotes, loans, funding, expiries and the insurance fund; integers in wad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plimsoll.model import Position
from plimsoll.units import wad_to_float


@dataclass(frozen=True, slots=True)
class Side:
    """Margin of one account in the block before a fill and in the block of the fill, wad of cash."""

    equity_before_wad: int
    initial_before_wad: int
    equity_after_wad: int
    initial_after_wad: int

    def as_json(self) -> dict[str, float]:
        """Return the figures in cash units."""
        return {
            "equityBefore": wad_to_float(self.equity_before_wad),
            "initialMarginBefore": wad_to_float(self.initial_before_wad),
            "equityAfter": wad_to_float(self.equity_after_wad),
            "initialMarginAfter": wad_to_float(self.initial_after_wad),
        }


@dataclass(frozen=True, slots=True)
class QuoteLeg:
    """One leg as the taker holds it; the position's price is the strike of an option."""

    position: Position
    price: float

    def as_json(self) -> dict[str, Any]:
        """Return the leg."""
        position = self.position
        return {
            "underlying": position.underlying,
            "kind": position.kind.word,
            "expiry": position.expiry_ts,
            "strike": position.price,
            "quantity": position.quantity,
            "price": self.price,
        }


@dataclass(frozen=True, slots=True)
class QuoteFill:
    """One signed quote that was filled whole."""

    ts: int
    block_number: int
    digest: str
    maker_id: int
    taker_id: int
    legs: tuple[QuoteLeg, ...]
    fee_wad: int
    taker: Side | None
    maker: Side | None

    def as_json(self) -> dict[str, Any]:
        """Return the fill with both sides' margin."""
        return {
            "timestamp": self.ts,
            "block": self.block_number,
            "digest": self.digest,
            "maker": self.maker_id,
            "taker": self.taker_id,
            "legs": [leg.as_json() for leg in self.legs],
            "fee": wad_to_float(self.fee_wad),
            "takerMargin": self.taker.as_json() if self.taker else None,
            "makerMargin": self.maker.as_json() if self.maker else None,
        }


@dataclass(frozen=True, slots=True)
class Borrowing:
    """Loans of the whole run: who owed, who earned, what the fund got; by account id, wad of cash.

    ``kept_wad`` is what borrowers paid beyond what lenders and fund got: the roundings, which stay in clearing.
    """

    drawn_wad: dict[int, int]
    repaid_wad: dict[int, int]
    paid_wad: dict[int, int]
    earned_wad: dict[int, int]
    reserve_wad: int
    kept_wad: int
    highest_debt_wad: int
    highest_rate_e6: int
    #: Collateral of the accounts that took cash out, at the end: amount by token id, wad.
    collateral_wad: dict[int, dict[int, int]]

    def as_json(self) -> dict[str, Any]:
        """Return the loans in cash units."""
        return {
            "borrowers": [
                {
                    "account": i,
                    "borrowed": wad_to_float(self.drawn_wad.get(i, 0)),
                    "repaid": wad_to_float(self.repaid_wad.get(i, 0)),
                    "interest": wad_to_float(paid),
                }
                for i, paid in sorted(self.paid_wad.items())
            ],
            "lenders": [{"account": i, "earned": wad_to_float(v)} for i, v in sorted(self.earned_wad.items())],
            "interestPaid": wad_to_float(sum(self.paid_wad.values())),
            "interestEarned": wad_to_float(sum(self.earned_wad.values())),
            "reserve": wad_to_float(self.reserve_wad),
            "keptByRoundingWei": self.kept_wad,
            "highestDebt": wad_to_float(self.highest_debt_wad),
            "highestRate": self.highest_rate_e6 / 1e6,
        }


@dataclass(frozen=True, slots=True)
class Funding:
    """Funding of the whole run by account id, wad of cash: what it paid, negative where it received.

    ``residue_wad`` is what is left when clearing's share is counted too: 0 or an error.
    """

    updates: int
    net_wad: dict[int, int]
    paid_wad: int
    received_wad: int
    residue_wad: int

    @property
    def kept_wad(self) -> int:
        """Roundings, which stay in clearing."""
        return self.paid_wad - self.received_wad

    def as_json(self) -> dict[str, Any]:
        """Return the payments in cash units, the check in wei."""
        return {
            "updates": self.updates,
            "accounts": [{"account": i, "paid": wad_to_float(v)} for i, v in sorted(self.net_wad.items())],
            "paid": wad_to_float(self.paid_wad),
            "received": wad_to_float(self.received_wad),
            "keptByRoundingWei": self.kept_wad,
            "sumWithClearingWei": self.residue_wad,
        }


@dataclass(frozen=True, slots=True)
class Expiry:
    """One settled series; ``cash_wad`` is what each account got, negative where it paid."""

    underlying: str
    expiry_ts: int
    price_wad: int
    positions: int
    cash_wad: dict[int, int]
    #: Futures settle against entries that differ from account to account; the difference was booked when they traded.
    has_futures: bool = False

    @property
    def paid_out_wad(self) -> int:
        """What the holders got."""
        return sum(value for value in self.cash_wad.values() if value > 0)

    @property
    def collected_wad(self) -> int:
        """What the writers paid."""
        return -sum(value for value in self.cash_wad.values() if value < 0)

    def as_json(self) -> dict[str, Any]:
        """Return the series in cash units."""
        return {
            "underlying": self.underlying,
            "expiry": self.expiry_ts,
            "price": wad_to_float(self.price_wad),
            "positions": self.positions,
            "paidOut": wad_to_float(self.paid_out_wad),
            "collected": wad_to_float(self.collected_wad),
            "accounts": [{"account": i, "cash": wad_to_float(v)} for i, v in sorted(self.cash_wad.items())],
        }


@dataclass(frozen=True, slots=True)
class FundBook:
    """Where the insurance fund's cash came from and went, wad; ``balance_wad`` is the contract's own view."""

    deposited_wad: int
    trade_fees_wad: int
    liquidation_fees_wad: int
    reserve_wad: int
    interest_wad: int
    other_wad: int
    drawn_wad: int
    balance_wad: int

    @property
    def gap_wad(self) -> int:
        """Balance beyond what the events explain; 0 or an error."""
        incomes = self.deposited_wad + self.trade_fees_wad + self.liquidation_fees_wad + self.reserve_wad
        return self.balance_wad - (incomes + self.interest_wad + self.other_wad - self.drawn_wad)

    def as_json(self) -> dict[str, Any]:
        """Return the book in cash units."""
        return {
            "deposited": wad_to_float(self.deposited_wad),
            "tradeFees": wad_to_float(self.trade_fees_wad),
            "liquidationFees": wad_to_float(self.liquidation_fees_wad),
            "interestReserve": wad_to_float(self.reserve_wad),
            "interestEarned": wad_to_float(self.interest_wad),
            "other": wad_to_float(self.other_wad),
            "drawn": wad_to_float(self.drawn_wad),
            "balance": wad_to_float(self.balance_wad),
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the events tell beside margins and liquidations."""

    quotes: tuple[QuoteFill, ...]
    borrowing: Borrowing
    funding: Funding
    expiries: tuple[Expiry, ...]
    fund: FundBook

    def problems(self) -> list[str]:
        """Return what does not add up to the wei; empty when everything does."""
        found = []
        if self.funding.residue_wad:
            found.append(f"I-05 funding: payments and clearing sum to {self.funding.residue_wad} wei, not 0")
        if self.funding.kept_wad < 0:
            found.append(f"I-05 funding: clearing paid {-self.funding.kept_wad} wei")
        if self.borrowing.kept_wad < 0:
            found.append(f"I-13 interest: clearing paid {-self.borrowing.kept_wad} wei")
        found += [
            f"I-05 settlement: {e.underlying} {e.expiry_ts} paid out {e.paid_out_wad - e.collected_wad} wei too much"
            for e in self.expiries
            if e.paid_out_wad > e.collected_wad and not e.has_futures
        ]
        if self.fund.gap_wad:
            found.append(f"fund: {self.fund.gap_wad} wei of the balance are in no event")
        return found
