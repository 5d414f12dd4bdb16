"""The plain node scan: the worst over rows of what positions lose together, for models that are no more than that.

SPAN and its kin need nothing else: what an account loses under sixteen rows stays in registers of the processor. Sums
can be kept, so that a change of one instrument costs one addition for each of its holders.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from plimsoll.errors import InputError
from plimsoll.mirror.aligned import aligned_zeros
from plimsoll.mirror.jit import compiled
from plimsoll.mirror.threads import cores, in_parts

Vector = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]

#: Rows that are added up at a time; tables are padded to a multiple of them.
ROWS: Final = 16
_SIXTEEN: Final = ir.VectorType(ir.DoubleType(), ROWS)
_FUSED: Final = ("contract", "nsz")
#: Holders of one instrument below which a second thread costs more than it gains.
LEAST_HOLDERS: Final = 32_768
#: Holders by which sums are asked of the memory before they are needed.
AHEAD: Final = 16


def _largest(builder: Any, numbers: Any) -> Any:
    """Generate the largest of sixteen numbers."""
    kind = ir.FunctionType(ir.DoubleType(), [_SIXTEEN])
    get: Any = cgutils.get_or_insert_function
    function = get(builder.module, kind, "llvm.vector.reduce.fmax.v16f64")
    return builder.call(function, [numbers], fastmath=("nnan", "nsz"))


def _add_to_sums(_context: Any, sums: Any, change: Any, size: Any, _column: Any, _at: Any) -> Any:
    """Add ``size*change`` to 16 sums at ``at``; return the largest of them."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def sixteen(position: int, at: Any) -> Any:
            made = context.make_array(signature.args[position])(context, builder, arguments[position])
            return builder.bitcast(builder.gep(made.data, [at]), _SIXTEEN.as_pointer())

        place, row = sixteen(0, arguments[4]), builder.load(sixteen(1, arguments[3]), align=8)
        added = builder.fmul(_spread(builder, arguments[2]), row, flags=_FUSED)
        total = builder.fadd(builder.load(place, align=8), added, flags=_FUSED)
        builder.store(total, place, align=8)
        return _largest(builder, total)

    return types.float64(sums, change, size, types.int64, types.int64), generate


def _spread(builder: Any, number: Any) -> Any:
    """Generate a vector of sixteen times one number."""
    one = builder.insert_element(ir.Constant(_SIXTEEN, ir.Undefined), number, ir.IntType(32)(0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), ROWS), [0] * ROWS))


def _alternate_sums(builder: Any, first: Any, end: Any, added: Callable[[Any, Any], Any]) -> Any:
    """Generate the sum over the entries ``first`` to ``end``, in two sums in turn: each addition waits for the last."""
    before, nothing = builder.block, ir.Constant(_SIXTEEN, [0.0] * ROWS)
    loop, odd, last, after = (builder.append_basic_block(name) for name in ("pairs", "odd", "last", "summed"))
    paired = builder.add(first, builder.and_(builder.sub(end, first), first.type(-2)))
    builder.cbranch(builder.icmp_signed("<", first, paired), loop, odd)
    builder.position_at_end(loop)
    entry, evens, odds = builder.phi(first.type), builder.phi(_SIXTEEN), builder.phi(_SIXTEEN)
    more = added(entry, evens), added(builder.add(entry, first.type(1)), odds)
    following = builder.add(entry, first.type(2))
    builder.cbranch(builder.icmp_signed("<", following, paired), loop, odd)
    for phi, begins, goes_on in ((entry, first, following), (evens, nothing, more[0]), (odds, nothing, more[1])):
        phi.add_incoming(begins, before)
        phi.add_incoming(goes_on, loop)
    builder.position_at_end(odd)
    pair = builder.phi(_SIXTEEN), builder.phi(_SIXTEEN)
    for phi, total in zip(pair, more, strict=True):
        phi.add_incoming(nothing, before)
        phi.add_incoming(total, loop)
    both = builder.fadd(*pair, flags=_FUSED)
    builder.cbranch(builder.icmp_signed("<", paired, end), last, after)
    builder.position_at_end(last)
    whole = added(paired, both)
    builder.branch(after)
    builder.position_at_end(after)
    sums = builder.phi(_SIXTEEN)
    sums.add_incoming(both, odd)
    sums.add_incoming(whole, last)
    return sums


