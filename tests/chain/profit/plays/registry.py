"""A play is one plan of attack with random sizes, strikes and moments; here is its registry and what plays share."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.chain.profit.crowd import Crowd
from tests.chain.profit.judge import Judge, with_initial
from tests.chain.profit.world import DAY, World

#: Section 10.1: expiries in different states of volatility.
APART_SLACK = 1.45


@dataclass(slots=True)
class Scene:
    """Everything a play acts on."""

    world: World
    crowd: Crowd
    judge: Judge
    rng: random.Random
    #: Whether prices moved further than any margin covers: then somebody's loss is no hole.
    has_gap: bool = False

    def covered_move(self, slack: float = 1.0, first: Callable[[], None] | None = None, **shares: float) -> None:
        """Move spots by shares of their range; whoever had the initial margin must be covered.

        Parameters
        ----------
        slack : float
            By how much more than its cover a loss is promised to stay.
        first : callable, optional
            What attackers do at the new prices before anybody looks.
        **shares : float
            By underlying, relative to its price range.
        """
        ranges = self.world.deployment.parameters["underlyings"]
        moves = {name: share * ranges[name]["price_range"] for name, share in shares.items()}
        before = with_initial(self.crowd)
        spots = {name: self.world.paths[name].spot * (1.0 + move) for name, move in moves.items()}

        def between() -> None:
            if first is not None:
                first()
            self.judge.covered(self.world, self.crowd, before, moves, slack)

        self.world.move(between=between, **spots)

    def vols_apart(self, name: str, up: int, down: int, share: float) -> None:
        """Move a spot with the volatility of one expiry at its upper and of another at its lower state.

        Parameters
        ----------
        name : str
            Underlying.
        up, down : int
            Expiries.
        share : float
            Of the price range.
        """
        path, params = self.world.paths[name], self.world.deployment.parameters["underlyings"][name]
        for expiry, shock in ((up, params["vol_up"]), (down, -params["vol_down"])):
            days = max((expiry - self.world.now) / DAY, 1.0)
            path.vols[expiry] = path.vol * (1.0 + shock * (30.0 / days) ** (0.30 if days <= 30.0 else 0.13))
        self.covered_move(APART_SLACK, **{name: share})

    @contextmanager
    def before_the_keeper(self) -> Iterator[None]:
        """What happens inside is over before the keeper acts; keep it shorter than its quarter of an hour."""
        keeper, self.world.keeper = self.world.keeper, lambda: None
        yield
        self.world.keeper = keeper

    def price_range(self, name: str) -> float:
        """Largest grid move of an underlying."""
        return float(self.world.deployment.parameters["underlyings"][name]["price_range"])


@dataclass(frozen=True, slots=True)
class Play:
    """One plan."""

    name: str
    weight: int
    run: Callable[[Scene], None]


PLAYS: list[Play] = []


def play(weight: int = 1) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Register a plan under the name of its function."""

    def add(run: Callable[[Scene], None]) -> Callable[[Scene], None]:
        PLAYS.append(Play(run.__name__.replace("_", " "), weight, run))
        return run

    return add
