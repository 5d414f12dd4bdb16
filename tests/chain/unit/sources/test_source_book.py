"""SourceBook: one bounded question to whoever says what a token is worth; what cannot be an answer counts nothing."""

from __future__ import annotations

import brownie
import pytest

from tests.chain.helpers.errors import reverts_naming, reverts_with
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import deploy_stack
from tests.python.oracle import fixed

TOKEN, OTHER = 7, 8
SPOT = 1_900 * WAD
STIPEND, CEILING_E6 = 60_000, 10**12
#: Code that fails, runs for ever, answers too little, too much, and nothing.
INVALID, LOOP, SHORT = "0xfe", "0x5b5f56", "0x601f5ff3"
LONG, SILENT = "0x6110005ff3", "0x00"


@pytest.fixture(scope="module")
def stack(accounts, chain):
    return deploy_stack(brownie.project.get_loaded_projects()[0], accounts[0], chain)


@pytest.fixture(scope="module")
def range_(stack):
    roots = [fixed.root_at_tick(73_200, 0), fixed.root_at_tick(77_800, 0)]
    return stack.admin.deploy(stack.project.LiquidityRange, *roots)


@pytest.fixture(scope="module")
def stub(stack):
    made = stack.admin.deploy(stack.project.SourceStub)
    made.set(0, 0, 0, 99, 0, {"from": stack.admin})
    return made


def listen(stack, source, token=TOKEN, stipend=STIPEND, ceiling=CEILING_E6):
    return stack.sources.setSource(token, (source, stipend, ceiling), {"from": stack.admin})


def curve(stack, amounts, ids=(TOKEN,), spot=SPOT):
    words = stack.sources.curveOf(stack.book.bookPointerOf(1), spot, list(ids), list(amounts))
    lists = [tuple(int(word) for word in found) for found in words[2:]]
    return {"units": int(words[0]), "gamma": int(words[1]), "values": lists[0], "losses": lists[1], "bends": lists[2]}


def moves(stack):
    """Moves of the ladder and their weights as fractions, from the plan."""
    plan = stack.book.bookOf(1)[2]
    first, count = plan[11], plan[6]
    found = []
    for i in range(count):
        move, weight = plan[first + 3 * i], plan[first + 3 * i + 1] >> 128
        move = move - 2**256 if move >> 255 else move
        found.append((move, (weight >> 64, weight % 2**64) if weight else (1, 1)))
    return found


