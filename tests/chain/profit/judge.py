"""What must hold whatever the attackers do: nothing leaves that was not brought, and every move is covered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from plimsoll.chain.words import unpack
from plimsoll.model import Kind
from tests.chain.profit.crowd import Crowd
from tests.chain.profit.world import WAD, World, is_error

#: Cash that rounding, discounts on dust and a day's interest on it may move; every hole is worth hundreds of times it.
TOLERANCE_CASH = 25.0
#: Rounding of what a move may lose.
COVER_SLACK = 1.001
SENTENCES = {
    "P-01": "the purse holds no more than was brought",
    "P-02": "a move loses no more than a linear position of the same initial requirement",
    "P-04": "open interest is the sum of the long quantities",
    "P-05": "a slice costs a liquidated account no more than the price path says",
    "P-06": "a requirement in STANDARD is never below the one in SINGLE",
    "P-07": "an order ends with a transfer of its account",
    "P-08": "who held cash when a loss was due bears its share",
    "P-09": "a unit of another chain is in one place, and whoever a claim was sold to takes it home",
}


class ExtractionError(AssertionError):
    """A property does not hold."""


def fail(key: str, seen: str) -> None:
    """Name the property that broke and what was seen."""
    raise ExtractionError(f"{key}: {SENTENCES[key]}; {seen}")


@dataclass(slots=True)
class Judge:
    """Counts of what was checked over a run."""

    checks: Counter[str] = field(default_factory=Counter)

    def require(self, holds: bool, key: str, seen: str) -> None:
        """Check one property."""
        self.checks[key] += 1
        if not holds:
            fail(key, seen)

    def purse(self, crowd: Crowd, play: str) -> None:
        """Nothing left that was not brought."""
        gain = crowd.gain()
        self.require(gain <= TOLERANCE_CASH, "P-01", f"{play}: {crowd.brought:,.0f} brought, {gain:,.2f} more taken")

    def open_interest(self, world: World) -> None:
        """Every series: its open interest is what accounts are long."""
        longs: Counter[tuple[int, int, int]] = Counter()
        for account in range(int(world.at["Accounts"].call("nextAccountId"))):
            snapshot = world.ask("Accounts", "snapshotOf", account)
            for word in () if is_error(snapshot) else map(unpack, snapshot.positions):
                longs[word.underlying_id, int(word.kind), word.expiry_ts] += max(word.quantity_wad, 0)
        for path in world.paths.values():
            series = [(Kind.PERP, 0)] + [
                (kind, e) for kind in (Kind.CALL, Kind.PUT, Kind.FUTURE) for e in path.listed(world.now)
            ]
            for kind, expiry in series:
                held = world.open_interest(path.name, kind, expiry)
                wanted = longs[path.underlying_id, int(kind), expiry]
                self.require(held == wanted, "P-04", f"{path.name} {kind.name} {expiry}: {held}, longs {wanted}")

    def covered(
        self,
        world: World,
        crowd: Crowd,
        before: dict[int, tuple[int, int]],
        moves: dict[str, float],
        slack: float,
    ) -> None:
        """After a move: accounts that had their initial margin lost at most what it is made for."""
        ranges = world.deployment.parameters["underlyings"]
        reach = max([1.0, *(abs(move) / ranges[name]["price_range"] for name, move in moves.items())])
        for account, (equity, initial) in before.items():
            margin = crowd.margin(account)
            if margin is None:
                continue
            loss, cover = (equity - margin.equityWad) / WAD, initial / WAD * reach * slack * COVER_SLACK
            self.require(
                loss <= cover + 1.0, "P-02", f"account {account}: {moves} lost {loss:,.2f}, covered {cover:,.2f}"
            )


def with_initial(crowd: Crowd) -> dict[int, tuple[int, int]]:
    """Equity and initial margin of the accounts that have theirs."""
    found = {}
    for account in crowd.accounts:
        margin = crowd.margin(account)
        if margin is not None and margin.equityWad >= int(margin.initialWad):
            found[account] = (margin.equityWad, int(margin.initialWad))
    return found
