"""Draws plays, lets the attackers cash out, and judges what they hold."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chain.profit.crowd import Crowd
from tests.chain.profit.judge import ExtractionError, Judge
from tests.chain.profit.keeper import act
from tests.chain.profit.plays.registry import Play, Scene
from tests.chain.profit.world import Base, World, reset

SAY_EVERY_SEC = 15.0


@dataclass(slots=True)
class Result:
    """Counts of a run; ``broken`` names the property that fell, and by which play."""

    episodes: int = 0
    seconds: float = 0.0
    plays: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    broken: dict[str, str] = field(default_factory=dict)


def _episode(base: Base, plan: Play, judge: Judge, rng: random.Random, result: Result) -> None:
    reset(base)
    world = World(base)
    world.keeper = lambda: act(world, judge)
    world.lift_limits(True)
    world.tick(5)
    world.post()
    crowd = Crowd(world)
    scene = Scene(world, crowd, judge, rng)
    try:
        plan.run(scene)
        crowd.cash_out()
        if not scene.has_gap:
            judge.purse(crowd, plan.name)
        judge.open_interest(world)
    finally:
        result.calls.update(world.refused)


def run(base: Base, plans: Sequence[Play], episodes: int, seed: int, *, keep_going: bool = False) -> Result:
    """Play episodes; stop at the first property that falls unless told to go on."""
    rng, judge, result = random.Random(seed), Judge(), Result()
    started = said = time.monotonic()
    weights = [plan.weight for plan in plans]
    # Every plan once, then by weight: a short run reaches all of them.
    for n in range(episodes):
        plan = plans[n] if n < len(plans) else rng.choices(plans, weights)[0]
        result.plays[plan.name] += 1
        result.episodes += 1
        try:
            _episode(base, plan, judge, rng, result)
        except ExtractionError as found:
            result.broken.setdefault(plan.name, str(found))
            if not keep_going:
                break
        if time.monotonic() - said > SAY_EVERY_SEC:
            said = time.monotonic()
            print(f"   {result.episodes} episodes, {sum(result.calls.values()):,} calls", file=sys.stderr, flush=True)
    result.seconds = time.monotonic() - started
    result.checks = judge.checks
    return result
