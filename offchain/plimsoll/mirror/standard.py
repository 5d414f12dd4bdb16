"""STANDARD: every position for itself, no offset (risk-model section 7); mirror of the same in contracts/risk.

A short option, a future and a perpetual need what section 4 asks of them alone, a long option nothing. Size counts
once per underlying, over all of them together and the linked collateral.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.cutoffs import cutoffs_of, scales_at
from plimsoll.mirror.exposure import Holdings, exposure_of
from plimsoll.mirror.requirement import components
from plimsoll.mirror.unit_risk import InstrumentRisk

Vector = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


def _columns(unit: InstrumentRisk, index: Index) -> InstrumentRisk:
    return InstrumentRisk(**{item.name: getattr(unit, item.name)[..., index] for item in fields(unit)})


def _alone(held: Holdings, index: Index, total: Vector) -> None:
    """Add what each position in the columns ``index`` (of one expiry) needs alone to its account's total."""
    accounts, columns = np.nonzero(held.quantity[:, index])
    each = np.arange(len(accounts))
    quantity = np.zeros((len(accounts), len(index)))
    entry = np.zeros_like(quantity)
    quantity[each, columns] = held.quantity[accounts, index[columns]]
    entry[each, columns] = held.entry[accounts, index[columns]]
    alone = replace(
        held,
        instruments=[held.instruments[i] for i in index],
        unit=_columns(held.unit, index),
        quantity=quantity,
        entry=entry,
        linked_units=np.zeros(len(accounts)),
        bends=np.zeros((len(accounts), held.bends.shape[1])),
        linked_gamma=np.zeros(len(accounts)),
    )
    exposure = exposure_of(alone)
    # Alone, a position needs most before it fades: everything but size grows in proportion.
    np.add.at(total, accounts, components(exposure, np.ones(len(exposure.expiries))).without_size)


def standard_requirement(held: Holdings) -> Vector:
    """Sum what every position needs alone, shape (n_acct,), cash.

    Parameters
    ----------
    held : Holdings
        With the linked collateral, which counts towards size only.

    Returns
    -------
    ndarray
    """
    needy = replace(held, quantity=np.where(held.is_option, np.minimum(held.quantity, 0.0), held.quantity))
    total = np.zeros(len(held.quantity))
    for expiry_ts in sorted(set(held.expiry_ts.tolist())):
        _alone(needy, np.flatnonzero(held.expiry_ts == expiry_ts), total)
    exposure, ts = exposure_of(needy), held.round_.ts
    size = np.zeros_like(total)
    for cutoff in cutoffs_of(exposure.expiries, ts):
        size = np.maximum(size, components(exposure, scales_at(cutoff, exposure.expiries, ts)).concentration)
    return total + size


def standard_value(held: Holdings) -> Vector:
    """Add up what positions count as equity, shape (n_acct,): an option only where it is worth less than nothing."""
    value = held.quantity * (held.unit.mark - held.entry * held.unit.entry_factor)
    total: Vector = np.where(held.is_option, np.minimum(value, 0.0), value).sum(axis=1)
    return total
