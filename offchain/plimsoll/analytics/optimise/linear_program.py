"""A linear program with names, solved by HiGHS and kept warm for the next solve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from plimsoll.errors import InputError

Vector = npt.NDArray[np.float64]
Index = npt.NDArray[np.int32]
Terms = Sequence[tuple[Index | int, Vector | float]]
#: Tangents of a convex function at a solution that it exceeds: terms and what their sum must reach.
Tangents = Callable[[Vector], Sequence[tuple[Terms, float]]]
INFINITY: Final = float("inf")
#: A slack below this share of its limit counts as rounding.
SLACK: Final = 1e-7
#: By how much a row may be violated, as the solver itself allows.
FEASIBLE: Final = 1e-7
#: Rounds of tangents after which a convex function counts as met: each round lowers what it is missed by.
MOST_ROUNDS: Final = 400


class InfeasibleError(InputError):
    """No trade meets the constraints; the message names those that cannot be met."""


class UnboundedError(InputError):
    """Nothing limits a trade that pays; the message names it."""


class _Waiting:
    """Rows that the solver does not have yet."""

    def __init__(self, rows: list[tuple[str, Index, Vector, float, float, bool]], columns: int) -> None:
        self._rows = rows
        start = np.cumsum([0, *(row[1].size for row in rows)])
        index = np.concatenate([row[1] for row in rows]) if rows else np.zeros(0, dtype=np.int32)
        value = np.concatenate([row[2] for row in rows]) if rows else np.zeros(0)
        self._matrix = csr_array((value, index, start), shape=(len(rows), columns))
        self._lower = np.array([row[3] for row in rows])
        self._upper = np.array([row[4] for row in rows])
        self._out = np.ones(len(rows), dtype=bool)

    def violated(self, values: Vector) -> list[tuple[str, Index, Vector, float, float, bool]]:
        """Return the rows that a solution violates, and stop waiting for them."""
        total = self._matrix @ values
        beyond = np.maximum(self._lower - total, total - self._upper)
        found = np.flatnonzero((beyond > FEASIBLE) & self._out)
        self._out[found] = False
        return [self._rows[i] for i in found]


def _summed(terms: Terms) -> tuple[Index, Vector]:
    """Add up the coefficients of every column."""
    index = np.concatenate([np.atleast_1d(np.asarray(i, dtype=np.int32)) for i, _ in terms])
    value = np.concatenate([np.broadcast_to(v, np.atleast_1d(i).shape).astype(np.float64) for i, v in terms])
    unique, where = np.unique(index, return_inverse=True)
    total = np.bincount(where, weights=value, minlength=unique.size)
    keep = total != 0.0
    return unique[keep].astype(np.int32), total[keep]


class LinearProgram:
    """Minimise a cost over named columns and rows.

    Rows that a user asked for are added with ``wanted=True``: when there is no solution, they are relaxed to find which
    of them stand in the way. Rows of a maximum, of which only a few bind, are added with ``lazy=True``: the solver gets
    them when a solution violates them, and keeps them.
    """

    def __init__(self) -> None:
        self._lower: list[float] = []
        self._upper: list[float] = []
        self._cost: list[float] = []
        self._names: list[str] = []
        self._rows: list[tuple[str, Index, Vector, float, float, bool]] = []
        self._lazy: list[int] = []
        self._waiting: _Waiting | None = None
        self._tangents: list[Tangents] = []
        self._solver: Any = None

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self._rows), len(self._cost)

    def columns(
        self, names: Sequence[str], cost: float | Vector = 0.0, lower: float = 0.0, upper: float | Vector = INFINITY
    ) -> Index:
        """Add columns; return their numbers."""
        first, n = len(self._cost), len(names)
        self._names += list(names)
        self._cost += list(np.broadcast_to(cost, n))
        self._lower += [lower] * n
        self._upper += list(np.broadcast_to(upper, n))
        return np.arange(first, first + n, dtype=np.int32)

    def column(self, name: str, cost: float = 0.0, lower: float = 0.0, upper: float = INFINITY) -> int:
        """Add one column; return its number."""
        return int(self.columns([name], cost, lower, upper)[0])

    def charge(self, terms: Terms, weight: float) -> None:
        """Add a weighted sum of columns to the objective."""
        for index, value in terms:
            of = np.atleast_1d(np.asarray(index, dtype=np.int32))
            for i, v in zip(of, np.broadcast_to(value, of.shape), strict=True):
                self._cost[int(i)] += weight * float(v)

    def convex(self, tangents: Tangents) -> None:
        """Hold a column above a convex function, of which the solver gets a tangent wherever a solution is below."""
        self._tangents.append(tangents)

    def row(
        self,
        name: str,
        terms: Terms,
        lower: float = -INFINITY,
        upper: float = INFINITY,
        wanted: bool = False,
        lazy: bool = False,
    ) -> None:
        """Add ``lower <= sum of coefficients*columns <= upper``; a column may appear in several terms."""
        if lazy:
            self._lazy.append(len(self._rows))
        self._rows.append((name, *_summed(terms), lower, upper, wanted))

    def _load(self, relaxed: bool = False) -> Any:
        """Hand the program to HiGHS; ``relaxed`` adds two penalised slacks to every wanted row and drops the cost."""
        import highspy

        waiting = set() if relaxed else set(self._lazy)
        rows = [row for i, row in enumerate(self._rows) if i not in waiting]
        wanted = [i for i, row in enumerate(self._rows) if row[5]] if relaxed else []
        extra = np.arange(len(wanted)) * 2 + len(self._cost)
        program = highspy.HighsLp()
        program.num_col_ = len(self._cost) + 2 * len(wanted)
        program.num_row_ = len(rows)
        scales = [self._scale(i) for i in wanted]
        # At least 1: what costs less than the solver's tolerance would be no reason to trade at all.
        slack_cost = [max(scales) / scale for scale in scales for _ in (0, 1)]
        program.col_cost_ = np.array(([0.0] * len(self._cost) if relaxed else self._cost) + slack_cost)
        program.col_lower_ = np.array(self._lower + [0.0] * 2 * len(wanted))
        program.col_upper_ = np.array(self._upper + [INFINITY] * 2 * len(wanted))
        program.row_lower_ = np.array([row[3] for row in rows])
        program.row_upper_ = np.array([row[4] for row in rows])
        index, value, start = [], [], [0]
        slack_of = dict(zip(wanted, extra, strict=True))
        for i, row in enumerate(rows):
            own = slack_of.get(i)
            index.append(row[1] if own is None else np.r_[row[1], own, own + 1].astype(np.int32))
            value.append(row[2] if own is None else np.r_[row[2], 1.0, -1.0])
            start.append(start[-1] + index[-1].size)
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_ = np.array(start)
        program.a_matrix_.index_ = np.concatenate(index) if index else np.zeros(0, dtype=np.int32)
        program.a_matrix_.value_ = np.concatenate(value) if value else np.zeros(0)
        # Its constructor is the one place of highspy that this module calls without annotations of its own.
        solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.passModel(program)
        return solver

    def _scale(self, row: int) -> float:
        _, _, coefficients, lower, upper, _ = self._rows[row]
        limits = [abs(x) for x in (lower, upper) if np.isfinite(x)]
        return max([*limits, float(np.abs(coefficients).max(initial=0.0)), 1e-9])

    def allow(self, index: Index | int, upper: float | Vector) -> None:
        """Change the upper bound of columns before the next solve; the last basis is the start."""
        found = np.atleast_1d(np.asarray(index, dtype=np.int32))
        highest = np.broadcast_to(upper, found.shape).astype(np.float64)
        for i, value in zip(found, highest, strict=True):
            self._upper[int(i)] = float(value)
        if self._solver is not None:
            lows = np.array([self._lower[int(i)] for i in found])
            self._solver.changeColsBounds(found.size, found, lows, highest)

    def solve(self, source: str) -> tuple[float, Vector]:
        """Solve, warm after the first time.

        Parameters
        ----------
        source : str
            What the error message is about.

        Returns
        -------
        float, ndarray
            Objective and value of every column.

        Raises
        ------
        InfeasibleError, UnboundedError
            Naming the constraint or the column.
        """
        import highspy

        if self._solver is None:
            self._solver = self._load()
            self._waiting = _Waiting([self._rows[i] for i in self._lazy], len(self._cost))
        status = self._run()
        kind = highspy.HighsModelStatus
        if status in (kind.kInfeasible, kind.kUnboundedOrInfeasible):
            self._explain_infeasible(source)
        if status in (kind.kUnbounded, kind.kUnboundedOrInfeasible):
            self._explain_unbounded(source)
        if status != kind.kOptimal:
            said = self._solver.modelStatusToString(status)
            raise InputError(source, f"its numbers lie too far apart to be solved (the solver says {said})")
        return float(self._solver.getObjectiveValue()), np.array(self._solver.getSolution().col_value)

    def _run(self) -> Any:
        """Solve until no waiting row and no convex function is violated; return the status."""
        import highspy

        for _ in range(MOST_ROUNDS):
            self._solver.run()
            status = self._solver.getModelStatus()
            if status != highspy.HighsModelStatus.kOptimal or self._waiting is None:
                return status
            values = np.array(self._solver.getSolution().col_value)
            violated = self._waiting.violated(values)
            for _, index, value, lower, upper, _ in violated:
                self._solver.addRow(lower, upper, index.size, index, value)
            if violated:
                continue
            missed = [tangent for tangents in self._tangents for tangent in tangents(values)]
            if not missed:
                return status
            for terms, lower in missed:
                index, value = _summed(terms)
                self._solver.addRow(lower, INFINITY, index.size, index, value)
        return status

    def _explain_infeasible(self, source: str) -> None:
        """Raise with the wanted rows that fall short when the violations are made as small as possible."""
        solver = self._load(relaxed=True)
        solver.run()
        values = np.array(solver.getSolution().col_value)
        wanted = [row for row in self._rows if row[5]]
        problems = []
        for i, (name, _, _, lower, upper, _) in enumerate(wanted):
            short = float(values[len(self._cost) + 2 * i] - values[len(self._cost) + 2 * i + 1])
            limit = lower if short > 0.0 else upper
            if abs(short) > SLACK * max(1.0, abs(limit)):
                problems.append(f"{name} can only reach {limit - short:.6g} where {limit:.6g} is asked for")
        if problems:
            raise InfeasibleError(source, "infeasible: " + "; ".join(problems))

    def _explain_unbounded(self, source: str) -> None:
        """Raise with a column that can grow for ever and pays."""
        # Presolve finds that there is no bound, but not the direction.
        self._solver.setOptionValue("presolve", "off")
        self._solver.run()
        _, has, ray = self._solver.getPrimalRay()
        pays = np.asarray(ray) * np.array(self._cost) if has else np.array(self._cost)
        open_ended = ~np.isfinite(np.array(self._upper))
        column = int(np.where(open_ended, pays, np.inf).argmin())
        raise UnboundedError(source, f"unbounded: nothing limits {self._names[column]!r}; give a limit for it")
