"""RiskEngine against 50-digit arithmetic written from the risk model."""

from __future__ import annotations

import random
from typing import Any

import mpmath as mp
import pytest

from tests.chain.differential.exact import CALL, FUTURE, PERP, PUT, Book, wad

TS = 1_800_000_000
WAD = 10**18
PARAMS = {
    "priceRangeWad": 18 * 10**16,
    "volUpWad": 5 * 10**17,
    "volDownWad": 25 * 10**16,
    "volFloorWad": 4 * 10**17,
    "basisMinWad": 3 * 10**15,
    "basisRateWad": 5 * 10**16,
    "perpBasisWad": 2 * 10**15,
    "vegaTermRateWad": 5 * 10**17,
    "shortMinRateWad": 10**16,
    "concRateWad": 10**17,
    "concVegaRateWad": 10**17,
    "n0Wad": 50 * 10**24,
    "v0Wad": 5 * 10**24,
}
ACCOUNT = [8 * 10**17, WAD, 99 * 10**16, 4 * WAD, 55 * 10**16, WAD, 9 * 10**17, 4 * 10**17, 6 * 10**17]
ACCOUNT += [15 * 10**16, 10**16, 10 * WAD]
PRICE_BOUND = 1e-8  #: of gross notional; risk-model section 9
GREEK_BOUND = 1e-6
TENORS = (0, 60, 3600, 34_560, 86_400, 7 * 86_400, 30 * 86_400, 31 * 86_400, 180 * 86_400, 3 * 31_536_000)


@pytest.fixture(scope="module")
def engine(accounts, Authority, ScenarioBook, RoundStub, NormalTable, RiskEngine, isolate_module):
    """An engine on a stub round with the default book: (engine, stub, rows)."""
    owner = accounts[0]
    manager = owner.deploy(Authority, owner)
    book = owner.deploy(ScenarioBook, manager, owner.deploy(NormalTable), ACCOUNT)
    rows = [tuple(row) for row in book.defaultRows(PARAMS["priceRangeWad"])]
    book.listUnderlying(b"ETH".ljust(32, b"\0"), list(PARAMS.values()), rows, {"from": owner})
    stub = owner.deploy(RoundStub)
    return owner.deploy(RiskEngine, book, stub), stub, rows


def pack(kind: int, expiry: int, price_e8: int, quantity: int) -> int:
    """Position word of underlying 1."""
    return (1 << 248) | (kind << 240) | (expiry << 200) | ((price_e8 % 2**72) << 128) | (quantity % 2**128)


def random_case(rng: random.Random) -> tuple[Any, Any, Any, int]:
    """Header, surfaces, positions and linked units over the whole domain."""
    forward = 10 ** rng.uniform(-2, 5)
    surfaces = []
    for tenor in sorted(set(rng.choices(TENORS, k=4))):
        time = max(tenor / 31_536_000, 1e-9)
        vol = 10 ** rng.uniform(-1.3, 0.69)
        slice_ = (
            forward * rng.uniform(0.9, 1.1),
            rng.uniform(-0.1, 0.2),
            vol * vol * time * 0.6,
            min(vol * vol * time * 0.4 / 0.15, 1.4),
            rng.uniform(-0.4, 0.2),
            rng.uniform(-0.2, 0.2),
            0.15,
        )
        surfaces.append((TS + tenor, *(int(x * 1e18) for x in slice_)))
    positions = {}
    for _ in range(rng.choice((1, 2, 5, 9))):
        kind = rng.choice((CALL, CALL, CALL, PUT, PUT, PUT, FUTURE, PERP))
        expiry = 0 if kind == PERP else rng.choice(surfaces)[0]
        ratio = 20 ** rng.uniform(-1, 1) if rng.random() < 0.3 else rng.uniform(0.7, 1.4)
        size = int(rng.choice((-1, 1)) * 10 ** rng.uniform(-2, 3) * 1e18)
        positions[kind, expiry, max(1, int(forward * ratio * 1e8))] = size
    header = (TS, int(forward * 1e18), int(forward * 1.001e18), WAD)
    return header, surfaces, [(*key, size) for key, size in positions.items()], rng.choice((0, 5 * WAD))


