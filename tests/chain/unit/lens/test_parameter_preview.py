"""ParameterPreview: what a proposal does to every account, before it is executed and without a trace."""

from __future__ import annotations

import pytest
from brownie import accounts, chain, project

from tests.chain.helpers.books import rows
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import option
from tests.chain.helpers.signed import WAD, surface
from tests.chain.helpers.stack import ACCOUNT, CROSS, PRICE_RANGE, STANDARD, UNDERLYING, deploy_stack

FIELDS = (
    *("accountId", "isKnownBefore", "isKnownAfter", "stateBefore", "stateAfter", "equityBefore", "equityAfter"),
    *("initialBefore", "initialAfter", "maintenanceBefore", "maintenanceAfter"),
)
DRAFT_ROLE = 2
SETTERS = ("setBook", "setAccountParams", "setCollateral")
TOKEN = (True, 1, 5 * 10**17, 4 * 10**17, WAD)


@pytest.fixture(scope="module")
def stack():
    found = deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)
    admin, kit = found.admin, found.project
    found.draft = admin.deploy(kit.DraftBook, found.authority, found.book)
    engine = found.engine_of(found.draft)
    found.lens = admin.deploy(kit.ParameterPreview, found.accounts, found.engine, found.draft, engine)
    selectors = [found.book.signatures[name] for name in SETTERS]
    found.authority.setTargetFunctionRole(found.draft, selectors, DRAFT_ROLE, {"from": admin})
    found.authority.grantRole(DRAFT_ROLE, found.lens, 0, {"from": admin})
    expiry = chain[-1].timestamp + 30 * 86_400
    found.price(1_900, surfaces=[surface(expiry)])
    found.ids = [found.open(accounts[1], 9_000, mode) for mode in (0, STANDARD, CROSS)]
    other = found.open(accounts[1], 10**6)
    for account_id in found.ids:
        found.accounts.creditToken(account_id, 1, WAD, {"from": admin})
        found.trade(account_id, other, 10, 1_900)
        found.trade(other, account_id, 4, 60, option(expiry, 2_000))
    return found


def proposals(stack):
    return {
        "book": [stack.book.setBook.encode_input(1, (PRICE_RANGE * 3 // 2, *UNDERLYING[1:]), rows())],
        "account": [stack.book.setAccountParams.encode_input((9 * 10**17, 2 * WAD, *ACCOUNT[2:]))],
        "collateral": [stack.book.setCollateral.encode_input(1, TOKEN)],
    }


def seen(stack, calls, how="call"):
    answer = stack.lens.previewParameters
    found = answer.call(calls, stack.ids) if how == "call" else answer(calls, stack.ids, {"from": accounts[3]})
    return [dict(zip(FIELDS, entry, strict=True)) for entry in (found if how == "call" else found.return_value)]


def margins(stack):
    found = [stack.engine.marginOf(account_id) for account_id in stack.ids]
    return [tuple(int(v) for v in (m[0], m[1], m[4], m[5])) for m in found]


def side(entry, which):
    return tuple(int(entry[name + which]) for name in ("state", "equity", "initial", "maintenance"))


@pytest.mark.parametrize("names", [["book"], ["account"], ["collateral"], ["book", "account", "collateral"]])
def test_preview__equals_the_margins_after_the_change(stack, names):
    calls = [call for name in names for call in proposals(stack)[name]]
    before, changes = margins(stack), seen(stack, calls)
    for call in calls:
        stack.admin.transfer(stack.book, 0, data=call)
    assert [side(entry, "Before") for entry in changes] == before
    assert [side(entry, "After") for entry in changes] == margins(stack) != before
    assert [entry["accountId"] for entry in changes] == stack.ids
    # The draft follows the live book: nothing is left to change.
    assert [side(entry, "After") for entry in seen(stack, [])] == margins(stack)


def test_preview__as_a_transaction__leaves_the_draft_alone(stack):
    now = seen(stack, [])
    changed = seen(stack, proposals(stack)["book"], "transaction")
    assert [side(e, "After") for e in changed] != [side(e, "Before") for e in changed]
    assert seen(stack, []) == now
    assert stack.draft.bookPointerOf(1) == stack.book.bookPointerOf(1)


def test_simulate__always_reverts(stack):
    with reverts_with("ParameterPreview__Result"):
        stack.lens.simulate(proposals(stack)["book"], stack.ids, {"from": accounts[3]})


def test_preview__refused_by_the_book__reverts_with_its_error(stack):
    call = stack.book.setAccountParams.encode_input((2 * WAD, WAD, *ACCOUNT[2:]))
    with reverts_with("ScenarioBook__ParameterOutOfRange"):
        stack.lens.previewParameters.call([call], stack.ids)
    with reverts_with("ScenarioBook__UnknownUnderlying"):
        stack.lens.previewParameters.call([stack.book.setBook.encode_input(9, UNDERLYING, rows())], stack.ids)


def test_preview__anything_but_the_three_setters__reverts(stack):
    with reverts_with("AccessManagedUnauthorized"):
        stack.lens.previewParameters.call([stack.book.setGrace.encode_input(60)], stack.ids)


def test_draft__set_by_anyone_else__reverts(stack):
    with reverts_with("AccessManagedUnauthorized"):
        stack.draft.setAccountParams(ACCOUNT, {"from": stack.admin})


def test_preview__no_price__is_unknown_not_zero(stack):
    chain.sleep(8 * 86_400)
    chain.mine()
    entry = seen(stack, [])[0]
    assert (entry["isKnownBefore"], entry["isKnownAfter"]) == (False, False)


def test_preview__closed_account_among_them__leaves_its_entry_empty(stack):
    gone = stack.open(accounts[4])
    stack.accounts.close(gone, {"from": accounts[4]})
    found = stack.lens.previewParameters.call(proposals(stack)["book"], [stack.ids[0], gone, stack.ids[1]])
    closed = dict(zip(FIELDS, found[1], strict=True))
    assert (closed["accountId"], closed["isKnownBefore"], closed["isKnownAfter"]) == (gone, False, False)
    assert [entry[1] and entry[2] for entry in found] == [True, False, True]
