"""Position-by-position margin (risk-model section 7); mirror of RiskEngine ``standardOf``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offchain.mirror.risk_engine import Instrument, InstrumentRisk
from offchain.model import Kind

Vector = npt.NDArray[np.float64]

SHORT_RATE = 0.15
SHORT_FLOOR = 0.13
SHORT_MAINTENANCE = 0.09
PUT_FACTOR = 1.05
LINEAR_INITIAL = 0.10
LINEAR_MAINTENANCE = 0.065


@dataclass(frozen=True, slots=True)
class StandardMargin:
    """Initial, maintenance and the value that counts as equity, cash, shape (n_acct,)."""

    initial: Vector
    maintenance: Vector
    equity_value: Vector


def _short_rates(instrument: Instrument, spot: float, mark: float) -> tuple[float, float]:
    """Return initial and maintenance margin of one short option unit, cash."""
    if instrument.kind == Kind.CALL:
        otm = max(0.0, instrument.strike - spot) / spot
        return max(SHORT_RATE - otm, SHORT_FLOOR) * spot, SHORT_MAINTENANCE * spot
    otm = max(0.0, spot - instrument.strike) / spot
    maintenance = SHORT_MAINTENANCE * max(spot, mark)
    return max(max(SHORT_RATE - otm, SHORT_FLOOR) * spot, PUT_FACTOR * maintenance), maintenance


def standard_of(
    spot: float, instruments: Sequence[Instrument], quantity: Vector, entry: Vector, unit: InstrumentRisk
) -> StandardMargin:
    """Compute the standard margin of every account in one underlying.

    Parameters
    ----------
    spot : float
        Index price, cash.
    instruments : sequence of Instrument, length n
    quantity, entry : ndarray, shape (n_acct, n)
    unit : InstrumentRisk
        Per-unit arrays of the same instruments.

    Returns
    -------
    StandardMargin
        A long option carries no requirement and no collateral value.
    """
    n = len(instruments)
    short_im, short_mm, linear_im, linear_mm = (np.zeros(n) for _ in range(4))
    is_option = np.zeros(n, dtype=bool)
    for i, instrument in enumerate(instruments):
        if instrument.kind in (Kind.CALL, Kind.PUT):
            is_option[i] = True
            short_im[i], short_mm[i] = _short_rates(instrument, spot, float(unit.mark[i]))
        else:
            linear_im[i] = LINEAR_INITIAL * unit.reference[i]
            linear_mm[i] = LINEAR_MAINTENANCE * unit.reference[i]
    short, gross = np.maximum(-quantity, 0.0), np.abs(quantity)
    value = quantity * unit.mark - quantity * entry * unit.entry_factor
    counted = np.where(is_option, np.minimum(value, 0.0), value)
    return StandardMargin(
        initial=short @ short_im + gross @ linear_im,
        maintenance=short @ short_mm + gross @ linear_mm,
        equity_value=counted.sum(axis=1),
    )
