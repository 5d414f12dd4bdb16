"""From option chains to rounds, one underlying at a time, each with its memory of accepted slices.

Beyond what a fit does, this keeps a first jump back until the next snapshot says the same (``market.fit.gate``), states
the running mean of a settlement window, and leaves out a held expiry that nothing prices instead of giving up the
round.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from plimsoll.constants import YEAR_SEC
from plimsoll.errors import InputError
from plimsoll.feeds.reading import Problem, Sample
from plimsoll.market.chain_file import ChainSnapshot
from plimsoll.market.fit.bands import Bands, bands_of
from plimsoll.market.fit.gate import Gate
from plimsoll.market.fit.rounds import SnapshotFit, fit_snapshot
from plimsoll.market.fit.svi_fit import Shape
from plimsoll.market.replay.window import with_mean
from plimsoll.mirror.speed_limit import Breach
from plimsoll.model import Round

MAX_PREMIUM: Final = 0.05
"""A perpetual further than this from the index is a wrong print: the round then carries it at spot, and says so."""


@dataclass(slots=True)
class SurfaceFitter:
    """Fits one underlying's chains, in the order of time.

    Parameters
    ----------
    source : str
        Named in problems.
    """

    source: str
    _fit: SnapshotFit | None = None
    _gate: Gate = field(default_factory=Gate)
    _offered: Round | None = None
    _seen_ts: int = 0

    @property
    def offered(self) -> Round | None:
        """The last round that passed, which stays until a newer one does."""
        return self._offered

    def take(
        self, snapshot: ChainSnapshot, premium: float, required: Collection[int], samples: Sequence[Sample]
    ) -> tuple[Round | None, tuple[Problem, ...]]:
        """Fit a chain.

        Parameters
        ----------
        snapshot : ChainSnapshot
            Newest of the underlying; one that was taken before gives the last round again.
        premium : float
            Perpetual over spot, less one.
        required : Collection[int]
            Expiries that positions hold.
        samples : Sequence[Sample]
            Spot seen in the half hour before; for the running mean.

        Returns
        -------
        offered : Round or None
            The newest round that may leave the source.
        problems : tuple[Problem, ...]
            Expiries left out, and why a chain gave no round.
        """
        if snapshot.ts <= self._seen_ts:
            return self._offered, ()
        self._seen_ts = snapshot.ts
        problems: list[Problem] = []
        if abs(premium) > MAX_PREMIUM:
            reason = f"perpetual is {premium:+.1%} from the index, the limit is {MAX_PREMIUM:.0%}; taken at spot"
            problems.append(self._problem(snapshot, reason))
            premium = 0.0
        try:
            fit = fit_snapshot(
                snapshot, required_expiries=required, perp_premium=premium, previous=self._fit, is_partial=True
            )
        except InputError as error:
            return self._offered, (*problems, self._problem(snapshot, f"no round: {error.message}"))
        problems += self._thin(snapshot, fit, set(required))
        offered, breaches = self._gate.offer(with_mean(fit.round, samples))
        problems += self._jumps(snapshot, breaches, is_offered=offered is not None)
        if offered is not None:
            self._offered, self._fit = offered, fit
        return self._offered, tuple(problems)

    def _thin(self, snapshot: ChainSnapshot, fit: SnapshotFit, held: Collection[int]) -> list[Problem]:
        """Name the expiries of which quotes were too few."""
        left_out = [
            (expiry, "held expiry left out: no slice is good enough") for expiry in fit.unfitted if expiry in held
        ]
        kept = [(one.expiry_ts, f"last slice kept, {one.age_sec} s old") for one in fit.fits if one.shape is Shape.HELD]
        return [Problem(self.source, f"{snapshot.currency} {expiry}", said) for expiry, said in (*left_out, *kept)]

    def _jumps(self, snapshot: ChainSnapshot, breaches: Sequence[Breach], *, is_offered: bool) -> list[Problem]:
        """Name what moved further than a round may at once."""
        ending = "; confirmed, offered at the limit" if is_offered else "; not offered until confirmed"
        return [
            Problem(
                self.source,
                f"{snapshot.currency} {breach.expiry_ts or ''}".rstrip(),
                f"{breach.name} moved by {breach.observed:+.3f}, the limit is {breach.limit:.3f}{ending}",
            )
            for breach in breaches
        ]

    def _problem(self, snapshot: ChainSnapshot, reason: str) -> Problem:
        return Problem(self.source, snapshot.currency, reason)


def bands_by_expiry(snapshot: ChainSnapshot) -> dict[int, Bands]:
    """Return what bid and ask of a chain allow, by expiry."""
    return bands_of(snapshot, (snapshot.expiry_ts - snapshot.ts) / YEAR_SEC)
