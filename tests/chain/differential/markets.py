"""Markets and books that pull the margin engines apart if anything can."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from plimsoll.model import Market, PriceRange, Round, Surface, Svi, Token
from plimsoll.params import AccountParams, BookSpec, Params

NOW = 1_770_326_940
DAY = 86_400
HOUR = 3_600
CALM = Svi(0.002, 0.03, -0.2, 0.0, 0.1)
USDC = Token("USDC", 1.0, 0.0)
WETH = Token("WETH", None, 0.2, "ETH", 0.02, 1.0)
WSTETH = Token("WSTETH", None, 0.25, "ETH", 0.05, 1.21)
GOLD = Token("GOLD", 4000.0, 0.1)
#: Liquidity around the spot and, of a range that one node crosses whole, beside it.
WIDE = Token("WIDE", None, 0.2, "ETH", 0.05, span=PriceRange(1500.0, 2400.0))
NARROW = Token("NARROW", None, 0.1, "ETH", 0.03, span=PriceRange(1920.0, 1960.0))


@dataclass(frozen=True)
class Case:
    """One market with its parameters."""

    name: str
    market: Market
    params: Params = field(default_factory=Params)


def surface(days: float, forward: float, svi: Svi = CALM, rate: float = 0.04) -> Surface:
    return Surface(NOW + round(days * DAY), forward, rate, svi)


def eth(*surfaces: Surface, confidence: float = 1.0, mean: float | None = None) -> Round:
    return Round("ETH", NOW, 1900.0, 1899.5, confidence, surfaces, mean)


def market(*rounds: Round, usdc: float = 1.0, tokens: tuple[Token, ...] = (WETH, WSTETH, GOLD, WIDE, NARROW)) -> Market:
    cash = Token("USDC", usdc, 0.0)
    return Market(NOW, {t.symbol: t for t in (cash, *tokens)}, {r.underlying: r for r in rounds})


def flat_slice(vol: float, days: float) -> Svi:
    """A slice of one volatility: total variance is constant in the strike."""
    return Svi(vol * vol * days / 365.0, 0.0, 0.0, 0.0, 0.1)


def late(seconds: int, forward: float, vol: float = 0.9) -> Surface:
    """An expiry so many seconds away, on a slice of one volatility."""
    return Surface(NOW + seconds, forward, 0.04, flat_slice(vol, max(seconds / 3, 1) / DAY))


BTC = Round(
    "BTC",
    NOW,
    64_000.0,
    64_012.5,
    0.97,
    (surface(3, 64_010.0), surface(40, 64_300.0, Svi(0.01, 0.08, -0.35, 0.02, 0.15)), surface(200, 65_900.0)),
)
SOL = Round("SOL", NOW, 87.5, 87.44, 0.9, (surface(5, 87.6, flat_slice(1.1, 5)), surface(60, 88.0)))
TERM = (surface(1, 1900.4), surface(14, 1903.0), surface(180, 1931.0, Svi(0.05, 0.15, -0.4, 0.05, 0.3)))
#: The same expiries in both, so that cut-offs are common: two within the day that fade, one that does not.
FADING = (surface(4 / 24, 1900.2), surface(16 / 24, 1901.0), surface(9, 1903.0))
FADING_BTC = replace(BTC, surfaces=(surface(9 / 24, 64_005.0), surface(16 / 24, 64_006.0), surface(30, 64_200.0)))

#: Everything that governance may store and that is not the default: few and many prices, no tails, tails of one state
#: that end at the lowest price and fall together, no skew, skew on one side.
SPARSE = BookSpec((-1.0, 0.0, 1.0), ("flat",), (), (), 0.0, ())
LONG_TAILS = BookSpec(
    (-1.0, -0.4, 0.0, 0.3, 1.0), ("up", "down"), (1.5, 2.5, 3.7, 4.2, 6.0), ("down",), 0.5, ((0.0, "down"),)
)
ONE_SIDED = BookSpec((0.0, 0.5, 1.25), ("up", "flat", "down"), (2.0,), ("up", "flat", "down"), 0.1, ((1.25, "up"),))
DENSE = BookSpec(
    (-1.0, -0.8, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    ("up", "flat", "down"),
    (3.0,),
    ("up",),
    0.25,
    tuple((move, "flat") for move in (-1.0, 0.0, 1.0)),
)

CASES = (
    Case("two underlyings", market(eth(*TERM), BTC)),
    Case("doubtful round, cash off its peg", market(eth(*TERM, confidence=0.4), BTC, usdc=0.96)),
    Case("expiring now", market(eth(late(0, 1_899.0), late(2_400, 1_899.8), surface(7, 1902.0), mean=1_899.6))),
    Case("in the settlement window", market(eth(late(900, 1_899.0), surface(7, 1902.0), mean=1_893.25), BTC)),
    Case("a minute before the end of the window", market(eth(late(60, 1_901.0), surface(2, 1902.0), mean=1_950.5))),
    Case("a second before the window", market(eth(late(1_801, 1_901.0), surface(2, 1902.0)))),
    Case("hedges that fade", market(eth(*FADING), FADING_BTC)),
    Case(
        "fading inside the window",
        market(eth(late(600, 1_900.0), *FADING, mean=1_880.0), FADING_BTC),
        Params(AccountParams(debt_rate=0.05, stress_share=0.3)),
    ),
    Case(
        "crash smile",
        market(eth(surface(2, 1890.0, Svi(0.001, 0.30, -0.75, -0.05, 0.04)), surface(30, 1880.0, flat_slice(2.5, 30)))),
    ),
    Case(
        "no variance, backwardation, negative rate",
        market(eth(surface(10, 1850.0, Svi(0.0, 0.0, 0.0, 0.0, 0.1), -0.2), surface(1000, 1500.0, rate=-0.1))),
    ),
    Case(
        "another underlying, own parameters",
        market(eth(*TERM), SOL, tokens=(WETH, Token("MSOL", None, 0.3, "SOL", 0.1, 1.2))),
        Params(
            AccountParams(mm_factor=0.7, im_factor=1.3, peg_threshold=1.0, conf_threshold=0.95, stress_share=0.8),
            overrides_all={"vol_up": 0.8, "short_min_rate": 0.05},
            overrides={"SOL": {"price_range": 0.45, "vol_floor": 0.9, "vega_term_rate": 0.9}},
        ),
    ),
    Case("a book of one state", market(eth(*TERM), BTC), Params(book=SPARSE)),
    Case("long tails", market(eth(*TERM), SOL), Params(book=LONG_TAILS, overrides={"SOL": {"price_range": 0.3}})),
    Case("one side only", market(eth(*FADING), BTC), Params(book=ONE_SIDED)),
    Case("as many prices as fit", market(eth(*TERM)), Params(book=DENSE)),
    Case(
        "size that costs",
        market(eth(*TERM), BTC),
        Params(overrides_all={"n0": 20_000.0, "v0": 2_000.0, "conc_rate": 0.5, "conc_vega_rate": 0.3}),
    ),
)
#: Of the mirror alone: each underlying with a book of its own.
OWN_BOOKS = Case(
    "books of their own",
    market(eth(*TERM), BTC, SOL),
    Params(books={"ETH": DENSE, "SOL": LONG_TAILS}, overrides={"SOL": {"price_range": 0.3}}),
)
