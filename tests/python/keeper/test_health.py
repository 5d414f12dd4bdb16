"""Health means progress: what must move, how long it may stand, and what a quiet chain changes."""

import pytest

from plimsoll.keeper.config.sections import HealthSection
from plimsoll.keeper.health import Progress, readiness
from plimsoll.keeper.lease import Role

SECTION = HealthSection(duty_sec=60, head_sec=30, index_sec=40, start_sec=300, ready_lag_blocks=3)


class Clock:
    now = 5_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def progress(clock):
    made = Progress(SECTION, ("prices", "liquidations"), clock)
    made.duty_done("prices")
    made.duty_done("liquidations")
    made.head_seen(100)
    made.index_at(100)
    return made


def beat(progress, head, index=None):
    progress.duty_done("prices")
    progress.duty_done("liquidations")
    progress.head_seen(head)
    if index is not None:
        progress.index_at(index)


def test_health__everything_moves__is_true(progress):
    assert progress.health().is_ok
    assert progress.health().document()["head"] == 100


def test_health__one_duty_without_a_pass__is_false_and_names_it(progress, clock):
    clock.now += 29
    progress.head_seen(101)
    progress.index_at(101)
    clock.now += 29
    progress.head_seen(102)
    progress.index_at(102)
    progress.duty_done("prices")
    clock.now += 3
    verdict = progress.health()
    assert verdict.problems == ("liquidations: last pass 61 s ago, limit 60 s",)


def test_health__quiet_chain_that_endpoints_agree_on__stays_true(progress, clock):
    for _ in range(200):
        clock.now += 20
        beat(progress, 100)
    assert progress.health().is_ok
    assert progress.quiet_sec == 4_000


def test_health__first_block_after_a_quiet_hour__does_not_count_the_hour(progress, clock):
    for _ in range(180):
        clock.now += 20
        beat(progress, 100)
    beat(progress, 101)
    assert progress.health().is_ok
    for _ in range(3):
        clock.now += 20
        beat(progress, 101)
    assert progress.health().problems == ("index: 1 blocks behind and unmoved for 60 s, limit 40 s",)


def test_health__no_head_agreed_on__is_false_although_passes_count(progress, clock):
    for _ in range(3):
        clock.now += 20
        progress.duty_done("prices")
        progress.duty_done("liquidations")
    assert progress.health().problems == ("head: endpoints last agreed 60 s ago, limit 30 s",)


def test_health__index_stands_while_the_head_moves__is_false(progress, clock):
    for head in range(101, 105):
        clock.now += 20
        beat(progress, head)
    assert progress.health().problems == ("index: 4 blocks behind and unmoved for 60 s, limit 40 s",)


def test_health__slow_index_that_moves_and_reorganisation__stay_true(progress, clock):
    for head in range(101, 140):
        clock.now += 20
        beat(progress, head * 10, head)
    beat(progress, 1_000, 90)
    assert progress.health().is_ok


def test_health__after_the_start__waits_for_the_backfill_and_no_longer(clock):
    progress = Progress(SECTION, ("prices",), clock)
    for _ in range(14):
        clock.now += 20
        progress.head_seen(1)
        assert progress.health().is_ok
    for _ in range(2):
        clock.now += 20
        progress.head_seen(1)
    problems = progress.health().problems
    assert any(problem.startswith("prices: no pass since the start") for problem in problems)
    assert any(problem.startswith("index: empty") for problem in problems)


def test_duty_done__name_that_nobody_watches__is_refused(progress):
    with pytest.raises(KeyError):
        progress.duty_done("pricse")


@pytest.mark.parametrize(
    ("role", "lag", "written_sec", "keys", "problem"),
    [
        (Role.LEADER, 3, 1.0, True, None),
        (Role.STANDBY, 0, 60.0, True, None),
        (Role.STARTING, 0, 1.0, True, "lease: neither leader nor standby yet"),
        (Role.LEADER, 4, 1.0, True, "index: 4 blocks behind, limit 3"),
        (Role.LEADER, 0, 61.0, True, "database: last write 61 s ago, limit 60 s"),
        (Role.LEADER, 0, float("inf"), True, "database: last write inf s ago, limit 60 s"),
        (Role.LEADER, 0, 1.0, False, "keys: not opened yet"),
    ],
)
def test_ready__each_condition__is_needed(progress, role, lag, written_sec, keys, problem):
    progress.head_seen(100 + lag)
    verdict = readiness(progress, SECTION, role, written_sec, keys)
    assert verdict.problems == ((problem,) if problem else ())
    assert verdict.is_ok is (problem is None)


def test_ready__before_the_first_block__is_false(clock):
    assert not readiness(Progress(SECTION, (), clock), SECTION, Role.LEADER, 0.0, True).is_ok
