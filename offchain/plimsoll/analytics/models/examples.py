"""Published worked examples of the margin models: what the venue says, and what the formulas here give."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from plimsoll.analytics.models import deribit, derive, okx, paradex, span
from plimsoll.analytics.models.account import ModelAccount, account_of
from plimsoll.analytics.models.parameters import shipped_params
from plimsoll.constants import DAY_SEC
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token

#: Any moment; no example depends on it, only on times to expiry.
TS: Final = 1_770_326_940
FLAT: Final = Svi(0.01, 0.0, 0.0, 0.0, 0.1)

MCMILLAN: Final = "McMillan, arrays of 16 rows"
#: Gains per row of one future and one call.
FUTURE_GAINS: Final = (
    0,
    0,
    3330,
    3330,
    -3330,
    -3330,
    6670,
    6670,
    -6670,
    -6670,
    10000,
    10000,
    -10000,
    -10000,
    7000,
    -7000,
)
CALL_GAINS: Final = (
    460,
    -610,
    2640,
    1730,
    -1270,
    -2340,
    5210,
    4540,
    -2540,
    -3430,
    8060,
    7640,
    -3380,
    -3990,
    3130,
    -1500,
)

#: The cases of Derive state their own rows beyond the range.
CASE_TAILS: Final = ((-0.66, 0.6 / 11), (-0.33, 1.2 / 11), (0.5, 0.072), (1.0, 0.036), (2.0, 0.018), (3.0, 0.012))


@dataclass(frozen=True, slots=True)
class Example:
    """One published figure.

    Attributes
    ----------
    model, source, case : str
    expected : str
        As published, digit by digit.
    got : float or None
        None where the figure holds parts that are not published; the note says which.
    tolerance : float
        Largest difference that counts as equal.
    note : str
    """

    model: str
    source: str
    case: str
    expected: str
    got: float | None
    tolerance: float
    note: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the figure is reproduced; one that is not compared does not."""
        return self.got is not None and abs(self.got - float(self.expected)) <= self.tolerance

    @property
    def shown(self) -> str:
        """Figure to as many digits as are published, at most ten after the point: the rest is rounding of floats."""
        if self.got is None:
            return "not compared"
        return f"{self.got:.{min(10, len(self.expected.partition('.')[2]))}f}"


def market_of(
    name: str, spot: float, perp: float | None = None, surfaces: tuple[Surface, ...] = (), ts: int = TS
) -> Market:
    """Make a market of one underlying and cash."""
    rounds = {name: Round(name, ts, spot, spot if perp is None else perp, 1.0, surfaces)}
    return Market(ts, {"USDC": Token("USDC", 1.0, 0.0)}, rounds)


def book_of(market: Market, *positions: Position, cash: float = 0.0) -> ModelAccount:
    """Make an account of positions and cash."""
    return account_of(market, Portfolio(Mode.SINGLE, cash, {}, positions))


def _span() -> list[Example]:
    long_call = span.scan_risk([list(CALL_GAINS)])
    covered = span.scan_risk([list(FUTURE_GAINS), [-gain for gain in CALL_GAINS]])
    cases = (("long call", long_call, "3990", "14"), ("covered write", covered, "6620", "13"))
    return [
        Example("span", MCMILLAN, f"{name}, {part}", published, got, 0.0)
        for name, found, risk, row in cases
        for part, published, got in (("scan risk", risk, float(found[0])), ("row", row, float(found[1])))
    ]


def deribit_documentation() -> deribit.Matrix:
    """Matrix of the documented account, in cash at a price of 50,000."""
    market = market_of("BTC", 50_000.0, surfaces=(Surface(TS + DAY_SEC, 50_000.0, 0.0, FLAT),))
    account = book_of(
        market,
        Position("BTC", Kind.PERP, 0, 5e4, 0.314538364),
        Position("BTC", Kind.FUTURE, TS + DAY_SEC, 5e4, -0.001187534),
    )
    params = replace(shipped_params("deribit", deribit.DeribitParams).of("BTC"), settlement="inverse")
    return deribit.matrix_of(account.holdings[0], params)


def deribit_reply(pnl_offset: float | None = None) -> deribit.Matrix:
    """Matrix of the account whose reply was recorded, in cash at a price of 1,800."""
    account = book_of(market_of("ETH", 1_800.0), Position("ETH", Kind.PERP, 0, 1_800.0, -0.999487053))
    params = replace(shipped_params("deribit", deribit.DeribitParams).of("ETH"), settlement="inverse")
    if pnl_offset is not None:
        params = replace(params, pnl_offset=pnl_offset)
    return deribit.matrix_of(account.holdings[0], params)


def _deribit() -> list[Example]:
    factor = shipped_params("deribit", deribit.DeribitParams).of("BTC").maintenance_factor
    found, source = deribit_documentation(), "documentation, BTC"
    worst, roll = found.worst / 5e4, found.roll / 5e4
    sums = "the published sum differs from its published parts by 4e-10"
    reply, whole, said = deribit_reply(), deribit_reply(1.0), "recorded reply, ETH"
    total = (reply.worst + reply.roll) / 1_800.0
    return [
        Example("deribit", source, "worst row", "0.0596858724", worst, 1e-10),
        Example("deribit", source, "roll", "0.0031572590", roll, 1e-10),
        Example("deribit", source, "matrix", "0.06284313098", worst + roll, 1e-9, sums),
        Example("deribit", source, "maintenance", "0.050274504784", factor * (worst + roll), 1e-9, sums),
        Example("deribit", source, "initial", "0.122861343", None, 0.0, "holds open orders that are not published"),
        Example("deribit", said, "worst row", "0.152464127", reply.worst / 1_800.0, 1e-9),
        Example("deribit", said, "roll", "0.004997435", reply.roll / 1_800.0, 1e-9),
        Example("deribit", said, "initial", "0.157461562", total, 1e-9),
        Example("deribit", said, "maintenance", "0.125969250", factor * total, 1e-9),
        Example("deribit", said, "gain of the -18 % row", "0.219400", float(whole.standard[0].min()) / 1_800.0, 1e-6),
        Example("deribit", said, "the same after offset", "0.131640", float(reply.standard[0].min()) / 1_800.0, 1e-6),
    ]


