"""What happened in the scene of a strategy vault, in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

SCHEMA: Final = "plimsoll.strategy/1"


@dataclass(frozen=True, slots=True)
class StrategyRound:
    """How the vault stood at one round: spot and exit value in cash, price of a share, delta in units."""

    ts: int
    spot: float
    value: float
    price: float
    delta: float


@dataclass(frozen=True, slots=True)
class StrategyStory:
    """Deposits, a cycle of options, the fee and a redemption; money in cash units.

    ``band`` is half the width that delta may drift, units; ``hedged`` the notional of all hedges; ``left_with`` is what
    the depositor who brought ``left_by`` got back, ``stays`` what the shares of the others are worth to who leaves.
    """

    strategy: str
    deposited: float
    premium: float
    band: float
    hedges: int
    hedged: float
    history: tuple[StrategyRound, ...]
    price: float
    high: float
    fee: float
    left_with: float
    left_by: float
    stays: float
    settle_gas: int
    problems: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the story as ``plimsoll.strategy/1``."""
        return {
            "schema": SCHEMA,
            "strategy": self.strategy,
            "deposited": self.deposited,
            "premium": self.premium,
            "band": self.band,
            "hedges": self.hedges,
            "hedgedNotional": self.hedged,
            "rounds": [asdict(one) for one in self.history],
            "sharePrice": self.price,
            "highestPrice": self.high,
            "fee": self.fee,
            "leftWith": self.left_with,
            "broughtBy": self.left_by,
            "stays": self.stays,
            "settleGas": self.settle_gas,
            "conservation": not self.problems,
            "problems": list(self.problems),
        }
