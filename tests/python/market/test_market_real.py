"""The real crash, where its data is present: the figures that docs/proof/fit-errors.md states."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from plimsoll.market.chain_file import load_chain
from plimsoll.market.fit.forwards import RATE_LIMIT, term_structure
from plimsoll.market.fit.rounds import fit_snapshot
from plimsoll.market.fit.svi_fit import Shape


@pytest.fixture(scope="module")
def fits(real_replay):
    found = []
    for u in real_replay.underlyings:
        previous = None
        for i in range(len(real_replay.timestamps)):
            fit = real_replay.fit_at(i, u, (), previous)
            previous = fit
            found.append(fit)
    return found


def test_the_file_is_the_crash(real_replay):
    assert real_replay.data_source == "real"
    assert {u: len(c) for u, c in real_replay.chains.items()} == {"BTC": 39, "ETH": 39}


def test_fit_errors_are_those_of_the_documentation(fits):
    slices = [s for fit in fits for s in fit.fits]
    rms = np.array([s.rms for s in slices])
    assert len(slices) == 931
    assert Counter(s.shape for s in slices) == {Shape.FIVE: 928, Shape.THREE: 3}
    assert float(np.median(rms)) < 0.0033
    assert float(np.percentile(rms, 95)) < 0.016
    assert rms.max() < 0.075
    assert min(s.butterfly for s in slices) > 0.0
    assert all(s.excess == 0.0 for s in slices)
    assert min(fit.round.confidence for fit in fits) > 0.55


def test_every_listed_expiry_can_be_required(real_replay):
    for chains in real_replay.chains.values():
        previous = None
        for chain in chains:
            for kept in (chain.expiries[:12], chain.expiries[-12:]):
                fit = fit_snapshot(chain, required_expiries=kept, previous=previous)
                assert tuple(s.expiry_ts for s in fit.round.surfaces) == kept
                previous = fit


def test_spot_lies_in_the_polled_range_and_rates_are_sane(real_replay):
    for chains in real_replay.chains.values():
        for chain in chains:
            term = term_structure(chain)
            assert chain.index.min() <= term.spot <= chain.index.max()
            assert abs(term.spot / chain.spot - 1.0) < 0.005
            far = [r for e, r in term.rates.items() if e - chain.ts > 30 * 86_400]
            assert all(0.0 < r < 0.08 for r in far)
            assert all(abs(r) <= RATE_LIMIT for r in term.rates.values())


def test_the_discounted_price_is_the_coin_price_times_the_index(real_replay):
    """D*Black76 equals mark*index where the rate is not clamped: the stated meaning of the rate."""
    chain = real_replay.chains["BTC"][20]
    fit = fit_snapshot(chain)
    for s in fit.round.surfaces:
        years = (s.expiry_ts - chain.ts) / 31_536_000
        if abs(s.rate) < RATE_LIMIT:
            assert s.forward * np.exp(-s.rate * years) == pytest.approx(fit.round.spot)


def test_settlement_prices_lie_between_their_neighbours(real_replay):
    stamps = real_replay.timestamps
    for u in real_replay.underlyings:
        for expiry in real_replay.expiries_between(u, stamps[0], stamps[-1]):
            after = next(i for i, ts in enumerate(stamps) if ts >= expiry)
            near = [term_structure(real_replay.chains[u][i]).spot for i in (after - 1, after)]
            twap = float(np.mean([p for _, p in real_replay.twap_samples(u, expiry)]))
            assert 0.95 * min(near) < twap < 1.05 * max(near)


@pytest.mark.parametrize("name", ["2026-01-14T1534Z_peak", "2026-02-05T2129Z_crash", "2026-08-22T1533Z_latest"])
def test_single_snapshots_fit(data_folder, name):
    for chain in load_chain(data_folder / f"deribit_snapshot_{name}.csv.gz"):
        fit = fit_snapshot(chain)
        assert len(fit.fits) == min(12, len(chain.expiries))
        assert max(s.rms for s in fit.fits) < 0.06
