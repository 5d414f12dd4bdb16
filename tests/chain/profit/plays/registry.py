"""A play is one plan of attack with random sizes, strikes and moments; here is its registry and what plays share."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.chain.profit.crowd import Crowd
from tests.chain.profit.judge import Judge, with_initial
from tests.chain.profit.world import World


@dataclass(slots=True)
class Scene:
    """Everything a play acts on."""

    world: World
    crowd: Crowd
    judge: Judge
    rng: random.Random

    def covered_move(self, **shares: float) -> None:
        """Move spots by shares of their range; whoever had the initial margin must be covered.

        Parameters
        ----------
        **shares : float
            By underlying, relative to its price range.
        """
        ranges = self.world.deployment.parameters["underlyings"]
        moves = {name: share * ranges[name]["price_range"] for name, share in shares.items()}
        before = with_initial(self.crowd)
        spots = {name: self.world.paths[name].spot * (1.0 + move) for name, move in moves.items()}
        self.world.lift_limits(True)
        self.world.move(between=lambda: self.judge.covered(self.world, self.crowd, before, moves), **spots)
        self.world.lift_limits(False)

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
