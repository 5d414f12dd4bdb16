"""From a chain snapshot to the round that the signers post."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from plimsoll.constants import YEAR_SEC
from plimsoll.errors import DomainError, InputError
from plimsoll.market.chain_file import ChainSnapshot
from plimsoll.market.fit.calendars import calendars_of, mended
from plimsoll.market.fit.clean import CleanReport, Quotes, clean
from plimsoll.market.fit.forwards import Term, term_structure
from plimsoll.market.fit.neighbours import Limits
from plimsoll.market.fit.svi_fit import Prior, Shape, SliceFit, butterflies_of, fit_slice, hold_slice
from plimsoll.mirror.settlement_window import WINDOW_SEC
from plimsoll.model import MAX_EXPIRIES, Round, Surface

MIN_LIFE_SEC: Final = 3_600
"""An expiry nearer than this enters a round only when a position holds it."""
PREMIUM_BOUND: Final = 0.5
"""A perpetual further than this fraction from spot is a mistake, not a price."""
FIT_SCALE: Final = 0.05
"""Weighted RMS error, in volatility, at which the confidence of a slice is halved."""
FULL_QUOTES: Final = 10
"""Usable rows from which the number of quotes no longer lowers the confidence; one without two quotes is half a row."""
SHAPE_SCORES: Final = {Shape.FIVE: 1.0, Shape.LEVEL: 0.9, Shape.THREE: 0.8, Shape.FLAT: 0.6, Shape.HELD: 0.5}
MIN_SCORE: Final = 0.3
"""An expiry that no position holds enters a round only with a slice of this score: it would cost all the others."""
HELD_HALF_SEC: Final = 3_600
"""Age at which the confidence of a held slice has halved again."""


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
        Checks that fail, slices of fewer numbers, slices that are held, expiries left out.
    priors : mapping of int to Prior
        Last accepted slice of every expiry that is still alive, whether or not it is in the round.
    unfitted : tuple of int
        Expiries that had room in the round and no slice good enough for it.
    """

    round: Round
    fits: tuple[SliceFit, ...]
    report: CleanReport
    warnings: tuple[str, ...]
    priors: Mapping[int, Prior] = field(default_factory=dict)
    unfitted: tuple[int, ...] = ()


def fit_snapshot(
    snapshot: ChainSnapshot,
    *,
    required_expiries: Collection[int] = (),
    perp_premium: float = 0.0,
    previous: SnapshotFit | None = None,
    is_partial: bool = False,
) -> SnapshotFit:
    """Fit one slice per chosen expiry of a snapshot.

    Parameters
    ----------
    snapshot : ChainSnapshot
        One underlying at one time.
    required_expiries : collection of int
        Expiries that positions hold; those still alive are always in the round.
    perp_premium : float
        Perpetual over spot, less one.
    previous : SnapshotFit, optional
        Earlier fit of the same underlying; its slices settle what quotes leave open, and stand in for what cannot be
        fitted.
    is_partial : bool
        Leave out a required expiry that can neither be fitted nor held, and those beyond ``MAX_EXPIRIES``, so that
        holders of one bad series do not stop the round of all others; ``unfitted`` names them.

    Returns
    -------
    SnapshotFit
        With at most ``MAX_EXPIRIES`` surfaces.

    Raises
    ------
    InputError
        When a required expiry can neither be fitted nor held or more than ``MAX_EXPIRIES`` are required, unless
        ``is_partial``; when none is usable.
    DomainError
        When the premium is not a number within ``PREMIUM_BOUND``.
    """
    if not abs(perp_premium) <= PREMIUM_BOUND:
        raise DomainError("perp", f"premium over spot is {perp_premium:g}, the limit is +-{PREMIUM_BOUND:g}")
    quotes, report = clean(snapshot)
    fitter = _Fitter(snapshot, quotes, term_structure(snapshot), previous.priors if previous else {})
    chosen_fits, unfitted = _choose(fitter, required_expiries, is_partial=is_partial)
    fits = mended(chosen_fits, snapshot.ts, fitter.refit)
    surfaces = tuple(fitter.surface(fit) for fit in fits)
    spot = fitter.term.spot
    fitted = Round(
        underlying=snapshot.currency,
        ts=snapshot.ts,
        spot=spot,
        perp=spot * (1.0 + perp_premium),
        confidence=confidence_of(fits),
        surfaces=surfaces,
    )
    chosen = {fit.expiry_ts for fit in fits}
    why = dict.fromkeys(unfitted, ", no slice is good enough")
    left_out = [f"expiry {e}: left out{why.get(e, '')}" for e in snapshot.expiries if e not in chosen]
    arbitrage = [*butterflies_of(fits), *calendars_of(fits, snapshot.ts, quotes)]
    warnings = (*arbitrage, *_doubts(fits), *left_out)
    return SnapshotFit(fitted, fits, report, warnings, fitter.priors(fits, surfaces), unfitted)


