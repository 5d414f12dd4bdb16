"""The requirement as a linear program: the portfolio of requirement 1 that loses most in a scenario.

The requirement is convex and piecewise linear in the quantities, so ``requirement <= 1`` is a set of linear rows with
one auxiliary column per maximum. Only the objective changes from scenario to scenario: HiGHS starts warm.
"""

from __future__ import annotations

from typing import Any, Final

import highspy
import numpy as np
import numpy.typing as npt

from tools.prove.holes.requirement import cutoffs, scales_at
from tools.prove.holes.units import ExpiryUnits, Units

Vector = npt.NDArray[np.float64]
Term = tuple[Any, Any]
INFINITY: Final = float("inf")
#: Most of one instrument for a requirement of 1, in units of spot: nobody needs more, and no search is unbounded.
MOST: Final = 1_000.0


class Rows:
    """Columns and rows of a program, gathered before HiGHS sees them."""

    def __init__(self) -> None:
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.limits: list[tuple[float, float]] = []
        self.index: list[Vector] = []
        self.value: list[Vector] = []

    def columns(self, count: int, lower: float = 0.0, upper: float = INFINITY) -> npt.NDArray[np.int64]:
        """Add columns; return their numbers."""
        first = len(self.lower)
        self.lower += [lower] * count
        self.upper += [upper] * count
        return np.arange(first, first + count)

    def at_most(self, limit: float, *terms: Term) -> None:
        """Add ``sum of coefficients*columns <= limit``."""
        index = np.concatenate([np.atleast_1d(i) for i, _ in terms])
        value = np.concatenate(
            [np.broadcast_to(np.asarray(v, dtype=float), np.shape(np.atleast_1d(i))) for i, v in terms]
        )
        keep = np.abs(value) > 1e-13
        found, where = np.unique(index[keep], return_inverse=True)
        self.limits.append((-INFINITY, limit))
        self.index.append(found)
        self.value.append(np.bincount(where, weights=value[keep], minlength=found.size))

    def solver(self) -> Any:
        """Hand everything to HiGHS."""
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = len(self.lower), len(self.limits)
        program.col_cost_ = np.zeros(len(self.lower))
        program.col_lower_, program.col_upper_ = np.array(self.lower), np.array(self.upper)
        program.row_lower_ = np.array([low for low, _ in self.limits])
        program.row_upper_ = np.array([high for _, high in self.limits])
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_ = np.cumsum([0, *(i.size for i in self.index)])
        program.a_matrix_.index_ = np.concatenate(self.index).astype(np.int32)
        program.a_matrix_.value_ = np.concatenate(self.value)
        solver: Any = highspy.Highs()
        for name, value in (("output_flag", False), ("threads", 1), ("time_limit", 20.0)):
            solver.setOptionValue(name, value)
        solver.passModel(program)
        return solver


class Columns:
    """Columns of one underlying's quantities: perpetual, then futures and calls, long and short apart."""

    def __init__(self, rows: Rows, units: Units) -> None:
        self.units, self.size = units, units.starts[-1]
        self.long = rows.columns(self.size, 0.0, MOST)
        self.short = rows.columns(self.size, 0.0, MOST)

    def net(self, coefficients: Vector, first: int = 0) -> list[Term]:
        """Terms of a linear function of net quantities from column ``first`` on."""
        part = slice(first, first + coefficients.size)
        return [(self.long[part], coefficients), (self.short[part], -coefficients)]


