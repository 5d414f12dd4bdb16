"""No honest round of the history is refused for its speed; the figures are those of docs/concepts/speed-limit.md.

The real chains run where their data are present; the synthetic market, which is labelled so, always.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import pyarrow.parquet as pa_parquet
import pytest

from plimsoll.market.chain_file import ChainSnapshot, load_chain
from plimsoll.market.fit.rounds import fit_snapshot
from plimsoll.mirror.speed_limit import VARIANCES, Anchor, Anchors, Limits, after, breaches, follow
from plimsoll.model import Round

#: The shipped defaults (offchain/plimsoll/config).
LIMITS = Limits(0.25, 0.7, 7_200)


def refused(rounds: Iterable[Round]) -> tuple[int, int, dict[str, float]]:
    """Rounds, how many the oracle would refuse, and the largest share of its limit that each kind of number took."""
    anchors, total, bad, worst = Anchors(), 0, 0, {"price": 0.0, "variance": 0.0}
    for found in rounds:
        bad += bool(breaches(anchors, found, LIMITS))
        for breach in breaches(anchors, found, Limits(1e-12, 1e-12, LIMITS.heartbeat_sec)):
            kind = "variance" if breach.name in VARIANCES else "price"
            since = anchors.surfaces[breach.expiry_ts] if breach.expiry_ts else anchors.head
            assert since is not None
            share = abs(breach.observed) / LIMITS.reach(breach.name, found.ts - since.ts)
            worst[kind] = max(worst[kind], share)
        anchors, total = after(anchors, found), total + 1
    return total, bad, worst


def fitted(chains: Sequence[ChainSnapshot], underlying: str) -> Iterable[Round]:
    """Rounds as the live feed makes them, each fit starting from the last."""
    previous = None
    for chain in chains:
        if chain.currency == underlying:
            previous = fit_snapshot(chain, previous=previous)
            yield previous.round


@pytest.mark.parametrize("underlying", ["ETH", "BTC"])
def test_history__real_chains__no_round_is_refused(data_folder, underlying) -> None:
    counts = {"deribit_chain_crash_2026-02.parquet": 39, "deribit_chain_daily.parquet": 236}
    for name, count in counts.items():
        total, bad, worst = refused(fitted(load_chain(data_folder / name), underlying))
        assert (total, bad) == (count, 0)
        assert worst["price"] < 0.06
        assert worst["variance"] < 0.34


@pytest.mark.parametrize(("file", "hours"), [("price_1h_binance_spot", 72_000), ("price_1h_okx_swap", 31_000)])
@pytest.mark.parametrize("underlying", ["ETH", "BTC"])
def test_history__hourly_prices__stay_within_the_limit(data_folder, file, hours, underlying) -> None:
    """An hour between two posts is the worst case of a feed that posts every minute."""
    table = pa_parquet.read_table(data_folder / f"{file}.parquet").to_pydict()
    rows = sorted(
        (int(ts.timestamp()), float(close))
        for ts, asset, close in zip(table["ts"], table["asset"], table["close"], strict=True)
        if asset == underlying
    )
    anchor: Anchor | None = None
    worst = 0.0
    for ts, close in rows:
        logs = {"spot": math.log(close)}
        if anchor is not None:
            # Every hour by the plain limit: the wider reach after an outage is not needed.
            worst = max(worst, abs(logs["spot"] - anchor.logs["spot"]))
        anchor = follow(anchor, ts, logs)
    assert len(rows) > hours
    assert worst < LIMITS.move


def test_history__synthetic_market__no_round_is_refused(synthetic_replay) -> None:
    assert synthetic_replay.data_source == "synthetic"
    for underlying in synthetic_replay.underlyings:
        rounds = [synthetic_replay.round_at(n, underlying) for n in range(len(synthetic_replay.timestamps))]
        total, bad, _ = refused(rounds)
        assert total == len(synthetic_replay.timestamps)
        assert bad == 0