@dataclass(frozen=True, slots=True)
class _Fitter:
    """Fits or holds one expiry after another of a snapshot."""

    snapshot: ChainSnapshot
    quotes: Mapping[int, Quotes]
    term: Term
    known: Mapping[int, Prior]

    @property
    def label(self) -> str:
        """Name of the snapshot in errors."""
        return f"{self.snapshot.source} {self.snapshot.currency} {self.snapshot.ts}"

    def fit(self, expiry_ts: int) -> SliceFit | None:
        """Return a fitted slice, else the last accepted one, else nothing."""
        ts, rows, prior = self.snapshot.ts, self.quotes.get(expiry_ts), self.known.get(expiry_ts)
        in_window = expiry_ts - ts < WINDOW_SEC
        # Inside its settlement window part of a payoff is known and a quote is no longer one of a plain option.
        if rows is not None and expiry_ts not in self.term.doubtful and not (in_window and prior is not None):
            found = fit_slice(rows, None if prior is None else prior.at(expiry_ts, ts))
            if found is not None:
                return found
        return None if prior is None else hold_slice(prior, expiry_ts, ts, None if in_window else rows)

    def refit(self, expiry_ts: int, limits: Limits) -> SliceFit | None:
        """Return a fitted slice that stays between its neighbours and is good enough for a round, or nothing."""
        ts, rows, prior = self.snapshot.ts, self.quotes.get(expiry_ts), self.known.get(expiry_ts)
        if rows is None or expiry_ts in self.term.doubtful or (expiry_ts - ts < WINDOW_SEC and prior is not None):
            return None
        found = fit_slice(rows, None if prior is None else prior.at(expiry_ts, ts), limits)
        return found if found is not None and score_of(found) >= MIN_SCORE else None

    def surface(self, fit: SliceFit) -> Surface:
        """Return the surface of a slice; a forward that quotes do not confirm is carried from spot as it was."""
        expiry_ts, term = fit.expiry_ts, self.term
        if expiry_ts in term.forwards and expiry_ts not in term.doubtful:
            return Surface(expiry_ts, term.forwards[expiry_ts], term.rates[expiry_ts], fit.svi)
        rate = self.known[expiry_ts].rate
        forward = term.spot * math.exp(rate * years_to(expiry_ts, self.snapshot.ts))
        return Surface(expiry_ts, forward, rate, fit.svi)

    def priors(self, fits: Iterable[SliceFit], surfaces: Iterable[Surface]) -> dict[int, Prior]:
        """Return the last accepted slice of every expiry that is alive."""
        ts = self.snapshot.ts
        kept = {expiry: prior for expiry, prior in self.known.items() if expiry > ts}
        for fit, surface in zip(fits, surfaces, strict=True):
            if fit.shape is not Shape.HELD:
                kept[fit.expiry_ts] = Prior(fit.svi, ts, surface.rate)
        return kept


