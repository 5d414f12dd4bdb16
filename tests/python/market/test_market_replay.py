"""Replays: the synthetic market, the path between snapshots, settlement samples, bad options."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from plimsoll.errors import InputError
from plimsoll.market.replay import data_folder
from plimsoll.market.replay.data_folder import CHAIN_FILE, DATA_VARIABLE
from plimsoll.market.replay.replay import TWAP_SEC, load_replay, premium_at
from plimsoll.market.replay.synthetic import synthetic_market


@pytest.fixture
def no_data(monkeypatch):
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.setattr(data_folder, "DATA_BESIDE", Path("/nowhere"))


def test_data__without_a_named_folder__are_looked_for_beside_the_repository():
    assert Path(__file__).resolve().parents[4] / "shared" / "market-data" == data_folder.DATA_BESIDE


def test_the_synthetic_market_stands_in(no_data):
    replay = load_replay(rounds=3)
    assert replay.data_source == "synthetic"
    assert len(replay.timestamps) == 3
    assert replay.underlyings == ("BTC", "ETH")


def test_the_synthetic_market_is_its_seed(made_up):
    assert synthetic_market().table.equals(made_up.table)
    assert not synthetic_market(1).table.equals(made_up.table)
    names = made_up.table["underlying_name"].to_pylist()
    assert all(n.startswith("SYNTHETIC.") for n in names)


def test_the_synthetic_market_crashes_and_fits(synthetic_replay):
    replay = synthetic_replay
    assert len(replay.timestamps) == 39
    spots = {u: [] for u in replay.underlyings}
    for u in replay.underlyings:
        previous = None
        for i in range(0, 39, 4):
            fit = replay.fit_at(i, u, (), previous)
            previous = fit
            spots[u].append(fit.round.spot)
            assert max(f.rms for f in fit.fits) < 0.003
            assert all("left out" in w or "two-sided quotes" in w for w in fit.warnings)
    assert -0.36 < min(spots["ETH"]) / spots["ETH"][0] - 1.0 < -0.26
    assert -0.30 < min(spots["BTC"]) / spots["BTC"][0] - 1.0 < -0.18


def test_the_path_passes_through_every_round(synthetic_replay):
    for i in (0, 17, 38):
        fitted = synthetic_replay.round_at(i, "ETH")
        assert synthetic_replay.spot_between("ETH", fitted.ts) == pytest.approx(fitted.spot, rel=1e-9)


def test_settlement_samples_fill_the_window(synthetic_replay):
    replay = synthetic_replay
    due = replay.expiries_between("BTC", replay.timestamps[0], replay.timestamps[-1])
    assert len(due) >= 9
    assert all(replay.timestamps[0] < e <= replay.timestamps[-1] for e in due)
    assert replay.expiries_between("BTC", due[0], due[1]) == (due[1],)
    for count in (1, 7, 30, 1_800):
        samples = replay.twap_samples("BTC", due[0], count)
        stamps = [ts for ts, _ in samples]
        assert len(set(stamps)) == count
        assert stamps == sorted(stamps)
        assert due[0] - TWAP_SEC < stamps[0]
        assert stamps[-1] == due[0]
        assert all(price == replay.spot_between("BTC", ts) for ts, price in samples)


def test_the_listing_is_what_the_chain_lists(synthetic_replay):
    listing = synthetic_replay.listing(5)
    chain = synthetic_replay.chains["ETH"][5]
    assert tuple(listing["ETH"]) == chain.expiries
    assert all(len(strikes) > 5 for strikes in listing["ETH"].values())


def test_funding_gives_the_premium_while_it_is_fresh():
    series = (np.array([100, 28_900], dtype=np.int64), np.array([1e-4, -2e-4]))
    assert premium_at(series, 99) == 0.0
    assert premium_at(series, 100) == 1e-4
    assert premium_at(series, 28_900) == -2e-4
    assert premium_at(series, 28_900 + 43_200) == -2e-4
    assert premium_at(series, 28_900 + 43_201) == 0.0
    assert premium_at(None, 100) == 0.0
    assert premium_at((np.array([1]), np.array([-0.2])), 2) == -0.005


def test_a_named_folder_must_hold_the_data(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=f"does not hold {CHAIN_FILE}"):
        load_replay(tmp_path)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    with pytest.raises(InputError, match="does not hold"):
        load_replay()


@pytest.mark.parametrize("rounds", [0, -1, 40])
def test_rounds_outside_the_data_are_refused(no_data, rounds):
    with pytest.raises(InputError, match=f"rounds: {rounds} requested; expected 1 to 39"):
        load_replay(rounds=rounds)


def test_times_and_counts_outside_are_refused(synthetic_replay):
    with pytest.raises(InputError, match="no ETH price at 1"):
        synthetic_replay.spot_between("ETH", 1)
    with pytest.raises(InputError, match="0 samples; expected 1 to 1800"):
        synthetic_replay.twap_samples("ETH", synthetic_replay.timestamps[5], 0)
