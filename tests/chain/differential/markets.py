"""Markets that pull the two margin engines apart if anything can."""

from __future__ import annotations

from dataclasses import dataclass, field

from offchain.model import Market, Round, Surface, Svi, Token
from offchain.params import AccountParams, Params

NOW = 1_770_326_940
DAY = 86_400
CALM = Svi(0.002, 0.03, -0.2, 0.0, 0.1)
USDC = Token("USDC", 1.0, 0.0)
WETH = Token("WETH", None, 0.2, "ETH", 0.02, 1.0)
WSTETH = Token("WSTETH", None, 0.25, "ETH", 0.05, 1.21)
GOLD = Token("GOLD", 4000.0, 0.1)


@dataclass(frozen=True)
class Case:
    """One market with its parameters."""

    name: str
    market: Market
    params: Params = field(default_factory=Params)


def surface(days: float, forward: float, svi: Svi = CALM, rate: float = 0.04) -> Surface:
    return Surface(NOW + round(days * DAY), forward, rate, svi)


def eth(*surfaces: Surface, confidence: float = 1.0) -> Round:
    return Round("ETH", NOW, 1900.0, 1899.5, confidence, surfaces)


def market(*rounds: Round, usdc: float = 1.0, tokens: tuple[Token, ...] = (WETH, WSTETH, GOLD)) -> Market:
    cash = Token("USDC", usdc, 0.0)
    return Market(NOW, {t.symbol: t for t in (cash, *tokens)}, {r.underlying: r for r in rounds})


def flat_slice(vol: float, days: float) -> Svi:
    """A slice of one volatility: total variance is constant in the strike."""
    return Svi(vol * vol * days / 365.0, 0.0, 0.0, 0.0, 0.1)


BTC = Round(
    "BTC",
    NOW,
    64_000.0,
    64_012.5,
    0.97,
    (surface(3, 64_010.0), surface(40, 64_300.0, Svi(0.01, 0.08, -0.35, 0.02, 0.15)), surface(200, 65_900.0)),
)
TERM = (surface(1, 1900.4), surface(14, 1903.0), surface(180, 1931.0, Svi(0.05, 0.15, -0.4, 0.05, 0.3)))

CASES = (
    Case("two underlyings", market(eth(*TERM), BTC)),
    Case("doubtful round, cash off its peg", market(eth(*TERM, confidence=0.4), BTC, usdc=0.96)),
    Case(
        "expiring now and in a minute",
        market(eth(surface(0, 1899.0), surface(60 / DAY, 1899.8, flat_slice(0.9, 60 / DAY)), surface(7, 1902.0))),
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
        "SPAN rows, another underlying, own parameters",
        market(
            eth(*TERM),
            Round("SOL", NOW, 87.5, 87.44, 0.9, (surface(5, 87.6, flat_slice(1.1, 5)),)),
            tokens=(WETH, Token("MSOL", None, 0.3, "SOL", 0.1, 1.2)),
        ),
        Params(
            AccountParams(mm_factor=0.7, im_factor=1.3, peg_threshold=1.0, conf_threshold=0.95, stress_share=0.8),
            "span",
            {"vol_up": 0.8, "short_min_rate": 0.05},
            {"SOL": {"price_range": 0.3, "vol_floor": 0.9}},
        ),
    ),
    Case(
        "size that costs",
        market(eth(*TERM), BTC),
        Params(overrides_all={"n0": 20_000.0, "v0": 2_000.0, "conc_rate": 0.5, "conc_vega_rate": 0.3}),
    ),
)
