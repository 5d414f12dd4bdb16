"""What a fleet is made from: accounts, positions and collateral as columns of numbers, no object per account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from plimsoll.errors import InputError

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.int16]
Bytes = npt.NDArray[np.int8]

_TYPES: Final[Mapping[str, type[np.generic]]] = {
    "account_ids": np.int64,
    "modes": np.int8,
    "cash": np.float64,
    "position_account": np.int64,
    "underlying": np.int16,
    "kind": np.int8,
    "expiry_ts": np.int64,
    "price": np.float64,
    "quantity": np.float64,
    "collateral_account": np.int64,
    "token": np.int16,
    "amount": np.float64,
}
_TABLES: Final = (
    ("account_ids", "modes", "cash"),
    ("position_account", "underlying", "kind", "expiry_ts", "price", "quantity"),
    ("collateral_account", "token", "amount"),
)


class AccountColumns(Protocol):
    """The index's export: three tables by column; underlyings and tokens are the ids they have on chain.

    Attributes
    ----------
    account_ids, modes, cash : ndarray of int64, int8 and float64, shape (n_acct,)
        Ids are distinct; cash is in cash units, with interest and losses applied, funding settled.
    position_account, underlying, kind, expiry_ts, price, quantity : ndarray, shape (n_positions,)
        int64, int16, int8, int64, float64, float64. ``price`` is the strike of an option, the entry of a future or
        perpetual; ``expiry_ts`` 0 for a perpetual.
    collateral_account, token, amount : ndarray of int64, int16 and float64, shape (n_collateral,)
    """

    @property
    def account_ids(self) -> Longs: ...  # noqa: D102 - described above, as all of them
    @property
    def modes(self) -> Bytes: ...  # noqa: D102
    @property
    def cash(self) -> Floats: ...  # noqa: D102
    @property
    def position_account(self) -> Longs: ...  # noqa: D102
    @property
    def underlying(self) -> Shorts: ...  # noqa: D102
    @property
    def kind(self) -> Bytes: ...  # noqa: D102
    @property
    def expiry_ts(self) -> Longs: ...  # noqa: D102
    @property
    def price(self) -> Floats: ...  # noqa: D102
    @property
    def quantity(self) -> Floats: ...  # noqa: D102
    @property
    def collateral_account(self) -> Longs: ...  # noqa: D102
    @property
    def token(self) -> Shorts: ...  # noqa: D102
    @property
    def amount(self) -> Floats: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Columns:
    """Such columns, checked: each of its type, those of a table of one length."""

    account_ids: Longs
    modes: Bytes
    cash: Floats
    position_account: Longs
    underlying: Shorts
    kind: Bytes
    expiry_ts: Longs
    price: Floats
    quantity: Floats
    collateral_account: Longs
    token: Shorts
    amount: Floats

    def __post_init__(self) -> None:
        for item in fields(self):
            _checked(item.name, getattr(self, item.name))
        for first, *others in _TABLES:
            length = len(getattr(self, first))
            for name in others:
                if len(getattr(self, name)) != length:
                    message = f"has {len(getattr(self, name))} rows, {first} of the same table has {length}"
                    raise InputError(name, message)

    @classmethod
    def of(cls, columns: AccountColumns) -> Columns:
        """Check columns and take them; those that are read-only or have gaps are copied.

        Parameters
        ----------
        columns : AccountColumns

        Returns
        -------
        Columns

        Raises
        ------
        InputError
            When a column has another type or another length than its table.
        """
        checked = {name: _checked(name, getattr(columns, name)) for name in _TYPES}
        # A kernel is compiled again for arrays that cannot be written to.
        return cls(**{name: np.require(column, requirements=["C", "W"]) for name, column in checked.items()})

    def share(self, part: int, parts: int) -> Columns:
        """Return the accounts whose id leaves the remainder ``part`` when divided by ``parts``, and what they hold."""
        chosen: dict[str, npt.NDArray[Any]] = {}
        for table in _TABLES:
            mine = getattr(self, table[0]) % parts == part
            chosen |= {name: getattr(self, name)[mine] for name in table}
        return Columns(**chosen)


def _checked(name: str, column: object) -> npt.NDArray[Any]:
    """Refuse what is no column of the right type."""
    wanted = np.dtype(_TYPES[name])
    if not isinstance(column, np.ndarray) or column.ndim != 1 or column.dtype != wanted:
        shape = f"{column.dtype} of shape {column.shape}" if isinstance(column, np.ndarray) else type(column).__name__
        raise InputError(name, f"is {shape}; it must be {wanted} of one dimension")
    return column


@dataclass(frozen=True, slots=True)
class Names:
    """Symbols by the ids of the chain; an id that is not here has no round or price, and its holders are unknown."""

    underlyings: Mapping[int, str] = field(default_factory=dict)
    tokens: Mapping[int, str] = field(default_factory=dict)
