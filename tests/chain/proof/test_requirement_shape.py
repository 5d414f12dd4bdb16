"""Shape of the requirement on chain: scaling, netting, order, form, parity, parameters, collateral."""

from __future__ import annotations

import random

import pytest

from tests.chain.proof import integers as exact
from tests.chain.proof.margin_battery import CROSS, SINGLE, STANDARD, Snapshot, word
from tests.chain.proof.risk_battery import Battery, pack
from tests.chain.proof.world import CALM, EXPIRING, NOW, running

WAD = 10**18
CALL, PUT, FUTURE, PERP = range(4)
#: Components that netting can only lower; the vega term is the exception (docs/proof/proof.md).
NETTING = ("scanWad", "certifiedScanWad", "basisWad", "skewTermWad", "shortMinWad")
COMPONENTS = (*NETTING, "vegaTermWad")


@pytest.fixture(scope="module")
def world():
    with running() as opened:
        yield opened


@pytest.fixture(scope="module")
def cases(world):
    return Battery(world).cases


def risk(world, underlying, words, linked=0):
    return world.contracts["RiskEngine"].call("riskOf", underlying, words, linked)


def rounding(case, words):
    """Wei by which sums of rounded products may differ: a wei of quantity at the price of one unit, for each word."""
    return (len(words) + 1) * (case.header.spotWad // WAD * 4 + 120)


def scaled(packed, factor):
    return packed - packed % 2**128 + exact.unpack(packed)[4] * factor % 2**128


def test_scaling__by_seven__scales_every_component(world, cases):
    for case in cases[::3]:
        one = risk(world, case.underlying, case.words, case.linked)
        many = risk(world, case.underlying, [scaled(w, 7) for w in case.words], 7 * case.linked)
        for name in COMPONENTS:
            assert abs(getattr(many, name) - 7 * getattr(one, name)) <= 7 * rounding(case, case.words), name
        without = [r.requirementWad - r.concentrationWad for r in (one, many)]
        assert abs(without[1] - 7 * without[0]) <= 7 * rounding(case, case.words)


def test_netting__two_accounts_made_one__no_component_costs_more_than_the_sum(world, cases):
    draw = random.Random(3)
    for _ in range(60):
        a = draw.choice(cases)
        b = draw.choice([case for case in cases if case.underlying == a.underlying])
        words = merged(a.words + b.words)
        one, other = (risk(world, c.underlying, c.words, c.linked) for c in (a, b))
        both = risk(world, a.underlying, words, a.linked + b.linked)
        slack = rounding(a, a.words + b.words)
        for name in NETTING:
            assert getattr(both, name) <= getattr(one, name) + getattr(other, name) + slack, name


def merged(words):
    """One word an instrument; futures of different entries stay apart, whose cash legs differ."""
    found = {}
    for packed in words:
        key = packed >> 128
        quantity = exact.unpack(packed)[4] + (exact.unpack(found[key])[4] if key in found else 0)
        found[key] = packed - packed % 2**128 + quantity % 2**128
    return [w for w in found.values() if exact.unpack(w)[4]]


def test_order__of_positions__changes_not_a_wei(world, cases):
    draw = random.Random(4)
    for case in cases[-15:]:
        shuffled = draw.sample(case.words, len(case.words))
        engine = world.contracts["RiskEngine"]
        (risk_one, detail_one), (risk_two, detail_two) = (
            engine.call("detailOf", case.underlying, words, case.linked, 0, []) for words in (shuffled, case.words)
        )
        # Expiries are listed in the order in which positions name them.
        for detail in (detail_one, detail_two):
            detail.expiries.sort(key=lambda greeks: greeks.expiryTs)
        assert (risk_one, detail_one) == (risk_two, detail_two)
        alone = [engine.call("standardOf", case.underlying, words, case.linked, []) for words in (shuffled, case.words)]
        assert alone[0] == alone[1]


def test_split__of_a_position_into_two_of_one_sign__changes_rounding_only(world, cases):
    for case in cases[-40:]:
        halves = []
        for packed in case.words:
            quantity = exact.unpack(packed)[4]
            first = quantity // 3
            halves += [packed - packed % 2**128 + q % 2**128 for q in (first, quantity - first)]
        one, two = (risk(world, case.underlying, words, case.linked) for words in (case.words, halves))
        for name in (*COMPONENTS, "requirementWad", "markWad", "grossNotionalWad"):
            assert abs(getattr(one, name) - getattr(two, name)) <= rounding(case, halves), name


@pytest.mark.parametrize("strike", [1_500, 1_775, 2_000, 2_600])
def test_parity__call_less_put_less_future__has_only_rounding_risk_in_the_scan(world, strike):
    expiry, underlying = NOW + 34_560, world.deployment.underlyings[EXPIRING]
    price = strike * 10**8
    legs = ((CALL, expiry, price, 100 * WAD), (PUT, expiry, price, -100 * WAD), (FUTURE, expiry, price, -100 * WAD))
    words = [pack(underlying, leg) for leg in legs]
    found, detail = world.contracts["RiskEngine"].call("detailOf", underlying, words, 0, 0, [])
    # Parity is how the engine makes a put, so that even the table's error cancels; the pad is all that is left.
    # Of one strike it is nothing at all, and so between the nodes too.
    assert max(found.scanWad, found.certifiedScanWad, found.vegaTermWad, found.skewTermWad) <= 1_000_000
    assert max(abs(pnl) for pnl in detail.rowPnlWad) <= 1_000_000
    assert found.basisWad <= 1_000_000
    assert max(abs(detail.deltaWad), abs(detail.gammaWad)) <= 1_000
    assert abs(detail.vegaWad) <= 1_000_000


@pytest.mark.parametrize(
    "name",
    [
        *("basisMinWad", "basisRateWad", "perpBasisWad", "vegaTermRateWad", "skewRateWad", "shortMinRateWad"),
        "concRateWad",
    ],
)
def test_charge_rates__any_portfolio__a_higher_rate_never_lowers_the_requirement(world, cases, name):
    book, underlying = world.contracts["ScenarioBook"], world.deployment.underlyings[CALM]
    params = vars(book.call("bookOf", underlying).params) | {"n0Wad": 1_000 * WAD, "v0Wad": WAD}
    rows = book.call("bookOf", underlying).rows
    mine = [case for case in cases if case.underlying == underlying]
    mark, found = world.client.rpc("evm_snapshot"), []
    for rate in (params[name] // 2, 5 * params[name] // 3 + WAD // 10):
        book.send(world.owner, "setBook", underlying, params | {name: min(rate, WAD)}, rows)
        found.append([risk(world, underlying, c.words, c.linked).requirementWad for c in mine])
    world.client.rpc("evm_revert", mark)
    world.client.forget_nonce(world.owner.address)
    assert all(low <= high for low, high in zip(*found, strict=True))
    assert any(low < high for low, high in zip(*found, strict=True))


@pytest.mark.parametrize("mode", [SINGLE, STANDARD, CROSS])
def test_collateral__more_of_it__never_lowers_the_excess(world, mode):
    engine = world.contracts["MarginEngine"]
    tokens = {name: record.token_id for name, record in world.deployment.tokens.items()}
    calm = world.deployment.underlyings[CALM]
    for quantity in (-5 * WAD, 5 * WAD):
        held = (word(calm, PERP, 0, 1_900 * 10**8, quantity), word(calm, CALL, NOW + 86_400, 1_950 * 10**8, -3 * WAD))
        for name in ("PLAIN", "LINKED"):
            excess = []
            for amount in (0, 1, WAD // 3, WAD, 5 * WAD, 40 * WAD):
                margin = engine.call("evaluate", Snapshot(mode, 0, ((tokens[name], amount),), held).abi())
                excess.append(margin.equityWad - margin.initialWad)
            # A wei of a token may be worth nothing after rounding down and still count in the scan.
            assert excess[1] >= excess[0] - 4
            assert excess[1:] == sorted(excess[1:])
            assert excess[-1] - excess[0] > 40 * 1_000 * WAD
