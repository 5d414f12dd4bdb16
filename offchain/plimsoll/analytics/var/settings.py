"""What a risk figure is computed at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from plimsoll.analytics.series.moves import VOL_SHARE
from plimsoll.errors import InputError

MAX_HORIZON_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class RiskSettings:
    """Level, horizon and the assumptions of the methods.

    Attributes
    ----------
    level : float
        Confidence of VaR and ES, in [0.5, 1).
    horizon_days : int
        Days over which the portfolio is held unchanged.
    confidence : float
        Coverage of the confidence intervals.
    decay : float
        EWMA weight of yesterday's variance.
    degrees : float
        Degrees of freedom of the Student-t distribution, above 2.
    correlation : float or None
        Replaces every correlation between the prices of two underlyings; those with volatilities stay.
    vol_share : float
        Where the history has no volatilities, they move by this share of the log move of each price's own EWMA
        volatility; 0 holds them.
    vol_of_vol : float or None
        Replaces that share in the methods with a covariance: log volatility of volatilities per square root of a year.
    spot_vol : float or None
        Correlation of a volatility with its own price, beside ``vol_of_vol`` (default 0) or ``correlation`` (default:
        as measured).
    paths : int
        Monte-Carlo scenarios per replicate, a power of two.
    replicates : int
        Independent scrambles of the Sobol sequence.
    seed : int
    """

    level: float = 0.99
    horizon_days: int = 1
    confidence: float = 0.95
    decay: float = 0.94
    degrees: float = 4.0
    correlation: float | None = None
    vol_share: float = VOL_SHARE
    vol_of_vol: float | None = None
    spot_vol: float | None = None
    paths: int = 4096
    replicates: int = 16
    seed: int = 20_260_206

    def __post_init__(self) -> None:
        """Check every number against its range."""
        ranges = {
            "level": (self.level, 0.5, 0.99999),
            "horizon": (self.horizon_days, 1, MAX_HORIZON_DAYS),
            "confidence": (self.confidence, 0.5, 0.9999),
            "decay": (self.decay, 0.5, 0.9999),
            "degrees": (self.degrees, 2.1, 1e6),
            "correlation": (0.0 if self.correlation is None else self.correlation, -1.0, 1.0),
            "vol-share": (self.vol_share, 0.0, 5.0),
            "vol-of-vol": (0.0 if self.vol_of_vol is None else self.vol_of_vol, 0.0, 10.0),
            "spot-vol": (0.0 if self.spot_vol is None else self.spot_vol, -1.0, 1.0),
            "paths": (self.paths, 64, 2**20),
            "replicates": (self.replicates, 2, 256),
            "seed": (self.seed, 0, 2**32 - 1),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise InputError(f"--{name}", f"{value:g} is outside [{low:g}, {high:g}]")
        if self.paths & (self.paths - 1):
            raise InputError("--paths", f"{self.paths} is no power of two")
