"""Tables in and out: pandas, polars and Arrow alike, through narwhals, so that there is one path for all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, overload

from plimsoll.errors import InputError, UnavailableError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from narwhals.typing import IntoDataFrame

#: A pandas or polars frame, or an Arrow table.
Table: TypeAlias = "IntoDataFrame"
Library: TypeAlias = Literal["pandas", "polars"]
#: Libraries that a result can be handed out in.
LIBRARIES: Final[tuple[Library, ...]] = ("pandas", "polars")


def arrow_of(table: Table) -> pa.Table:
    """Return any table as an Arrow table; a gap of a pandas frame, which it writes as NaN, is a null.

    Parameters
    ----------
    table : pandas.DataFrame, polars.DataFrame or pyarrow.Table

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    InputError
        For what no library of tables made.
    """
    import narwhals as nw

    try:
        return nw.from_native(table, eager_only=True).to_arrow()
    except TypeError:
        message = f"of type {type(table).__name__}, expected a file, its content, or a pandas, polars or Arrow table"
        raise InputError("source", message) from None


def records_of(table: Table) -> list[dict[str, Any]]:
    """Return the rows of a table as the documents hold them.

    Parameters
    ----------
    table : pandas.DataFrame, polars.DataFrame or pyarrow.Table

    Returns
    -------
    list of dict
        Plain numbers and texts by column, without the empty cells. Times are unix seconds, UTC where they name no
        zone; days of the column ``expiry`` are at 08:00 UTC.

    Raises
    ------
    InputError
        For days in another column, which say no time, and for expiries with parts of a second.
    """
    import pyarrow as pa

    found = arrow_of(table)
    for number, field in enumerate(found.schema):
        if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type):
            found = found.set_column(number, field.name, _seconds(found.column(number), field.name))
    return [{name: cell for name, cell in row.items() if cell is not None} for row in found.to_pylist()]


def _seconds(column: pa.ChunkedArray[Any], name: str) -> pa.ChunkedArray[Any]:
    """Return the unix seconds of a column of times or days, its gaps kept."""
    import numpy as np
    import pyarrow as pa

    from plimsoll.dialects.times import read_times, zone_of

    times = read_times(column.drop_null(), "table", name, zone=zone_of("UTC"), is_expiry=name == "expiry")
    is_there = column.is_valid().to_numpy()
    seconds = np.zeros(len(column), dtype=np.int64)
    seconds[is_there] = times.ts
    return pa.chunked_array([pa.array(seconds, mask=~is_there)])


def frame_of(columns: Mapping[str, Sequence[object]], library: Library = "pandas") -> Any:
    """Build a frame.

    Parameters
    ----------
    columns : mapping of str to sequence
        Cells by the name of the column; all of one length.
    library : {"pandas", "polars"}
        One of ``LIBRARIES``.

    Returns
    -------
    pandas.DataFrame or polars.DataFrame

    Raises
    ------
    InputError
        For another library.
    UnavailableError
        When the library is not installed.
    """
    import narwhals as nw

    if library not in LIBRARIES:
        raise InputError("library", f"{library!r} is not one of {', '.join(LIBRARIES)}")
    try:
        return nw.from_dict({name: list(cells) for name, cells in columns.items()}, backend=library).to_native()
    except ImportError:
        raise UnavailableError(library, "is not installed; pip install 'plimsoll-margin[frames]'") from None


class Tabular(ABC):
    """What can be handed out as a table: a result names its columns once, and gets ``to_frame`` for it."""

    __slots__ = ()

    @abstractmethod
    def columns(self) -> Mapping[str, Sequence[object]]:
        """Return the cells by the name of the column, all of one length; money in cash."""

    @overload
    def to_frame(self, library: Literal["pandas"] = "pandas") -> pd.DataFrame: ...

    @overload
    def to_frame(self, library: Literal["polars"]) -> pl.DataFrame: ...

    def to_frame(self, library: Library = "pandas") -> Any:
        """Return the result as a frame, the columns of :meth:`columns`.

        Parameters
        ----------
        library : str
            ``"pandas"`` or ``"polars"``.

        Returns
        -------
        pandas.DataFrame or polars.DataFrame

        Raises
        ------
        InputError
            For another library.
        UnavailableError
            When the library is not installed.
        """
        return frame_of(self.columns(), library)