def _sum_of_rows(
    _context: Any,
    instrument: Any,
    quantity: Any,
    table: Any,
    _first: Any,
    _end: Any,
    _stride: Any,
    _column: Any,
    out: Any,
    _at: Any,
) -> Any:
    """Add up ``quantity*row`` of the entries ``first`` to ``end``: 16 columns of the flat table from ``column`` on.

    Written for the code generator: numba makes sixteen sums of sixteen variables, six times slower than vectors.
    The sums are written to ``out`` at ``at``; what is returned is the largest.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def pointer(position: int) -> Any:
            made = context.make_array(signature.args[position])(context, builder, arguments[position])
            return made.data

        entries, sizes, rows, out = pointer(0), pointer(1), pointer(2), pointer(7)
        first, end, stride, column, at = (arguments[i] for i in (3, 4, 5, 6, 8))

        def added(entry: Any, total: Any) -> Any:
            """Generate the sum with one more entry."""
            number = builder.sext(builder.load(builder.gep(entries, [entry])), first.type)
            start = builder.add(builder.mul(number, stride), column)
            row = builder.load(builder.bitcast(builder.gep(rows, [start]), _SIXTEEN.as_pointer()), align=8)
            spread = _spread(builder, builder.load(builder.gep(sizes, [entry])))
            return builder.fadd(total, builder.fmul(spread, row, flags=_FUSED), flags=_FUSED)

        sums = _alternate_sums(builder, first, end, added)
        place = builder.bitcast(builder.gep(out, [at]), _SIXTEEN.as_pointer())
        builder.store(sums, place, align=8)
        return _largest(builder, sums)

    whole = types.int64
    return types.float64(instrument, quantity, table, whole, whole, whole, whole, out, whole), generate


def _ask_for(_context: Any, sums: Any, _at: Any) -> Any:
    """Ask for the two cache lines of sixteen sums at ``at`` before they are needed."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        get: Any = cgutils.get_or_insert_function
        prefetch = get(builder.module, kind, "llvm.prefetch.p0i8")
        for line in (0, ROWS // 2):
            place = builder.gep(made.data, [builder.add(arguments[1], arguments[1].type(line))])
            # For writing, to be kept in every level, data.
            builder.call(prefetch, [builder.bitcast(place, byte), flag(1), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(sums, types.int64), generate


_prefetch: Any = intrinsic(_ask_for)
_sum_rows: Any = intrinsic(_sum_of_rows)
_add_rows: Any = intrinsic(_add_to_sums)


@compiled
def _scan(
    start: Longs,
    instrument: Numbers,
    quantity: Vector,
    table: Vector,
    stride: int,
    begin: int,
    stop: int,
    room: Vector,
    worst: Vector,
) -> None:
    """Worst loss of the accounts ``begin`` to ``stop``, never below 0; ``room`` takes the sums of one of them."""
    for account in range(begin, stop):
        found = 0.0
        for column in range(0, stride, ROWS):
            loss = _sum_rows(instrument, quantity, table, start[account], start[account + 1], stride, column, room, 0)
            found = loss if loss > found else found
        worst[account] = found


@compiled
def _scan_and_keep(
    start: Longs,
    instrument: Numbers,
    quantity: Vector,
    table: Vector,
    stride: int,
    begin: int,
    stop: int,
    worst: Vector,
    sums: Vector,
) -> None:
    """Do the same, and keep what is lost under every row."""
    for account in range(begin, stop):
        found = 0.0
        for column in range(0, stride, ROWS):
            first, end, at = start[account], start[account + 1], account * stride + column
            loss = _sum_rows(instrument, quantity, table, first, end, stride, column, sums, at)
            found = loss if loss > found else found
        worst[account] = found


@compiled
def _shift(
    accounts: Numbers, quantity: Vector, change: Vector, begin: int, stop: int, worst: Vector, sums: Vector
) -> None:
    """Add what an instrument's row has changed by to the sums of its holders ``begin`` to ``stop``."""
    stride = change.size
    for i in range(begin, stop):
        if i + AHEAD < stop:
            _prefetch(sums, np.int64(accounts[i + AHEAD]) * stride)
        found, first = 0.0, np.int64(accounts[i]) * stride
        for column in range(0, stride, ROWS):
            loss = _add_rows(sums, change, quantity[i], column, first + column)
            found = loss if loss > found else found
        worst[accounts[i]] = found


@compiled
def _holders(start: Longs, instrument: Numbers, quantity: Vector, first: Longs, who: Numbers, size: Vector) -> None:
    """List the holders of every instrument; ``first`` comes as the place of its first, and counts on."""
    for account in range(start.size - 1):
        for entry in range(start[account], start[account + 1]):
            at = first[instrument[entry]]
            who[at], size[at] = account, quantity[entry]
            first[instrument[entry]] = at + 1


class NodeScan:
    """Accounts as compressed rows of quantities, and the loss of one unit of each instrument under each row.

    Parameters
    ----------
    start : ndarray of int64, shape (n_acct + 1,)
        Account ``a`` holds the entries ``start[a]`` to ``start[a + 1]``.
    instrument : ndarray of int32
    quantity : ndarray of float64
    loss : ndarray, shape (n_instruments, n_rows)
        Weighted, positive when one unit loses.
    threads : int, optional
        One for each core when not given.

    Raises
    ------
    InputError
        When the rows do not fit each other.
    """

    def __init__(
        self, start: Longs, instrument: Numbers, quantity: Vector, loss: Vector, threads: int | None = None
    ) -> None:
        if start[0] != 0 or start[-1] != len(instrument) or (np.diff(start) < 0).any():
            raise InputError("start", "does not rise from 0 to the number of entries")
        if len(instrument) and not 0 <= int(instrument.min()) <= int(instrument.max()) < len(loss):
            raise InputError("instrument", f"names an instrument outside [0, {len(loss)})")
        if len(quantity) != len(instrument):
            raise InputError("quantity", f"has {len(quantity)} entries, instrument {len(instrument)}")
        self._entries = (start, instrument, quantity)
        self._rows = loss.shape[1]
        self._table = aligned_zeros((len(loss), -(-self._rows // ROWS) * ROWS))
        self._table[:, : self._rows] = loss
        self._threads = threads or cores()
        self._sums: Vector | None = None
        self._holders: tuple[Longs, Numbers, Vector] | None = None
        self.worst = np.zeros(len(start) - 1)

    def scan(self, *, keep: bool = False) -> Vector:
        """Compute the worst loss of every account, never below 0.

        Parameters
        ----------
        keep : bool
            Keep sums and a list of holders for :meth:`change`: 8 bytes an account and row, 12 a position.

        Returns
        -------
        ndarray, shape (n_acct,)
            Changed by later calls.
        """
        table, stride, worst = self._table.ravel(), self._table.shape[1], self.worst
        if not keep:
            self._sums = None

            def work(first: int, end: int) -> None:
                _scan(*self._entries, table, stride, first, end, aligned_zeros(ROWS), worst)

            in_parts(work, len(worst), self._threads)
            return worst
        sums = aligned_zeros(len(worst) * stride) if self._sums is None else self._sums
        in_parts(
            lambda first, end: _scan_and_keep(*self._entries, table, stride, first, end, worst, sums),
            len(worst),
            self._threads,
        )
        self._sums = sums
        if self._holders is None:
            self._holders = self._list_holders()
        return worst

    def _list_holders(self) -> tuple[Longs, Numbers, Vector]:
        start, instrument, quantity = self._entries
        counts = np.bincount(instrument, minlength=len(self._table))
        first = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        who, size = np.empty(len(instrument), dtype=np.int32), np.empty(len(instrument))
        _holders(start, instrument, quantity, first[:-1].copy(), who, size)
        return first, who, size

    def change(self, instrument: int, loss: Vector) -> Numbers:
        """Take another row of one instrument: only its holders are computed.

        Parameters
        ----------
        instrument : int
        loss : ndarray, shape (n_rows,)

        Returns
        -------
        ndarray of int32
            The holders, whose worst losses are new. Rounding adds up with every change, some 1e-16 of the gross loss
            each: scan again with every round.

        Raises
        ------
        InputError
            When no scan kept its sums.
        """
        if self._sums is None or self._holders is None:
            raise InputError("scan", "kept no sums that a change could be added to")
        row = self._table[instrument]
        change = np.zeros_like(row)
        change[: self._rows] = loss - row[: self._rows]
        row[: self._rows] = loss
        first, who, size = self._holders
        own = slice(int(first[instrument]), int(first[instrument + 1]))
        holders, held, sums = who[own], size[own], self._sums
        in_parts(
            lambda begin, stop: _shift(holders, held, change, begin, stop, self.worst, sums),
            len(holders),
            self._threads,
            LEAST_HOLDERS,
        )
        return holders
