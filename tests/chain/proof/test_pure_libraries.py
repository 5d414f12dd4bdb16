"""The small pure libraries against exact integers: every edge, every small number, every second."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from brownie import web3

from plimsoll.chain.abi import load_artifact
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from tests.chain.proof import integers as exact
from tests.chain.proof.pure_battery import ERRORS, GROUPS, PATH_SEC, failures, linear_math, path_failures

LEAST = {
    **{"WadMath": 5_000, "PositionWord": 7_000, "LinearMath": 1_700},
    **{
        "SettlementMath": 1_000,
        "AuctionMath": 1_000,
        "SpeedLimit": 1_800,
        "AnchorWord": 8_000,
        "RequirementMath": 1_500,
        "MarginMath": 5_000,
    },
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
