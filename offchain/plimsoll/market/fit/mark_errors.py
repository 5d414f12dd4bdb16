"""How far the marks of fitted rounds lie from the venue's, over every listed instrument of a run of snapshots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from plimsoll.errors import InputError
from plimsoll.market.chain_file import ChainSnapshot
from plimsoll.market.fit.bands import coin_price
from plimsoll.market.fit.gate import Gate
from plimsoll.market.fit.rounds import SnapshotFit, fit_snapshot, years_to
from plimsoll.market.fit.svi_fit import Shape
from plimsoll.mirror.svi import total_variance
from plimsoll.model import Surface

Vector = npt.NDArray[np.float64]

#: Lower ends of the groups by vega, as a share of the largest of the expiry, and by price, in coin; rising.
VEGA_EDGES: Final = (0.0, 0.005, 0.05, 0.5)
PRICE_EDGES: Final = (0.0, 0.0005, 0.005, 0.05)
WORST_SHOWN: Final = 5
VEGA_COUNTED: Final = 0.05
"""Errors of volatility are ranked among instruments with at least this share of the largest vega."""
CONF_THRESHOLD: Final = 0.55
"""The default ``confThreshold``, below which initial margin carries a charge."""
_ROOT_TWO_PI: Final = 2.5066282746310002


@dataclass(frozen=True, slots=True)
class Marks:
    """Every listed instrument of one surface, as columns of equal length.

    Attributes
    ----------
    strike, price, error_coin, error_usd, outside_coin : ndarray
        Strike; the venue's price, undiscounted, in coin; fitted less venue's, in coin and in USD; how far the fitted
        price lies outside bid and ask, in coin.
    vega_share, error_vol : ndarray
        Vega over the largest of the expiry; fitted less venue's volatility.
    """

    strike: Vector
    is_call: npt.NDArray[np.bool_]
    price: Vector
    error_coin: Vector
    error_usd: Vector
    outside_coin: Vector
    vega_share: Vector
    error_vol: Vector


def marks_of(snapshot: ChainSnapshot, surface: Surface) -> Marks:
    """Compare a surface with the venue at every listed strike, far wings and both rights included.

    Parameters
    ----------
    snapshot : ChainSnapshot
        What the surface was fitted to.
    surface : Surface
        One expiry.

    Returns
    -------
    Marks
        The venue's price is Black-76 at its own volatility and the row's forward: its mark without the seconds between
        the two. Rows without a volatility are left out.
    """
    rows = np.flatnonzero((snapshot.expiry_ts == surface.expiry_ts) & np.isfinite(snapshot.iv) & (snapshot.iv > 0.0))
    years = years_to(surface.expiry_ts, snapshot.ts)
    forward, is_call = snapshot.underlying[rows], snapshot.is_call[rows]
    k, venue = np.log(snapshot.strike[rows] / forward), snapshot.iv[rows] * np.sqrt(years)
    std = np.sqrt(total_variance(surface.svi, k))
    price, fitted = coin_price(is_call, k, venue), coin_price(is_call, k, std)
    bid = np.nan_to_num(snapshot.bid[rows], nan=0.0)
    ask = np.where(snapshot.ask[rows] > 0.0, snapshot.ask[rows], np.inf)
    d1 = -k / venue + 0.5 * venue
    vega = np.exp(-0.5 * d1 * d1) / _ROOT_TWO_PI
    return Marks(
        strike=snapshot.strike[rows],
        is_call=is_call,
        price=price,
        error_coin=fitted - price,
        error_usd=(fitted - price) * forward,
        outside_coin=np.maximum(np.maximum(bid - fitted, fitted - ask), 0.0),
        vega_share=vega / vega.max() if rows.size else vega,
        error_vol=(std - venue) / np.sqrt(years),
    )


@dataclass(slots=True)
class ErrorWalk:
    """Fits one snapshot of an underlying after another, as the keeper does, and keeps what it sees.

    Attributes
    ----------
    shapes : Counter of str
        Slices by shape.
    slices, left_out, snapshots, refused : int
        Slices fitted or held; expiries that had room in a round and no slice good
        enough for it; snapshots seen; rounds that were not offered.
    confidence : list of float
        Of every round.
    """

    shapes: Counter[str] = field(default_factory=Counter)
    slices: int = 0
    left_out: int = 0
    snapshots: int = 0
    refused: int = 0
    confidence: list[float] = field(default_factory=list)
    _marks: list[tuple[int, int, Marks]] = field(default_factory=list)
    _gate: Gate = field(default_factory=Gate)
    _previous: SnapshotFit | None = None

    def add(self, snapshot: ChainSnapshot) -> None:
        """Fit the next snapshot; ``InputError`` when nothing of it can be fitted."""
        last = self._previous.round.surfaces if self._previous else ()
        # As if somebody held every series of the last round: none of them may drop out for a bad quote.
        fit = fit_snapshot(snapshot, required_expiries=[s.expiry_ts for s in last], previous=self._previous)
        self.snapshots += 1
        self.confidence.append(fit.round.confidence)
        self.slices += len(fit.fits)
        self.shapes.update(one.shape.value for one in fit.fits)
        self.left_out += len(fit.unfitted)
        self._marks += [(snapshot.ts, s.expiry_ts, marks_of(snapshot, s)) for s in fit.round.surfaces]
        offered, _ = self._gate.offer(fit.round)
        if offered is None:
            self.refused += 1
        else:
            self._previous = fit

    def to_json(self) -> dict[str, Any]:
        """Build the entry of the plimsoll.markErrors/1 document."""
        found = self._table()
        return {
            "snapshots": self.snapshots,
            "roundsNotOffered": self.refused,
            "slices": {
                "total": self.slices,
                **{s.value: self.shapes[s.value] for s in Shape},
                "leftOut": self.left_out,
            },
            "confidence": {
                "median": float(np.median(self.confidence)),
                "least": min(self.confidence),
                "belowThreshold": sum(c < CONF_THRESHOLD for c in self.confidence),
            },
            "instruments": int(found["price"].size),
            "byVega": _groups(found, "vega_share", VEGA_EDGES),
            "byPrice": _groups(found, "price", PRICE_EDGES),
            "worstByPrice": self._worst(found, np.abs(found["error_coin"])),
            "worstByVol": self._worst(found, np.abs(found["error_vol"]) * (found["vega_share"] >= VEGA_COUNTED)),
        }

    def _table(self) -> dict[str, npt.NDArray[Any]]:
        """Join the columns of all surfaces."""
        columns: dict[str, npt.NDArray[Any]] = {
            name: np.concatenate([getattr(marks, name) for _, _, marks in self._marks]) for name in Marks.__slots__
        }
        sizes = [marks.strike.size for _, _, marks in self._marks]
        columns["ts"] = np.repeat([ts for ts, _, _ in self._marks], sizes)
        columns["expiry"] = np.repeat([expiry for _, expiry, _ in self._marks], sizes)
        return columns

    def _worst(self, found: dict[str, npt.NDArray[Any]], rank: Vector) -> list[dict[str, Any]]:
        """Name the instruments of the largest errors, one of each slice."""
        rows: list[dict[str, Any]] = []
        seen: set[tuple[int, int]] = set()
        for i in np.argsort(-rank, kind="stable")[:2_000]:
            key = (int(found["ts"][i]), int(found["expiry"][i]))
            if key in seen or len(rows) == WORST_SHOWN:
                continue
            seen.add(key)
            rows.append(
                {
                    "timestamp": key[0],
                    "expiry": key[1],
                    "strike": float(found["strike"][i]),
                    "right": "C" if found["is_call"][i] else "P",
                    "venueCoin": float(found["price"][i]),
                    "errorCoin": float(found["error_coin"][i]),
                    "errorUsd": float(found["error_usd"][i]),
                    "errorVolPoints": 100.0 * float(found["error_vol"][i]),
                    "vegaShare": float(found["vega_share"][i]),
                    "outsideQuotesCoin": float(found["outside_coin"][i]),
                }
            )
        return rows


def _groups(found: dict[str, npt.NDArray[Any]], name: str, edges: Sequence[float]) -> list[dict[str, Any]]:
    """Return the errors of every group of a column, by rising lower end."""
    groups = []
    for low, high in zip(edges, (*edges[1:], np.inf), strict=True):
        rows = (found[name] >= low) & (found[name] < high)
        if not rows.any():
            continue
        coin, vol = np.abs(found["error_coin"][rows]), 100.0 * np.abs(found["error_vol"][rows])
        outside = found["outside_coin"][rows]
        groups.append(
            {
                "from": low,
                "instruments": int(rows.sum()),
                "coin": {"p99": float(np.quantile(coin, 0.99)), "worst": float(coin.max())},
                "usdWorst": float(np.abs(found["error_usd"][rows]).max()),
                "volPoints": {
                    "median": float(np.median(vol)),
                    "p99": float(np.quantile(vol, 0.99)),
                    "worst": float(vol.max()),
                },
                "outsideQuotes": {"count": int((outside > 0.0).sum()), "worstCoin": float(outside.max())},
            }
        )
    return groups


def walk_errors(
    snapshots: Sequence[ChainSnapshot], progress: Callable[[str], None] | None = None
) -> dict[str, ErrorWalk]:
    """Walk snapshots of any underlyings in the order of time.

    Parameters
    ----------
    snapshots : sequence of ChainSnapshot
        Rising in time.
    progress : callable, optional
        Told every snapshot.

    Returns
    -------
    dict of str to ErrorWalk
        By underlying.

    Raises
    ------
    InputError
        When there are no snapshots, or nothing of one can be fitted.
    """
    walks: dict[str, ErrorWalk] = {}
    for number, snapshot in enumerate(snapshots):
        walks.setdefault(snapshot.currency, ErrorWalk()).add(snapshot)
        if progress is not None:
            progress(f"{snapshot.currency} {np.datetime64(snapshot.ts, 's')}: {number + 1} of {len(snapshots)}")
    if not walks:
        raise InputError("FILE", "holds no snapshots")
    return walks
