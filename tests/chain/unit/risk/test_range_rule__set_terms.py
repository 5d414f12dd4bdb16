"""RangeRule.setTerms: governance says what the rule may do with a range, and whether it applies at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from brownie import accounts, chain, project

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ranges import Terms, add_rule
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import deploy_stack

TERMS = Terms()


@pytest.fixture(scope="module")
def stack():
    found = deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)
    found.rule = add_rule(found)
    return found


def set_terms(stack, terms, by=0, underlying_id=1):
    return stack.rule.setTerms(underlying_id, terms.plain(), {"from": accounts[by]})


def test_set_terms__are_kept_and_told(stack):
    terms = Terms(2 * 10**17, 3 * 10**17, 2 * WAD, 9 * 10**17, 2 * 10**16, 10**16)
    tx = set_terms(stack, terms)
    assert tuple(stack.rule.termsOf(1)) == terms.plain()
    assert tx.events["RangeTermsSet"]["underlyingId"] == 1
    assert tuple(tx.events["RangeTermsSet"]["terms"]) == terms.plain()


def test_set_terms__new_ones__keep_what_was_seen(stack):
    stack.rule.recalibrate(1, {"from": accounts[5]})
    seen = tuple(stack.rule.observationOf(1))
    set_terms(stack, replace(TERMS, multiple=4 * WAD))
    assert tuple(stack.rule.observationOf(1)) == seen


def test_set_terms__ceiling_of_zero__ends_the_rule_and_forgets(stack):
    stack.rule.recalibrate(1, {"from": accounts[5]})
    set_terms(stack, Terms(0, 0, 0, 0, 0, 0))
    assert set(stack.rule.observationOf(1)) == {0}
    stack.price(1_900)
    with reverts_with("RangeRule__NoTerms", 1):
        stack.rule.recalibrate(1, {"from": accounts[5]})


@pytest.mark.parametrize(
    ("name", "field", "least", "most"),
    [
        ("ceilingWad", "ceiling", TERMS.floor, 5 * 10**17),
        ("floorWad", "floor", 10**15, TERMS.ceiling),
        ("multipleWad", "multiple", 10**17, 18 * WAD),
        ("keptWad", "kept", 5 * 10**17, 995 * 10**15),
        ("maxRiseWad", "rise", 10**15, 10**17),
        ("maxFallWad", "fall", 10**15, 10**17),
    ],
)
def test_set_terms__outside_their_interval__revert(stack, name, field, least, most):
    for limit in (least, most):
        set_terms(stack, replace(TERMS, **{field: limit}))
    # A ceiling below the floor is a floor above the ceiling.
    low = ("floorWad", TERMS.floor, least - 1) if field == "ceiling" else (name, least - 1, least)
    for fault, wrong in ((low, least - 1), ((name, most + 1, most), most + 1)):
        with reverts_with("RangeRule__BadTerms", fault[0].encode().ljust(32, b"\0"), *fault[1:]):
            set_terms(stack, replace(TERMS, **{field: wrong}))


def test_set_terms__unlisted_underlying__reverts(stack):
    with reverts_with("ScenarioBook__UnknownUnderlying", 2, 1):
        set_terms(stack, TERMS, underlying_id=2)


def test_set_terms__by_a_stranger__revert(stack):
    with reverts_with("AccessManagedUnauthorized"):
        set_terms(stack, TERMS, by=3)