class Block:
    """Rows of one underlying at one cut-off: certified scan, its non-parallel bound, charges and the floor."""

    def __init__(self, rows: Rows, columns: Columns, cutoff: int, many: bool) -> None:
        self.rows, self.columns, self.units = rows, columns, columns.units
        self.scales = scales_at(self.units, cutoff)
        self.many = many
        self.certified, self.apart = int(rows.columns(1)[0]), int(rows.columns(1)[0])
        self.certified_terms: list[list[Term]] = []
        self.apart_terms: list[list[Term]] = []
        self._sum_columns()
        self._steps()
        self.charges = self._charges()
        self.floor = self._floor()
        self._bound(self.certified, self.certified_terms)
        self._bound(self.apart, self.apart_terms if self.many else self.certified_terms)

    def _bound(self, column: int, rows: list[list[Term]]) -> None:
        for terms in rows:
            self.rows.at_most(0.0, *terms, (column, -1.0))

    def _expiries(self) -> list[tuple[ExpiryUnits, int, float]]:
        return list(zip(self.units.expiries, self.units.starts[:-1], self.scales, strict=True))

    def _sum_columns(self) -> None:
        """Add a column for every P&L and every gap of an expiry: what many rows read is stated once."""
        self.pnl: list[dict[tuple[float, int], int]] = []
        self.gap: list[dict[tuple[float, int], int]] = []
        layout = self.units.layout
        for e, first, scale in self._expiries():
            nodes = [(s, i) for i, states in enumerate(layout.states) for s in states]
            steps = [(s, i) for i, step in enumerate(layout.steps) for s in step.states]
            pnl = dict(zip(nodes, map(int, self.rows.columns(len(nodes), -INFINITY)), strict=True))
            gap = dict(zip(steps, map(int, self.rows.columns(len(steps))), strict=True))
            for (state, node), column in pnl.items():
                # A P&L that is stated too low only costs the portfolio, so an inequality is enough.
                self.rows.at_most(0.0, *self.columns.net(-e.pnl[state][node] * scale, first), (column, 1.0))
            for (state, step), column in gap.items():
                part = self.columns.long[first : first + e.delta.size]
                self.rows.at_most(0.0, (part, e.gap[state][step] * scale), (column, -1.0))
            self.pnl.append(pnl)
            self.gap.append(gap)

    def _loss(self, expiry: int, state: float, end: int, step: int) -> list[Term]:
        """Weighted loss of one expiry at an end of a step, with the gaps of its long calls."""
        weights = self.units.layout.weights
        widest = max(weights[self.units.layout.steps[step].low], weights[self.units.layout.steps[step].high])
        return [(self.pnl[expiry][state, end], -weights[end]), (self.gap[expiry][state, step], widest)]

    def _steps(self) -> None:
        layout = self.units.layout
        for number, step in enumerate(layout.steps):
            for end in (step.low, step.high) if step.states else ():
                perp = self.columns.net(np.array([-layout.moves[end] * layout.weights[end]]))
                for state in step.states:
                    parts = [self._loss(i, state, end, number) for i in range(len(self.units.expiries))]
                    self.certified_terms.append([*perp, *(term for part in parts for term in part)])
                if self.many:
                    self.apart_terms.append([*perp, *self._worst(number, end)])

    def _worst(self, number: int, end: int) -> list[Term]:
        """Columns that are at least every vol state's loss of each expiry."""
        worst = self.rows.columns(len(self.units.expiries), -INFINITY)
        for expiry, column in enumerate(worst):
            for state in self.units.layout.steps[number].states:
                self.rows.at_most(0.0, *self._loss(expiry, state, end, number), (int(column), -1.0))
        return [(worst, 1.0)]

    def _size(self, coefficients: Vector, first: int, column: int) -> None:
        """Make a column at least the size of a linear function."""
        for sign in (1.0, -1.0):
            self.rows.at_most(0.0, *self.columns.net(sign * coefficients, first), (column, -1.0))

    def _charges(self) -> list[Term]:
        """Basis of the perpetual and of every expiry, and the skew term."""
        p, places = self.units.params, len(self.units.layout.places)
        perp, skew = self.rows.columns(1), self.rows.columns(1)
        self._size(np.ones(1), 0, int(perp[0]))
        terms: list[Term] = [(perp, p.perp_basis), (skew, p.skew_rate)]
        leans = self.rows.columns(places * len(self.units.expiries)).reshape(places, len(self.units.expiries))
        for number, (e, first, scale) in enumerate(self._expiries()):
            basis = self.rows.columns(1)
            for legs in (e.delta, e.cash_leg):
                self._size(legs * scale, first, int(basis[0]))
            for place in range(places):
                for side in e.skew[place]:
                    self.rows.at_most(0.0, *self.columns.net(-side * scale, first), (int(leans[place, number]), -1.0))
            terms.append((basis, e.charge))
        for place in range(places):
            self.rows.at_most(0.0, (leans[place], 1.0), (skew, -1.0))
        return terms

    def _floor(self) -> list[Term]:
        rate = self.units.params.short_min_rate
        return [
            (self.columns.short[first + 1 : first + e.delta.size], rate * scale) for e, first, scale in self._expiries()
        ]


def _total(rows: Rows, certified: int, apart: int, rate: float, charges: list[Term], floor: list[Term]) -> int:
    """Add a column that is at least ``max(certified + vega term + charges, floor)``."""
    total = int(rows.columns(1)[0])
    rows.at_most(0.0, (certified, 1.0 - rate), (apart, rate), *charges, (total, -1.0))
    rows.at_most(0.0, *floor, (total, -1.0))
    return total


def _joint(rows: Rows, blocks: list[Block]) -> int:
    """``R_joint``: the rows of all underlyings added up one by one."""
    certified, apart = int(rows.columns(1)[0]), int(rows.columns(1)[0])
    rate = max(b.units.params.vega_term_rate for b in blocks)
    for name, column in (("certified_terms", certified), ("apart_terms", apart)):
        found = [getattr(b, name) for b in blocks]
        for parts in zip(*found, strict=True):
            rows.at_most(0.0, *(term for part in parts for term in part), (column, -1.0))
    charges = [term for b in blocks for term in b.charges]
    floor = [term for b in blocks for term in b.floor]
    return _total(rows, certified, apart, rate, charges, floor)


class Program:
    """Quantities of requirement at most 1; ``worst`` maximises a loss over them."""

    def __init__(self, parts: list[Units], share: float | None) -> None:
        rows = Rows()
        self.columns = [Columns(rows, units) for units in parts]
        # One expiry alone has no states apart from each other; added to another underlying's rows it counts.
        many = [share is not None or len(units.expiries) > 1 for units in parts]
        for cutoff in cutoffs(parts):
            blocks = [Block(rows, c, cutoff, m) for c, m in zip(self.columns, many, strict=True)]
            totals = [
                _total(rows, b.certified, b.apart, b.units.params.vega_term_rate, b.charges, b.floor) for b in blocks
            ]
            if share is None:
                rows.at_most(1.0, (np.array(totals), 1.0))
            else:
                rows.at_most(1.0, (np.array(totals), share), (_joint(rows, blocks), 1.0 - share))
        self._count = len(rows.lower)
        self._solver = rows.solver()

    def worst(self, pnl: list[Vector]) -> list[Vector] | None:
        """Return the quantities of each underlying that lose most of ``pnl``; None when the solver gives up."""
        cost = np.zeros(self._count)
        for columns, coefficients in zip(self.columns, pnl, strict=True):
            cost[columns.long], cost[columns.short] = coefficients, -coefficients
        index = np.arange(self._count, dtype=np.int32)
        self._solver.changeColsCost(self._count, index, cost)
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            self._solver.clearSolver()
            return None
        x = np.array(self._solver.getSolution().col_value)
        return [x[c.long] - x[c.short] for c in self.columns]
