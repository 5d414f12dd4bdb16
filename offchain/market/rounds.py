"""From a chain snapshot to the round that the signers post."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from offchain.errors import DomainError, InputError
from offchain.market.chain_file import ChainSnapshot
from offchain.market.clean import MIN_ROWS, CleanReport, Quotes, clean
from offchain.market.forwards import YEAR_SEC, Term, term_structure
from offchain.market.svi_fit import SliceFit, fit_slice, warnings_of
from offchain.model import Round, Surface, Svi

MAX_EXPIRIES: Final = 12
MIN_LIFE_SEC: Final = 3_600
"""An expiry nearer than this enters a round only when a position holds it."""
PREMIUM_BOUND: Final = 0.5
"""A perpetual further than this fraction from spot is a mistake, not a price."""
FIT_SCALE: Final = 0.05
"""Weighted RMS error, in volatility, at which the confidence of a slice is halved."""
FULL_QUOTES: Final = 10
"""Usable rows from which the number of quotes no longer lowers the confidence."""


@dataclass(frozen=True, slots=True)
class SnapshotFit:
    """A round and how it came about.

    Attributes
    ----------
    round : Round
        Inside the oracle's domain.
    fits : tuple of SliceFit
        One for each surface, in the same order.
    report : CleanReport
        What cleaning removed.
    warnings : tuple of str
        Butterfly and calendar checks that fail, expiries left out.
    """

    round: Round
    fits: tuple[SliceFit, ...]
    report: CleanReport
    warnings: tuple[str, ...]


def snapshot_to_round(
    snapshot: ChainSnapshot,
    *,
    required_expiries: Collection[int] = (),
    perp_premium: float = 0.0,
    previous: Round | None = None,
) -> Round:
    """Fit a snapshot and return its round; parameters as in ``fit_snapshot``."""
    return fit_snapshot(
        snapshot, required_expiries=required_expiries, perp_premium=perp_premium, previous=previous
    ).round


def fit_snapshot(
    snapshot: ChainSnapshot,
    *,
    required_expiries: Collection[int] = (),
    perp_premium: float = 0.0,
    previous: Round | None = None,
) -> SnapshotFit:
    """Fit one SVI slice per chosen expiry of a snapshot.

    Parameters
    ----------
    snapshot : ChainSnapshot
        One underlying at one time.
    required_expiries : collection of int
        Expiries that positions hold; those still alive are always in the round.
    perp_premium : float
        Perpetual over spot, less one.
    previous : Round, optional
        Earlier round of the same underlying; its slices are tried as starting points.

    Returns
    -------
    SnapshotFit
        With at most ``MAX_EXPIRIES`` surfaces.

    Raises
    ------
    InputError
        When a required expiry cannot be fitted, more than ``MAX_EXPIRIES`` are required, or none is usable.
    DomainError
        When the premium is not a number within ``PREMIUM_BOUND``.
    """
    if not abs(perp_premium) <= PREMIUM_BOUND:
        raise DomainError("perp", f"premium over spot is {perp_premium:g}, the limit is +-{PREMIUM_BOUND:g}")
    quotes, report = clean(snapshot)
    chosen = choose_expiries(snapshot, quotes, required_expiries)
    starts = {s.expiry_ts: s.svi for s in previous.surfaces} if previous else {}
    fits = tuple(fit_slice(quotes[expiry], starts.get(expiry)) for expiry in chosen)
    term = term_structure(snapshot)
    fitted = Round(
        underlying=snapshot.currency,
        ts=snapshot.ts,
        spot=term.spot,
        perp=term.spot * (1.0 + perp_premium),
        confidence=confidence_of(fits),
        surfaces=tuple(_surface(term, expiry, fit.svi) for expiry, fit in zip(chosen, fits, strict=True)),
    )
    left_out = [f"expiry {e}: left out" for e in snapshot.expiries if e not in chosen]
    arbitrage = warnings_of(fits, [quotes[e].years for e in chosen])
    return SnapshotFit(fitted, fits, report, tuple(arbitrage + left_out))


def choose_expiries(
    snapshot: ChainSnapshot, quotes: Mapping[int, Quotes], required_expiries: Collection[int]
) -> tuple[int, ...]:
    """Choose the required expiries, then the nearest others until the round is full.

    Parameters
    ----------
    snapshot : ChainSnapshot
        Names the source and the time.
    quotes : mapping of int to Quotes
        Usable rows by expiry.
    required_expiries : collection of int
        Expiries at or before the snapshot are ignored: they settle, they are not marked.

    Returns
    -------
    tuple of int
        Strictly increasing, at most ``MAX_EXPIRIES``.

    Raises
    ------
    InputError
        When a required expiry has too few usable rows, too many are required, or none is usable.
    """
    required = sorted({e for e in required_expiries if e > snapshot.ts})
    label = f"{snapshot.source} {snapshot.currency} {snapshot.ts}"
    if len(required) > MAX_EXPIRIES:
        raise InputError(label, f"{len(required)} expiries required, a round holds {MAX_EXPIRIES}")
    usable = [e for e, rows in quotes.items() if rows.iv.size >= MIN_ROWS]
    for expiry in required:
        if expiry not in usable:
            seen = quotes[expiry].iv.size if expiry in quotes else 0
            raise InputError(label, f"required expiry {expiry} has {seen} usable quotes; a fit needs {MIN_ROWS}")
    others = [e for e in sorted(usable) if e not in required and e - snapshot.ts >= MIN_LIFE_SEC]
    chosen = sorted(required + others[: MAX_EXPIRIES - len(required)])
    if not chosen:
        raise InputError(label, f"no expiry has the {MIN_ROWS} usable quotes that a fit needs")
    return tuple(chosen)


def confidence_of(fits: Sequence[SliceFit]) -> float:
    """Confidence of a round from the quality of its fits.

    Parameters
    ----------
    fits : sequence of SliceFit
        At least one.

    Returns
    -------
    float
        Mean over expiries of ``min(1, n/FULL_QUOTES) / (1 + (rms/FIT_SCALE)^2)``, in (0, 1].
    """
    scores = [min(1.0, f.quotes / FULL_QUOTES) / (1.0 + (f.weighted_rms / FIT_SCALE) ** 2) for f in fits]
    return float(np.mean(scores))


def years_to(expiry_ts: int, ts: int) -> float:
    """Time between two instants, in years of 365 days."""
    return (expiry_ts - ts) / YEAR_SEC


def _surface(term: Term, expiry_ts: int, svi: Svi) -> Surface:
    return Surface(expiry_ts=expiry_ts, forward=term.forwards[expiry_ts], rate=term.rates[expiry_ts], svi=svi)
