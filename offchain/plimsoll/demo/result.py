"""What a demo run found; the reports only read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from plimsoll.constants import AGREEMENT_BOUND
from plimsoll.demo.facts import Facts
from plimsoll.model import Mode

STATES = ("healthy", "margin call", "liquidatable", "insolvent")


@dataclass(frozen=True, slots=True)
class Figures:
    """Margin of one account at one moment, in cash units."""

    equity: float
    initial: float
    maintenance: float
    standard_initial: float

    def as_json(self) -> dict[str, float]:
        """Return the fields by their names in the interface."""
        return {
            "equity": self.equity,
            "initialMargin": self.initial,
            "maintenanceMargin": self.maintenance,
            "standardInitialMargin": self.standard_initial,
        }


@dataclass(frozen=True, slots=True)
class PathPoint:
    """One account at one round."""

    round_number: int
    ts: int
    figures: Figures
    state: str


@dataclass(slots=True)
class AccountResult:
    """One account over the whole run."""

    account_id: int
    name: str
    mode: Mode
    positions: int
    path: list[PathPoint] = field(default_factory=list)
    end_positions: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the account as ``plimsoll.demo/1`` has it."""
        return {
            "id": self.account_id,
            "name": self.name,
            "mode": self.mode.name,
            "positions": self.positions,
            "endPositions": self.end_positions,
            "state": self.path[-1].state,
            "start": self.path[0].figures.as_json(),
            "end": self.path[-1].figures.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Liquidation:
    """One bid that was mined; ``price`` is the factor of the market value, ``paid`` in cash units."""

    account_id: int
    name: str
    round_number: int
    ts: int
    kind: str
    fraction: float
    price: float
    paid: float
    equity_before: float
    equity_after: float
    maintenance_before: float
    maintenance_after: float
    market_equity_before: float = 0.0
    bidder_id: int = 0
    bidder: str = ""
    fee: float = 0.0
    from_reserve: float = 0.0
    from_fund: float = 0.0
    socialised: float = 0.0

    @property
    def is_insolvent(self) -> bool:
        """Whether the bidder was paid for taking the account over."""
        return self.kind == "insolvent"

    def as_json(self) -> dict[str, Any]:
        """Return the liquidation as ``plimsoll.demo/1`` has it."""
        return {
            "account": self.account_id,
            "round": self.round_number,
            "kind": self.kind,
            "fraction": self.fraction,
            "price": self.price,
            "paid": self.paid,
            "name": self.name,
            "timestamp": self.ts,
            "excessBefore": self.equity_before - self.maintenance_before,
            "excessAfter": self.equity_after - self.maintenance_after,
            "marketEquityBefore": self.market_equity_before,
            "bidder": self.bidder_id,
            "fee": self.fee,
            "fromReserve": self.from_reserve,
            "fromFund": self.from_fund,
            "socialised": self.socialised,
        }


@dataclass(frozen=True, slots=True)
class MarketPoint:
    """Spot and 30-day volatility at the money of one underlying at one round."""

    ts: int
    spot: float
    atm_vol: float


@dataclass(frozen=True, slots=True)
class CoverPoint:
    """The insurance fund at one round beside the two largest defaults at once, cash; ``who`` and ``row`` of any row."""

    round_number: int
    ts: int
    fund: float
    cover_two_within: float
    cover_two: float
    who: tuple[str, ...]
    row: str
    covered_share: float

    def as_json(self) -> dict[str, Any]:
        """Return the point as ``plimsoll.demo/1`` has it."""
        return {
            "round": self.round_number,
            "timestamp": self.ts,
            "fund": self.fund,
            "coverTwoWithin": self.cover_two_within,
            "coverTwo": self.cover_two,
            "accounts": list(self.who),
            "row": self.row,
            "coveredShare": self.covered_share,
        }


@dataclass(frozen=True, slots=True)
class RemoteStory:
    """What became of collateral on another chain: locked there, traded on here, sold here, taken out there.

    Amounts are whole tokens, money is in cash units; ``problems`` names what did not add up between both books.
    """

    locked: float
    haircut: float
    bought: float
    spot_before: float
    spot_after: float
    equity_before: float
    initial_before: float
    equity_after: float
    maintenance_after: float
    sold_share: float
    seized: float
    released: float
    waits: float
    problems: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the story as ``plimsoll.demo/1`` has it."""
        return {
            "locked": self.locked,
            "haircut": self.haircut,
            "bought": self.bought,
            "spotBefore": self.spot_before,
            "spotAfter": self.spot_after,
            "equityBefore": self.equity_before,
            "initialMarginBefore": self.initial_before,
            "equityAfter": self.equity_after,
            "maintenanceMarginAfter": self.maintenance_after,
            "soldShare": self.sold_share,
            "seized": self.seized,
            "released": self.released,
            "waitsInEscrow": self.waits,
            "conservation": not self.problems,
        }


@dataclass(slots=True)
class GasBook:
    """Gas used by step; the report shows the largest and the mean."""

    used: dict[str, list[int]] = field(default_factory=dict)

    def note(self, step: str, gas: int) -> None:
        """Add one transaction.

        Parameters
        ----------
        step : str
            Name of the step.
        gas : int
            Gas used.
        """
        self.used.setdefault(step, []).append(gas)

    def mean(self, step: str) -> int:
        """Return the mean gas of ``step``, 0 when it never happened."""
        values = self.used.get(step, [])
        return round(sum(values) / len(values)) if values else 0

    def largest(self, step: str) -> int:
        """Return the largest gas of ``step``, 0 when it never happened."""
        return max(self.used.get(step, [0]))


@dataclass(slots=True)
class DemoResult:
    """One run of the main job."""

    data_source: str
    rounds: dict[str, int]
    accounts: list[AccountResult]
    market: dict[str, list[MarketPoint]]
    liquidations: list[Liquidation] = field(default_factory=list)
    cover: list[CoverPoint] = field(default_factory=list)
    facts: Facts | None = None
    margin_calls: int = 0
    settled_series: int = 0
    gas: GasBook = field(default_factory=GasBook)
    seconds: float = 0.0
    vault_raw: dict[str, int] = field(default_factory=dict)
    conservation_problems: list[str] = field(default_factory=list)
    index_problems: list[str] = field(default_factory=list)
    insurance_fund: float = 0.0
    socialised_loss: float = 0.0
    max_difference: float = 0.0
    max_difference_account: str = ""
    margins_compared: int = 0
    #: Names of accounts that are no trader's: clearing and the fund.
    names: dict[int, str] = field(default_factory=dict)
    #: Token symbols by id.
    tokens: dict[int, str] = field(default_factory=dict)
    remote: RemoteStory | None = None

    def name_of(self, account_id: int) -> str:
        """Return what an account is called in the report.

        Parameters
        ----------
        account_id : int
            Account.

        Returns
        -------
        str
            Its id when it has no name.
        """
        return self.names.get(account_id, str(account_id))

    @property
    def is_conserved(self) -> bool:
        """Whether every balance of the vault matched the accounts, to the wei, whenever it was checked."""
        return not self.conservation_problems

    @property
    def is_agreed(self) -> bool:
        """Whether mirror and chain stayed within the accuracy contract, and the index with the chain."""
        return self.max_difference <= AGREEMENT_BOUND and not self.index_problems

    def as_json(self) -> dict[str, Any]:
        """Return the run as ``plimsoll.demo/1``, with a few keys more."""
        facts = self.facts
        steps = {"round": "round", "trade": "trade", "startAuction": "startAuction", "bid": "bid"}
        return {
            "schema": "plimsoll.demo/1",
            "dataSource": self.data_source,
            "rounds": dict(self.rounds),
            "seconds": self.seconds,
            "accounts": [account.as_json() for account in self.accounts],
            "liquidations": [liquidation.as_json() for liquidation in self.liquidations],
            "conservation": self.is_conserved,
            "insuranceFund": self.insurance_fund,
            "socialisedLoss": self.socialised_loss,
            "maxMirrorChainDifference": self.max_difference,
            "gas": {key: self.gas.mean(step) for key, step in steps.items()},
            "gasLargest": {step: self.gas.largest(step) for step in sorted(self.gas.used)},
            "marginCalls": self.margin_calls,
            "settledSeries": self.settled_series,
            "marginsCompared": self.margins_compared,
            "rfq": [quote.as_json() for quote in facts.quotes] if facts else [],
            "borrowing": facts.borrowing.as_json() if facts else None,
            "funding": facts.funding.as_json() if facts else None,
            "expiries": [expiry.as_json() for expiry in facts.expiries] if facts else [],
            "insolvencies": [item.as_json() for item in self.liquidations if item.is_insolvent],
            "fund": facts.fund.as_json() if facts else None,
            "fundCover": [point.as_json() for point in self.cover],
            "remoteCollateral": self.remote.as_json() if self.remote else None,
            "indexMatchesChain": not self.index_problems,
            "problems": [*self.conservation_problems, *self.index_problems],
        }