def _okx() -> list[Example]:
    account = book_of(market_of("BTC", 97_049.035, perp=97_034.2437), Position("BTC", Kind.PERP, 0, 97_034.2437, -0.1))
    params = shipped_params("okx", okx.OkxParams)
    unit = okx.risk_unit(account.holdings[0], params.of("BTC"), 0.0)
    source, rounded = "documentation, BTC short", "the venue rounds its parts"
    depeg = float(okx.tiered(10e6, params.default.depeg_tiers))
    ltc = float(okx.initial_of(191.662974, 0.0, 1.3))
    borrowing = "the borrowing part is not published"
    return [
        Example("okx", source, "MR1", "1164.410924", unit.mr1, 1e-6),
        Example("okx", source, "MR4", "19.409807", unit.mr4, 1e-6),
        Example("okx", source, "MR6", "1164.410924", unit.mr6, 1e-6),
        Example("okx", source, "MMR", "1183.820732", unit.maintenance, 2e-6, rounded),
        Example("okx", source, "IMR", "1538.966951", okx.margin(account, params).initial, 2e-6, rounded),
        Example("okx", "documentation, LTC", "IMR of MMR 191.662974", "249.161867", ltc, 1e-6),
        Example("okx", "documentation, totals", "IMR of MMR 2946.548084", "9643.450707", None, 0.0, borrowing),
        Example("okx", "documentation, MR9", "10M of stablecoin", "202500", depeg, 1e-6),
    ]


def case_params() -> derive.DeriveParams:
    """Return the shipped parameters of Derive with the tails of its cases in place of their own."""
    shipped = shipped_params("derive", derive.DeriveParams).default
    even = [row for row in shipped.rows if row[1] not in derive.SKEWS and row[2] == 1.0]
    skew = [row for row in shipped.rows if row[1] in derive.SKEWS]
    return replace(shipped, rows=(*even, *((move, "up", damp) for move, damp in CASE_TAILS), *skew))


def derive_case(
    position: Position, spot: float, perp: float, surfaces: tuple[Surface, ...] = ()
) -> tuple[float, float, ModelAccount]:
    """Return initial and maintenance margin as Derive states them, net of the mark, and the account."""
    account = book_of(market_of("BTC", spot, perp, surfaces), position)
    shipped = shipped_params("derive", derive.DeriveParams)
    found = derive.margin(account, replace(shipped, default=case_params()))
    return account.market_equity - found.initial, account.market_equity - found.maintenance, account


def derive_naked_call() -> tuple[float, float, ModelAccount]:
    """Return the published case of a short call."""
    surface = Surface(TS + 794_852, 95_776.67392708939, 0.15000000000000002, FLAT, ((100_000.0, 0.453803924321583),))
    call = Position("BTC", Kind.CALL, TS + 794_852, 100_000.0, -1.0)
    return derive_case(call, 95_663.50604855, 95_663.5, (surface,))


def _derive() -> list[Example]:
    perp = derive_case(Position("BTC", Kind.PERP, 0, 3_090.0, 1.0), 3_000.0, 3_100.0)
    call = derive_naked_call()
    rows = derive.manager(call[2].holdings[0], case_params())
    fraction = derive.max_liquidation_fraction(-147.570009, 119.306330, 0.98)
    one, naked, liquidation = "published case, perpetual", "published case, naked call", "published liquidation"
    profit, tails = "holds 10 of unrealised profit, which the figures imply", "with the six tails of the case"
    return [
        Example("derive", one, "initial", "-608", perp[0], 1e-9, profit),
        Example("derive", one, "maintenance", "-481.4", perp[1], 1e-9, profit),
        Example("derive", naked, "initial", "-14604.048120144837", call[0], 1e-8, tails),
        Example("derive", naked, "maintenance", "-11824.858703959073", call[1], 1e-8, tails),
        Example("derive", naked, "worst row", "-12939.312020443322", float(rows.rows.min()), 1e-8, tails),
        Example("derive", naked, "skew row", "-43.43395259503018", rows.skew, 1e-8, tails),
        Example("derive", naked, "forward", "-947.2098049301085", float(rows.forward), 1e-8, tails),
        Example("derive", liquidation, "fraction", "0.557941", fraction, 1e-6),
        Example("derive", liquidation, "bid", "65.234609", fraction * 119.306330 * 0.98, 1e-4, "inputs are rounded"),
    ]


def _paradex() -> list[Example]:
    params = shipped_params("paradex", paradex.ParadexParams).default
    floor = float(paradex.delta_floor([1.0, -1.5], 70_000.0, params))
    return [Example("paradex", "published case", "delta floor", "1400", floor, 1e-9)]


def worked_examples() -> list[Example]:
    """Compute every published figure again.

    Returns
    -------
    list of Example
        By model. Derive standard has no published case.
    """
    return [*_span(), *_deribit(), *_okx(), *_derive(), *_paradex()]


def examples_table() -> str:
    """Return the table of docs/reference/margin-models.md."""
    lines = ["| model | source | case | expected | got | note |", "|---|---|---|---|---|---|"]
    lines += [f"| {e.model} | {e.source} | {e.case} | {e.expected} | {e.shown} | {e.note} |" for e in worked_examples()]
    return "\n".join(lines)
