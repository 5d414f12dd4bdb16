"""The small pure libraries against exact integers: every edge, every small number, every second."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise

import pytest
from brownie import web3

from offchain.chain.client import Client
from offchain.chain.contracts import Contract, load_artifact
from tests.chain.proof import integers as exact
from tests.chain.proof.pure_battery import ERRORS, GROUPS, PATH_SEC, failures, linear_math, path_failures

LEAST = {
    **{"WadMath": 5_000, "PositionWord": 7_000, "LinearMath": 1_700},
    **{"SettlementMath": 1_000, "AuctionMath": 1_000, "StandardMath": 2_000},
}


@pytest.fixture(scope="module")
def probe(accounts, LibraryProbe, isolate_module):
    address = accounts[0].deploy(LibraryProbe).address
    return Contract(Client(web3.provider.endpoint_uri), load_artifact("LibraryProbe"), address)


@pytest.mark.parametrize("library", sorted(GROUPS))
def test_library__every_case__is_exact(probe, library):
    cases = list(GROUPS[library]())
    assert len(cases) >= LEAST[library]
    assert failures(probe, cases) == []


def test_price_factor__every_second__is_exact_and_never_rises(probe):
    assert path_failures(probe) == []
    path = [exact.price_factor(second) for second in range(PATH_SEC)]
    assert path[0] == 98 * 10**16
    assert path[900] == 7 * 10**17
    assert path[44_100] == 0
    assert all(late <= early for early, late in pairwise(path))


def test_short_option__over_the_whole_domain__initial_is_never_below_maintenance(probe):
    """Spots and strikes in 1e-8 to 1e12, marks from nothing to the strike of a put and the spot of a call."""
    draw = random.Random(5)
    cases = []
    for _ in range(4_000):
        is_call, spot = draw.random() < 0.3, int(10 ** draw.uniform(10, 30))
        strike = max(10**10, int(spot * 10 ** draw.uniform(-3, 3)))
        most = spot if is_call else strike
        cases.append((is_call, spot, strike, draw.choice([0, most, draw.randint(0, most)])))
    margins = probe.call_many("shortOption", cases)
    below = [(case, found) for case, found in zip(cases, margins, strict=True) if found[0] < found[1]]
    assert below == []
    deep = [f for c, f in zip(cases, margins, strict=True) if not c[0] and c[3] > 2 * c[1]]
    assert len(deep) > 300
    # There the put's own rule decides: 1.05 of maintenance, within the wei that each is rounded up by.
    assert all(abs(initial * 100 - maintenance * 105) <= 105 for initial, maintenance in deep)


def test_linear__over_the_whole_domain__initial_is_never_below_maintenance(probe):
    draw = random.Random(6)
    prices = [*range(20), *(int(10 ** draw.uniform(0, 30)) for _ in range(500))]
    assert all(initial >= maintenance for initial, maintenance in probe.call_many("linear", [[p] for p in prices]))


def test_merge__every_case__never_gives_the_holder_a_wei():
    """At any later price, in exact fractions: the value after is at most that before, and less than a wei below."""
    for _, (word, change, price), (fine, _) in linear_math():
        _, kind, _, entry, held, is_option, _ = exact.unpack(word)
        if is_option or not fine:
            continue
        merged, cash = exact.merge(word, change, price, ERRORS)
        _, _, _, new_entry, total, _, _ = exact.unpack(merged)
        for later in (0, price, entry, 10**13):
            before = Fraction(held * (later - entry) + change * (later - price), 10**8)
            after = Fraction(total * (later - new_entry), 10**8) + cash
            assert -1 < after - before <= 0, (kind, held, change)
        # The entry alone, without the cash that makes up for it, is against the holder too.
        if held and (held > 0) == (change > 0):
            assert new_entry * total >= held * entry + change * price
