"""A fleet on two Ray workers says what one process says, to the last bit."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import ray
from helpers.fleets import assert_same, columns_of, folio_of, folios_of, market_of, names_of

from plimsoll.errors import InputError
from plimsoll.keeper import accounts as room
from plimsoll.mirror.fleet import Fleet
from plimsoll.mirror.fleet.ray_fleet import RayFleet, WorkerLostError
from plimsoll.params import Params

#: Ray gives its own agent 15 seconds to start, which a busy machine needs for compiling what it imports.
STARTS = 4
#: What the agents import, compiled before they are timed.
AGENTS = "import ray.dashboard.agent, ray.dashboard.http_server_agent, ray._private.runtime_env.agent.runtime_env_agent"


@pytest.fixture(scope="module", autouse=True)
def cluster(tmp_path_factory):
    """A cluster of this machine; what its processes compile is kept, so that the next start is quicker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))
        subprocess.run([sys.executable, "-c", AGENTS], check=False, capture_output=True)
        for start in range(1, STARTS + 1):
            try:
                ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
                break
            except Exception:
                ray.shutdown()
                if start == STARTS:
                    raise
        yield
        ray.shutdown()


@pytest.fixture
def fleets():
    market, folios = market_of(), folios_of(1, 150)
    columns, names = columns_of(market, folios), names_of(market)
    spread = RayFleet.from_columns(columns, names, workers=2)
    yield market, folios, Fleet.from_columns(columns, names), spread
    spread.close()


def test_evaluate__two_workers__same_to_the_last_bit_through_updates_and_rounds(fleets):
    market, _, single, spread = fleets
    assert len(spread) == len(single)
    assert_same(spread.evaluate(market, Params()), single.evaluate(market, Params()))
    draw = np.random.default_rng(3)
    changed = [folio_of(draw, 30) for _ in range(5)]
    more = columns_of(market, changed, account_ids=[3, 4, 9, 5_001, 5_000])
    for fleet in (single, spread):
        fleet.update(more)
    some = spread.refresh(market, Params())
    assert sorted(some.account_ids.tolist()) == [3, 4, 9, 5_000, 5_001]
    assert_same(spread.evaluate(market, Params()), single.evaluate(market, Params()))
    later = replace(market, rounds={**market.rounds, "ETH": market_of(0.9).rounds["ETH"]})
    assert len(spread.reprice(later.rounds["ETH"])) == len(single.reprice(later.rounds["ETH"]))
    assert_same(spread.evaluate(later, Params()), single.evaluate(later, Params()))
    with pytest.raises(InputError, match="account 3 twice"):
        spread.update(replace(more, account_ids=np.array([3, 3, 9, 5_001, 5_000], dtype=np.int64)))
    assert_same(spread.evaluate(later, Params()), single.evaluate(later, Params()))


def test_evaluate__a_worker_killed__one_typed_error(fleets):
    market, _, _, spread = fleets
    spread.evaluate(market, Params())
    ray.kill(spread._workers[0])
    with pytest.raises(WorkerLostError, match="a worker is lost"):
        spread.evaluate(market_of(1.1), Params())


def test_watch__two_workers__same_to_the_last_bit(fleets):
    market, _, single, spread = fleets
    wanted = [3, 7, 10**9]
    assert_same(*(fleet.watch(market, Params(), wanted, everybody=True) for fleet in (spread, single)))
    some = [fleet.watch(market, Params(), [*wanted, 12, 13]) for fleet in (spread, single)]
    orders = [np.argsort(found.account_ids) for found in some]
    assert_same(*(found.of(order) for found, order in zip(some, orders, strict=True)))


def test_margins__a_worker_killed_under_a_keeper__the_next_look_has_everybody(fleets, monkeypatch):
    """The fault: a keeper whose cluster had lost a worker failed in every pass until it was started again."""
    market, folios, single, spread = fleets
    monkeypatch.setattr(room, "known_market_of", lambda state, deployment: state.market)
    monkeypatch.setattr(room, "columns_of", lambda state, ids: columns_of(market, folios))
    made = [spread]

    def make():
        if made[-1] is not spread or kept:
            made.append(RayFleet(names_of(market), 2))
        return made[-1]

    kept = []
    kept.append(room.Accounts(SimpleNamespace(), make))
    state = SimpleNamespace(
        ts=0, market=market, accounts=dict.fromkeys(single.account_ids.tolist()), auctions={}, effects={}, lines={}
    )
    kept[0].take(state, list(state.accounts))
    kept[0].margins(state, Params())
    ray.kill(spread._workers[0])
    state.market = market_of(1.1)
    kept[0].take(state, ())
    found = kept[0].margins(state, Params())
    exact = single.evaluate(state.market, Params())
    assert found.account_ids.tolist() == exact.account_ids.tolist()
    np.testing.assert_array_equal(found.equity, exact.equity)
    np.testing.assert_array_equal(found.initial[~found.bounded], exact.initial[~found.bounded])
    assert len(made) == 2
    made[1].close()


@pytest.mark.parametrize(("workers", "processors"), [(0, 1), (1, 0)])
def test_init__no_workers__one_error(workers, processors):
    with pytest.raises(InputError, match="must be at least 1"):
        RayFleet(names_of(market_of()), workers, processors)