def _choose(
    fitter: _Fitter, required_expiries: Collection[int], *, is_partial: bool
) -> tuple[tuple[SliceFit, ...], tuple[int, ...]]:
    """Fit the required expiries, then the nearest others until the round is full; by rising expiry.

    Returned beside them are the expiries that would have had room but no slice good enough. Those at or before the
    snapshot are ignored: they settle, they are not marked.
    """
    snapshot = fitter.snapshot
    found, unfitted = _required(fitter, required_expiries, is_partial=is_partial)
    for expiry in snapshot.expiries:
        is_full = len(found) == MAX_EXPIRIES
        if expiry in found or expiry in unfitted or expiry - snapshot.ts < MIN_LIFE_SEC or is_full:
            continue
        fit = fitter.fit(expiry)
        if fit is None or score_of(fit) < MIN_SCORE:
            unfitted.append(expiry)
        else:
            found[expiry] = fit
    if not found:
        raise InputError(fitter.label, "no expiry has quotes that a slice fits")
    return tuple(found[e] for e in sorted(found)), tuple(unfitted)


def _required(
    fitter: _Fitter, required_expiries: Collection[int], *, is_partial: bool
) -> tuple[dict[int, SliceFit], list[int]]:
    """Fit what positions hold; what cannot be is an error, or named beside it."""
    required = sorted({e for e in required_expiries if e > fitter.snapshot.ts})
    if len(required) > MAX_EXPIRIES and not is_partial:
        raise InputError(fitter.label, f"{len(required)} expiries required, a round holds {MAX_EXPIRIES}")
    found: dict[int, SliceFit] = {}
    unfitted = []
    for expiry in required:
        fit = fitter.fit(expiry) if len(found) < MAX_EXPIRIES else None
        if fit is not None:
            found[expiry] = fit
        elif is_partial:
            unfitted.append(expiry)
        else:
            rows = fitter.quotes.get(expiry)
            seen = 0 if rows is None else rows.quoted
            raise InputError(
                fitter.label,
                f"required expiry {expiry} cannot be fitted: {seen} usable quotes with two sides allow no slice inside "
                "all quotes and free of arbitrage, and no earlier one is known",
            )
    return found, unfitted


def _doubts(fits: Iterable[SliceFit]) -> list[str]:
    """Say which slices have fewer numbers than five, and which are held."""
    found = []
    for fit in fits:
        if fit.shape is Shape.HELD:
            found.append(f"expiry {fit.expiry_ts}: last accepted slice kept, {fit.age_sec} s old")
        elif fit.shape is not Shape.FIVE:
            found.append(f"expiry {fit.expiry_ts}: {fit.shape.value} slice, {fit.quoted} two-sided quotes")
    return found


def confidence_of(fits: Sequence[SliceFit]) -> float:
    """Confidence of a round from the quality of its fits.

    Parameters
    ----------
    fits : sequence of SliceFit
        At least one.

    Returns
    -------
    float
        Mean of the average and of the worst ``score_of``, in (0, 1]: one bad slice among twelve is not averaged away.
    """
    scores = [score_of(fit) for fit in fits]
    return 0.5 * (float(np.mean(scores)) + min(scores))


def score_of(fit: SliceFit) -> float:
    """Score of one slice: by shape, usable rows, error, and the age of a held one.

    Parameters
    ----------
    fit : SliceFit

    Returns
    -------
    float
        ``shape*min(1, n/FULL_QUOTES)*2^(-age/HELD_HALF_SEC)/(1 + (error/FIT_SCALE)^2)``, where ``n`` counts a row
        without two quotes half and ``error`` is the larger of the weighted RMS and the excess over the quotes.
    """
    rows = 1.0 if fit.shape is Shape.HELD else min(1.0, 0.5 * (fit.quotes + fit.quoted) / FULL_QUOTES)
    error = max(fit.weighted_rms, fit.excess) / FIT_SCALE
    return SHAPE_SCORES[fit.shape] * rows * math.exp2(-fit.age_sec / HELD_HALF_SEC) / (1.0 + error * error)


def years_to(expiry_ts: int, ts: int) -> float:
    """Time between two instants, in years of 365 days."""
    return (expiry_ts - ts) / YEAR_SEC
