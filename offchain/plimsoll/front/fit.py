"""From option chains to a market: fitted surfaces, and how well they fit, as an object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from plimsoll.analytics.report.figures import day_of, smile_figure, smile_of_slice
from plimsoll.analytics.report.smile import Smile, slice_figure, smile_of
from plimsoll.dialects.times import zone_of
from plimsoll.errors import InputError
from plimsoll.files.market import load_market
from plimsoll.frames import Table, Tabular, arrow_of
from plimsoll.front.legs import expiry_ts_of
from plimsoll.front.text import aligned
from plimsoll.market.chain_file import ChainSnapshot, load_chain, split_table
from plimsoll.market.market_file import market_document
from plimsoll.model import Market

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True, slots=True, repr=False)
class Fit(Tabular):
    """A market fitted to option chains of one time, beside the quotes it was fitted to.

    Attributes
    ----------
    market : Market
        The cash token at par, and the wrapped token of each underlying.
    smiles : mapping of str to Smile
        Quotes, fit and no-arbitrage checks of every expiry, by underlying.
    source : str
        Where the quotes are from.
    """

    market: Market
    smiles: Mapping[str, Smile]
    source: str

    def columns(self) -> Mapping[str, Sequence[object]]:
        """Return one row per expiry: quotes, root mean square and largest error in volatility points, checks passed.

        Points are hundredths of a volatility per year. ``is_free`` says that neither check found arbitrage.
        """
        rows = [(name, one, one.to_json()) for name, smile in self.smiles.items() for one in smile.slices]
        return {
            "underlying": [name for name, _, _ in rows],
            "expiry_ts": [one.expiry_ts for _, one, _ in rows],
            "quotes": [one.strike.size for _, one, _ in rows],
            "rms_points": [float(found["rmsVolPoints"]) for _, _, found in rows],
            "largest_points": [float(found["maxErrorVolPoints"]) for _, _, found in rows],
            "is_free": [bool(found["butterflyFree"] and found["calendarFree"]) for _, _, found in rows],
        }

    def plot(self, underlying: str, expiry: str | int) -> Figure:
        """Draw the quotes of one expiry, the fit through them, and the error below.

        Parameters
        ----------
        underlying : str
        expiry : str or int
            Day like ``"27MAR26"``, or unix seconds.

        Returns
        -------
        plotly.graph_objects.Figure

        Raises
        ------
        InputError
            When the fit has no such underlying or expiry.
        """
        if underlying not in self.smiles:
            raise InputError("underlying", f"{underlying!r} is not one of {', '.join(self.smiles)}")
        slices = {one.expiry_ts: one for one in self.smiles[underlying].slices}
        ts = expiry_ts_of(expiry)
        if ts not in slices:
            raise InputError("expiry", f"{day_of(ts)} is not one of {', '.join(map(day_of, slices))}")
        return slice_figure(slices[ts])

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {len(smile.slices)} expiries" for name, smile in self.smiles.items())
        return f"<Fit of {self.source}: {counts}>"

    def __str__(self) -> str:
        table = self.columns()
        rows = [
            (f"{name} {day_of(ts)}", str(quotes), f"{rms:.2f}", f"{most:.2f}", "yes" if is_free else "NO")
            for name, ts, quotes, rms, most, is_free in zip(*table.values(), strict=True)
        ]
        header = ("fit less quotes, vol points", "quotes", "rms", "largest", "free of arbitrage")
        return "\n".join((f"fitted to {self.source}", *aligned(header, rows)))


def fit(source: str | Path | Table | Sequence[ChainSnapshot], timezone: str | None = None) -> Fit:
    """Fit the volatility surfaces of an option chain, as the oracle's signers do.

    Parameters
    ----------
    source : str or Path or DataFrame or sequence of ChainSnapshot
        Chain file (parquet, CSV), a pandas, polars or Arrow table with its columns, or what
        :func:`plimsoll.sample_chain` returns. Of several times the last is taken.
    timezone : str, optional
        Zone of times that name none, like ``"Europe/Berlin"``; without it such times are refused.

    Returns
    -------
    Fit
        With at most 12 expiries per underlying.

    Raises
    ------
    InputError
        When a column or row is outside the documented domain, or no expiry can be fitted.

    Examples
    --------
    >>> import plimsoll as pm
    >>> found = pm.fit(pm.sample_chain(synthetic=True)[:1])
    >>> found
    <Fit of synthetic market: BTC 11 expiries>
    >>> max(found.to_frame()["rms_points"]) < 0.5
    True
    """
    snapshots = _snapshots(source, zone_of(timezone))
    if not snapshots:
        raise InputError("source", "holds no snapshot")
    last_ts = max(snapshot.ts for snapshot in snapshots)
    chosen = [snapshot for snapshot in snapshots if snapshot.ts == last_ts]
    smiles = {snapshot.currency: smile_of(snapshot) for snapshot in chosen}
    market = load_market(market_document({name: smile.round for name, smile in smiles.items()}))
    return Fit(market, smiles, Path(chosen[0].source).name)


def _snapshots(source: str | Path | Table | Sequence[ChainSnapshot], zone: ZoneInfo | None) -> Sequence[ChainSnapshot]:
    if isinstance(source, str | Path):
        return load_chain(Path(source), zone)
    if not isinstance(source, Sequence):
        return split_table(arrow_of(source), "table", zone)
    return [snapshot for snapshot in source if isinstance(snapshot, ChainSnapshot)]


@dataclass(frozen=True, slots=True, repr=False)
class SmileLines(Tabular):
    """The volatility smiles of one underlying of a market.

    Attributes
    ----------
    market : Market
    underlying : str
    """

    market: Market
    underlying: str

    def columns(self) -> Mapping[str, Sequence[object]]:
        """Return one row per expiry and strike: strike in cash, volatility as a decimal per year."""
        found = self.market.rounds[self.underlying]
        lines = [smile_of_slice(found, number) for number in range(len(found.surfaces))]
        return {
            "expiry_ts": [s.expiry_ts for s, (strikes, _) in zip(found.surfaces, lines, strict=True) for _ in strikes],
            "strike": [float(strike) for strikes, _ in lines for strike in strikes],
            "vol": [float(vol) for _, vols in lines for vol in vols],
        }

    def plot(self) -> Figure:
        """Draw one line per expiry."""
        return smile_figure(self.market.rounds[self.underlying])

    def __repr__(self) -> str:
        return f"<SmileLines of {self.underlying}: {len(self.market.rounds[self.underlying].surfaces)} expiries>"

    def __str__(self) -> str:
        found = self.market.rounds[self.underlying]
        rows = []
        for number, surface in enumerate(found.surfaces):
            strikes, vols = smile_of_slice(found, number)
            moneyness = (0.8, 0.9, 1.0, 1.1, 1.2)
            at = np.interp([surface.forward * share for share in moneyness], strikes, vols, left=np.nan, right=np.nan)
            cells = ("" if np.isnan(vol) else f"{vol:.1%}" for vol in at)
            rows.append((f"{self.underlying} {day_of(surface.expiry_ts)}", *cells))
        return "\n".join(aligned(("volatility at, of the forward", "80%", "90%", "100%", "110%", "120%"), rows))


def smile(market: Market, underlying: str) -> SmileLines:
    """Return the volatility smiles of one underlying, to print, tabulate or draw.

    Parameters
    ----------
    market : Market
    underlying : str

    Returns
    -------
    SmileLines

    Raises
    ------
    InputError
        When the market does not have the underlying.

    Examples
    --------
    >>> import plimsoll as pm
    >>> print(pm.smile(pm.load_market("examples/market.json"), "BTC"))
    volatility at, of the forward    80%    90%   100%   110%   120%
    BTC 2026-03-27                 48.0%  44.1%  42.1%  42.2%  43.6%
    """
    if underlying not in market.rounds:
        raise InputError("underlying", f"{underlying!r} is not one of {', '.join(market.rounds)}")
    return SmileLines(market, underlying)