@pytest.mark.parametrize("seed", range(12))
def test_detail_is_exact(engine, seed):
    contract, stub, rows = engine
    header, surfaces, positions, linked = random_case(random.Random(seed))
    stub.set(header, surfaces)
    want = Book(header, surfaces, PARAMS, rows).evaluate(positions, linked)
    risk, detail = contract.detailOf(1, [pack(*p) for p in positions], linked)
    names_of = ("expiryTs", "deltaWad", "gammaWad", "vegaWad", "thetaWad")
    listed = [dict(zip(names_of, map(int, entry), strict=True)) for entry in detail["expiries"]]
    risk, detail = risk.dict(), detail.dict()
    units = want["gross"] / wad(header[1]) + abs(wad(linked))
    gross = units * wad(header[1])
    names = {"basis": "basisWad", "vegaTerm": "vegaTermWad", "shortMin": "shortMinWad", "scan": "scanWad"}
    names |= {"mark": "markWad", "certified": "certifiedScanWad", "requirement": "requirementWad"}
    names |= {"concentration": "concentrationWad"}
    for name, field in names.items():
        assert abs(wad(risk[field]) - want[name]) <= PRICE_BOUND * gross, name
    assert wad(risk["requirementWad"]) >= want["requirement"] * (1 - mp.mpf("1e-8"))
    for got, exact in zip(detail["rowPnlWad"], want["rows"], strict=True):
        assert abs(wad(got) - exact) <= PRICE_BOUND * gross
    spot = wad(header[1])
    scales = {"delta": mp.mpf(1), "gamma": spot, "vega": 1 / spot, "theta": 1 / spot}
    for name, scale in scales.items():
        assert abs(wad(detail[f"{name}Wad"]) - want[name]) * scale <= GREEK_BOUND * units, name
    named = list(dict.fromkeys([0, *(p[1] for p in positions)]))
    assert [entry["expiryTs"] for entry in listed] == named
    for entry in listed:
        exact = want["expiries"][entry["expiryTs"]]
        for name, scale in scales.items():
            assert abs(wad(entry[f"{name}Wad"]) - exact[name]) * scale <= GREEK_BOUND * units, (name, entry)
    for name in scales:
        rest = int(detail[f"{name}Wad"]) - sum(entry[f"{name}Wad"] for entry in listed)
        assert 0 <= rest <= len(listed), name


def test_cheap_path_agrees_with_detail(engine):
    contract, stub, _ = engine
    header, surfaces, positions, linked = random_case(random.Random(99))
    stub.set(header, surfaces)
    words = [pack(*p) for p in positions]
    assert contract.riskOf(1, words, linked) == contract.detailOf(1, words, linked)[0]


def test_butterfly_between_grid_prices_is_covered(engine):
    """100 short butterflies: grid scan 1,095, true worst 3,638, certified scan 4,942."""
    contract, stub, _ = engine
    expiry = TS + 34_560
    surface = (expiry, 2000 * WAD, 0, 36 * 10**16 * 34_560 // 31_536_000, 0, 0, 0, 10**17)
    stub.set((TS, 2000 * WAD, 2000 * WAD, WAD), [surface])
    legs = ((1730, -100), (1775, 200), (1820, -100))
    words = [pack(CALL, expiry, strike * 10**8, quantity * WAD) for strike, quantity in legs]
    risk = contract.riskOf(1, words, 0).dict()
    assert round(risk["scanWad"] / 1e18) == 1_095
    assert round(risk["certifiedScanWad"] / 1e18) == 4_942


def test_empty_portfolio_needs_nothing(engine):
    contract, stub, _ = engine
    stub.set((TS, 2000 * WAD, 2000 * WAD, WAD), [])
    assert contract.riskOf(1, [], 0).dict()["requirementWad"] == 0
