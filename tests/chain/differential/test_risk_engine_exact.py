"""RiskEngine against 50-digit arithmetic over its whole domain: every component, row and greek, alone and together."""

from __future__ import annotations

import random
from typing import Any

import mpmath as mp
import pytest

from tests.chain.differential.exact import Book, cross_of, wad
from tests.chain.helpers.books import DEFAULT, DOWN, FIELDS, UP, rows
from tests.chain.helpers.stack import ACCOUNT
from tests.chain.proof.integers import CALL, FUTURE, PERP, PUT

TS = 1_800_000_000
WAD = 10**18
PARAMS = {
    "priceRangeWad": 285 * 10**15,
    "volUpWad": 5 * 10**17,
    "volDownWad": 25 * 10**16,
    "volFloorWad": 4 * 10**17,
    "basisMinWad": 3 * 10**15,
    "basisRateWad": 5 * 10**16,
    "perpBasisWad": 2 * 10**15,
    "vegaTermRateWad": 7 * 10**17,
    "skewRateWad": WAD,
    "shortMinRateWad": 10**16,
    "concRateWad": 10**17,
    "concVegaRateWad": 10**17,
    "n0Wad": 50 * 10**24,
    "v0Wad": 5 * 10**24,
}
PRICE_BOUND = 1e-8  #: of gross notional; risk-model section 9
GREEK_BOUND = 1e-6
#: A weight is kept in steps of 1e-9, rounded up.
WEIGHT_BOUND = mp.mpf("1e-9")
#: What the contracts add for the table, of ``2F + K`` of every option: far strikes raise it above the bound of a price.
PAD_BOUND = mp.mpf("8e-9")
#: Futures are discounted by an exponential that is good to a few units of its last place, and nothing pads them.
LINEAR_BOUND = mp.mpf("1e-14")
LATE = (0, 60, 900, 1_799)
TENORS = (1_800, 3_600, 34_560, 86_399, 86_400, 7 * 86_400, 30 * 86_400, 31 * 86_400, 180 * 86_400, 3 * 31_536_000)
#: The default book, and one with moves, tails and skews of no symmetry.
BOOKS = {
    "default": DEFAULT,
    "odd": DEFAULT
    | {
        "gridMovesWad": [-WAD, -3 * WAD // 10, 0, WAD // 7, 6 * WAD // 10],
        "gridVols": [UP, DOWN],
        "tailMovesWad": [5 * WAD // 4, 3 * WAD, 4 * WAD],
        "tailVols": [DOWN],
        "skewWad": 4 * 10**17,
        "skewAt": [(-WAD, UP), (WAD // 7, DOWN), (0, UP)],
    },
}
COMPONENTS = {
    "scan": "scanWad",
    "certifiedScan": "certifiedScanWad",
    "basis": "basisWad",
    "vegaTerm": "vegaTermWad",
    "skewTerm": "skewTermWad",
    "shortMin": "shortMinWad",
    "concentration": "concentrationWad",
    "requirement": "requirementWad",
    "mark": "markWad",
    "gross": "grossNotionalWad",
}


@pytest.fixture(scope="module", params=sorted(BOOKS))
def engine(request, accounts, Authority, ScenarioBook, RoundStub, NormalTable, RiskEngine, isolate_module):
    """An engine on a stub round: (engine, stub, rows)."""
    owner, name = accounts[0], request.param
    manager = owner.deploy(Authority, owner)
    book = owner.deploy(ScenarioBook, manager, ACCOUNT)
    for symbol in (b"ETH", b"BTC"):
        values = [list(PARAMS.values()), rows(**BOOKS[name])]
        book.listUnderlying("0x" + symbol.ljust(32, b"\0").hex(), *values, {"from": owner})
    stub = owner.deploy(RoundStub)
    engine = owner.deploy(RiskEngine, book, stub, owner.deploy(NormalTable))
    return engine, stub, {field: BOOKS[name][field] for field in FIELDS}


def pack(kind: int, expiry: int, price_e8: int, quantity: int, underlying: int = 1) -> int:
    """Position word."""
    return (underlying << 248) | (kind << 240) | (expiry << 200) | ((price_e8 % 2**72) << 128) | (quantity % 2**128)


def pad_of(positions: Any, spot: mp.mpf) -> mp.mpf:
    """Upper bound of the pad: a forward lies within a tenth of spot, a discount below 1.4."""
    options = [(wad(price * 10**10), abs(wad(size))) for kind, _, price, size in positions if kind in (CALL, PUT)]
    return PAD_BOUND * sum(
        (size * (mp.mpf("2.2") * spot + strike) * mp.mpf("1.4") for strike, size in options), mp.mpf(0)
    )


def random_case(rng: random.Random) -> tuple[Any, Any, Any, int]:
    """Header, surfaces, positions and linked units over the whole domain; one expiry may be inside its window."""
    forward = 10 ** rng.uniform(-2, 5)
    tenors = sorted({*rng.choices(TENORS, k=3), *rng.choices(LATE, k=rng.choice((0, 1)))})
    surfaces = []
    for tenor in tenors:
        seconds = tenor / 3 if tenor < 1_800 else tenor - 1_200
        vol, time = 10 ** rng.uniform(-1.3, 0.69), max(seconds / 31_536_000, 1e-9)
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
        strike = max(1, int(forward * rng.choice((ratio, 1.05)) * 1e8))
        positions[kind, expiry, strike] = int(rng.choice((-1, 1)) * 10 ** rng.uniform(-2, 3) * 1e18)
    mean = int(forward * rng.uniform(0.9, 1.1) * 1e18) if tenors[0] < 1_800 else 0
    header = (TS, int(forward * 1e18), int(forward * 1.001e18), WAD, mean)
    return header, surfaces, [(*key, size) for key, size in positions.items()], rng.choice((0, 5 * WAD))


@pytest.mark.parametrize("seed", range(12))
def test_detail_is_exact(engine, seed):
    contract, stub, book = engine
    header, surfaces, positions, linked = random_case(random.Random(seed))
    stub.set(header, surfaces)
    want = Book(header, surfaces, PARAMS, book).evaluate(positions, linked)
    risk, detail = contract.detailOf(1, [pack(*p) for p in positions], linked, 0, [])
    names_of = ("expiryTs", "deltaWad", "gammaWad", "vegaWad", "thetaWad")
    listed = [dict(zip(names_of, map(int, entry), strict=True)) for entry in detail["expiries"]]
    risk, detail = risk.dict(), detail.dict()
    units = want["gross"] / wad(header[1]) + abs(wad(linked))
    gross = units * wad(header[1])
    pad = pad_of(positions, wad(header[1]))
    for name, field in COMPONENTS.items():
        assert abs(wad(risk[field]) - want[name]) <= (PRICE_BOUND + WEIGHT_BOUND) * gross + pad, name
    assert wad(risk["requirementWad"]) >= want["requirement"] * (1 - mp.mpf("1e-8"))
    assert wad(risk["certifiedScanWad"]) >= want["certifiedScan"] - LINEAR_BOUND * gross
    for got, row in zip(detail["rowPnlWad"], want["rows"], strict=True):
        assert abs(wad(got) - row["pnl"]) <= (PRICE_BOUND + 3 * WEIGHT_BOUND) * gross
    spot = wad(header[1])
    scales = {"delta": mp.mpf(1), "gamma": spot, "vega": 1 / spot, "theta": 1 / spot}
    for name, scale in scales.items():
        assert abs(wad(detail[f"{name}Wad"]) - want["greeks"][name]) * scale <= GREEK_BOUND * units, name
    named = list(dict.fromkeys([0, *(p[1] for p in positions)]))
    assert [entry["expiryTs"] for entry in listed] == named
    for entry in listed:
        exact = want["byExpiry"].get(entry["expiryTs"], dict.fromkeys(scales, 0))
        for name, scale in scales.items():
            assert abs(wad(entry[f"{name}Wad"]) - exact[name]) * scale <= GREEK_BOUND * units, (name, entry)
    for name in scales:
        rest = int(detail[f"{name}Wad"]) - sum(entry[f"{name}Wad"] for entry in listed)
        # Each is cut off at a whole wei.
        assert abs(rest) <= len(listed), name


@pytest.mark.parametrize("seed", range(20, 28))
def test_standard_is_exact(engine, seed):
    contract, stub, book = engine
    header, surfaces, positions, linked = random_case(random.Random(seed))
    stub.set(header, surfaces)
    exact = Book(header, surfaces, PARAMS, book)
    found = contract.standardOf(1, [pack(*p) for p in positions], linked, []).dict()
    want, alone = exact.standard(positions, linked), exact.evaluate(positions, linked)
    gross = alone["gross"] + abs(wad(linked)) * wad(header[1])
    above = (PRICE_BOUND + WEIGHT_BOUND) * gross + pad_of(positions, wad(header[1]))
    assert -mp.mpf("1e-8") * want <= wad(found["requirementWad"]) - want <= above
    assert abs(wad(found["markWad"]) - alone["mark"]) <= PRICE_BOUND * gross
    # Long options count nothing here, so SINGLE is asked about the rest.
    counted = [pack(*p) for p in positions if p[0] in (FUTURE, PERP) or p[3] < 0]
    assert found["requirementWad"] >= contract.riskOf(1, counted, 0)["requirementWad"]


@pytest.mark.parametrize("seed", range(40, 48))
@pytest.mark.parametrize("share", [0, 6 * 10**17, WAD])
def test_cross_is_exact(engine, seed, share):
    """The same round and rows for both underlyings, with other positions in each."""
    contract, stub, book = engine
    draw = random.Random(seed)
    header, surfaces, first, linked = random_case(draw)
    # Another draw of positions in the same market.
    second = [
        (kind, expiry, price * 9 // 10 + 1, -size // 3) for kind, expiry, price, size in first if draw.random() < 0.8
    ]
    stub.set(header, surfaces)
    books = [Book(header, surfaces, PARAMS, book, symbol) for symbol in ("U", "V")]
    want = cross_of(books, [first, second], [linked, 0], share)
    words = [[pack(*p, underlying=n) for p in part] for n, part in ((1, first), (2, second))]
    risks, requirement = contract.crossOf([1, 2], words, [linked, 0], [], share)
    alone = [b.evaluate(part, units) for b, part, units in zip(books, (first, second), (linked, 0), strict=True)]
    gross = sum(part["gross"] for part in alone) + wad(linked) * wad(header[1])
    bound, pads = (PRICE_BOUND + WEIGHT_BOUND) * gross, [pad_of(part, wad(header[1])) for part in (first, second)]
    assert -mp.mpf("1e-8") * want <= wad(int(requirement)) - want <= 2 * bound + sum(pads)
    for risk, part, pad in zip(risks, alone, pads, strict=True):
        assert abs(wad(risk.dict()["requirementWad"]) - part["requirement"]) <= bound + pad


def test_cheap_path_agrees_with_detail(engine):
    contract, stub, _ = engine
    header, surfaces, positions, linked = random_case(random.Random(99))
    stub.set(header, surfaces)
    words = [pack(*p) for p in positions]
    assert contract.riskOf(1, words, linked) == contract.detailOf(1, words, linked, 0, [])[0]


def test_expiry_in_the_window_without_a_mean__reverts(engine):
    from tests.chain.helpers.errors import reverts_with

    contract, stub, _ = engine
    expiry = TS + 1_799
    stub.set((TS, 2_000 * WAD, 2_000 * WAD, WAD, 0), [(expiry, 2_000 * WAD, 0, 10**13, 0, 0, 0, 10**17)])
    with reverts_with("RiskEngine__NoSettlementMean", expiry, TS):
        contract.riskOf(1, [pack(CALL, expiry, 2_000 * 10**8, WAD)], 0)


def test_empty_portfolio_needs_nothing(engine):
    contract, stub, _ = engine
    stub.set((TS, 2000 * WAD, 2000 * WAD, WAD, 0), [])
    assert contract.riskOf(1, [], 0).dict()["requirementWad"] == 0