def expected(stack, source, amount, spot=SPOT):
    """The same in whole numbers of Python."""
    ladder = moves(stack)
    prices = [spot] + [spot * (WAD + move) // WAD for move, _ in ladder]
    units, gamma, values = source.valuesAt(amount, prices)
    units, gamma, values = int(units), int(gamma), [int(value) for value in values]
    cash = units * spot // WAD
    lost = [values[0] - value for value in values[1:]]
    bent = [max(one - (-(cash * move) // WAD), 0) for one, (move, _) in zip(lost, ladder, strict=True)]
    bends = [-(-one * num // den) for one, (_, (num, den)) in zip(bent, ladder, strict=True)]
    weighted = [-(-one * num // den) for one, (_, (num, den)) in zip(lost, ladder, strict=True) if one > 0]
    worst = max([0, *weighted])
    return {"units": units, "gamma": gamma, "values": (values[0],), "losses": (worst,), "bends": tuple(bends)}


@pytest.mark.parametrize("amount", [0, 1, 10**6, WAD, 12_345_678 * WAD + 9, 2**127])
def test_curve_of__equals_whole_numbers(stack, range_, amount):
    listen(stack, range_)
    assert curve(stack, [amount]) == expected(stack, range_, amount)


@pytest.mark.parametrize("spot", [1, 700, 1_500, 1_510, 1_900, 2_390, 2_400, 4_000, 10**9])
def test_curve_of__any_spot__equals_whole_numbers(stack, range_, spot):
    listen(stack, range_)
    assert curve(stack, [WAD], spot=spot * WAD) == expected(stack, range_, WAD, spot * WAD)


def test_curve_of__several_tokens__add_up(stack, range_, stub):
    listen(stack, range_)
    listen(stack, stub, OTHER)
    stub.set(2 * WAD, -3, 0, 99, 0, {"from": stack.admin})
    one, two = expected(stack, range_, 5 * WAD), expected(stack, stub, 2 * WAD)
    both = curve(stack, [5 * WAD, 2 * WAD], (TOKEN, OTHER))
    assert both["units"] == one["units"] + two["units"]
    assert both["gamma"] == one["gamma"] - 3
    assert both["values"] == one["values"] + two["values"]
    assert both["losses"] == one["losses"] + two["losses"]
    assert both["bends"] == tuple(a + b for a, b in zip(one["bends"], two["bends"], strict=True))


def test_curve_of__what_bends_the_other_way__is_worth_its_units(stack, stub):
    """More than the units explain is no gain: the requirement is that of the units."""
    listen(stack, stub)
    stub.set(10**17, 0, 0, 99, 0, {"from": stack.admin})
    found = curve(stack, [WAD])
    assert found == expected(stack, stub, WAD)
    assert max(found["bends"]) > 0
    assert found["bends"][-1] == 0


def test_curve_of__no_source__counts_nothing(stack):
    assert curve(stack, [WAD]) == {
        "units": 0, "gamma": 0, "values": (0,), "losses": (0,), "bends": (0,) * len(moves(stack)),
    }  # fmt: skip


NOTHING = {"units": 0, "gamma": 0, "values": (0,), "losses": (0,)}


CODES = {"no code": "0x", "silent": SILENT, "invalid": INVALID, "loop": LOOP, "short": SHORT, "long": LONG}


@pytest.mark.parametrize("code", list(CODES.values()), ids=list(CODES))
def test_curve_of__source_fails__counts_nothing(stack, stub, code):
    listen(stack, stub)
    brownie.web3.provider.make_request("anvil_setCode", [stub.address, code])
    found = curve(stack, [WAD])
    assert {k: found[k] for k in NOTHING} == NOTHING
    assert set(found["bends"]) == {0}


@pytest.mark.parametrize(
    ("units", "gamma", "added", "place", "surplus"),
    [
        (0, 0, 10**6 * WAD, 0, 0), (0, 0, 10**6 * WAD, -1, 0), (0, 0, 2**255, 3, 0),
        (10**4 * WAD, 0, 0, 99, 0), (-(10**4) * WAD, 0, 0, 99, 0), (2**255 - 1, 0, 0, 99, 0), (-(2**255), 0, 0, 99, 0),
        (0, 2**127, 0, 99, 0), (0, -(2**255), 0, 99, 0), (0, 0, 0, 99, 1), (0, 0, 0, 99, -1), (0, 0, 0, 99, 200),
    ],
    ids=["value", "last value", "all bits", "units", "short units", "most units", "least units",
         "gamma", "least gamma", "one more", "one less", "many more"],
)  # fmt: skip
def test_curve_of__answer_that_cannot_be__counts_nothing(stack, stub, units, gamma, added, place, surplus):
    listen(stack, stub)
    assert curve(stack, [WAD])["values"] == (SPOT,)
    place = len(moves(stack)) if place < 0 else place
    stub.set(units, gamma, added, place, surplus, {"from": stack.admin})
    found = curve(stack, [WAD])
    assert {k: found[k] for k in NOTHING} == NOTHING
    assert set(found["bends"]) == {0}


def test_curve_of__at_the_ceiling__counts(stack, stub):
    """Ten millionths above what is stated is more than can be, at the ceiling it is not."""
    listen(stack, stub, ceiling=10**12)
    most = 10**6 * WAD
    stub.set(0, 0, most - SPOT, 0, 0, {"from": stack.admin})
    assert curve(stack, [WAD])["values"] == (most,)
    stub.set(0, 0, most - SPOT + 1, 0, 0, {"from": stack.admin})
    assert curve(stack, [WAD])["values"] == (0,)


def test_curve_of__starved_of_gas__fails_and_never_counts_less(stack, range_, stub):
    """Whoever sends too little runs out of it: no source is taken for one that failed."""
    listen(stack, range_)
    whole = curve(stack, [WAD])
    data = stack.sources.curveOf.encode_input(stack.book.bookPointerOf(1), SPOT, [TOKEN], [WAD])
    answers = set()
    for gas in range(30_000, 160_000, 2_500):
        request = {"from": stack.admin.address, "to": stack.sources.address, "data": data, "gas": hex(gas)}
        answer = brownie.web3.provider.make_request("eth_call", [request, "latest"])
        answers.add(answer.get("result"))
    assert None in answers
    answers.discard(None)
    assert len(answers) == 1
    words = stack.sources.curveOf.decode_output(answers.pop())
    assert tuple(int(value) for value in words[2]) == whole["values"]


# --- setting


def test_set_source__terms_and_event(stack, range_):
    tx = listen(stack, range_)
    source, *numbers = stack.sources.termsOf(TOKEN)
    assert (source, [int(n) for n in numbers]) == (range_.address, [STIPEND, CEILING_E6])
    assert tx.events["SourceSet"]["tokenId"] == TOKEN
    listen(stack, "0x" + 40 * "0", stipend=0, ceiling=0)
    assert stack.sources.termsOf(TOKEN)[0] == "0x" + 40 * "0"
    assert curve(stack, [WAD])["values"] == (0,)


@pytest.mark.parametrize(
    ("stipend", "ceiling", "name", "observed", "limit"),
    [
        (9_999, 1, "stipendGas", 9_999, 10_000),
        (60_001, 1, "stipendGas", 60_001, 60_000),
        (20_000, 0, "ceilingE6", 0, 1),
    ],
)
def test_set_source__outside_its_limits__reverts(stack, range_, stipend, ceiling, name, observed, limit):
    with reverts_naming("SourceBook__BadTerms", name):
        listen(stack, range_, stipend=stipend, ceiling=ceiling)


@pytest.mark.parametrize("code", ["0x", INVALID, LOOP, SHORT])
def test_set_source__gives_no_answer__reverts(stack, stub, code):
    brownie.web3.provider.make_request("anvil_setCode", [stub.address, code])
    with reverts_with("SourceBook__SourceFailed", TOKEN, stub):
        listen(stack, stub)


def test_set_source__stranger__reverts(stack, range_, accounts):
    with reverts_with("AccessManagedUnauthorized", accounts[5]):
        stack.sources.setSource(TOKEN, (range_, STIPEND, CEILING_E6), {"from": accounts[5]})
