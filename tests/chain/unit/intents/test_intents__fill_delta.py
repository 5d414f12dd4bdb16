"""Intents.fillDelta: delta ends within its bounds, at most at its cost, or nothing happens."""

from __future__ import annotations

import pytest
from brownie import WalletStub

from tests.chain.helpers.delegation import PERP as PERP_KIND
from tests.chain.helpers.delegation import limits, terms
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import option, positions, shown, snapshot
from tests.chain.helpers.signed import WAD, surface
from tests.chain.helpers.stack import PERP
from tests.chain.helpers.untouched import refused

DAY = 86_400
CURVE = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def held(stack, account_id):
    return [word.quantity_wad for word in positions(stack.accounts, account_id)]


def test_fill_delta__solver_brings_it_within__both_sides_are_booked(stack, delta, quote, account_id, solver_id):
    assert not stack.intents.isFilled(stack.intents.hashOfDelta(delta.values))
    tx = delta.fill(quote())
    digest = stack.intents.hashOfDelta(delta.values)
    assert tx.events["IntentFilled"] == {
        "digest": digest,
        "accountId": account_id,
        "solverId": solver_id,
        "costWad": 0,
    }
    assert stack.intents.isFilled(digest)
    assert (held(stack, account_id), held(stack, solver_id)) == ([5 * WAD], [-5 * WAD])


def test_fill_delta__the_rest_of_the_account__stays_as_it_was(stack, delta, quote, account_id):
    stack.list_second(100)
    other = PERP + (1 << 248)
    stack.trade(account_id, 1, 3, 100, other)
    stack.accounts.creditToken(account_id, 1, WAD // 2, {"from": stack.admin})
    before = snapshot(stack.accounts, account_id)
    # The loss of 40 a unit on the 15 that are sold at 1,860 is cash; at the mark it is all cost.
    tx = delta.change(maxCostWad=600 * WAD).fill(quote(price=1_860))
    after = snapshot(stack.accounts, account_id)
    assert (after["tokenIds"], after["amountsWad"], after["mode"]) == (before["tokenIds"], before["amountsWad"], 0)
    assert [w for w in after["positions"] if w >> 248 == 2] == [w for w in before["positions"] if w >> 248 == 2]
    assert after["cashWad"] - before["cashWad"] == -600 * WAD
    assert tx.events["IntentFilled"]["costWad"] == 600 * WAD


def test_fill_delta__again__reverts_Filled(stack, delta, quote, account_id, contracts):
    delta.fill(quote())
    # Out of bounds again, so that nothing else stands in the way.
    stack.trade(account_id, 1, 15, 1_900)
    with refused(contracts, "Intents__Filled"):
        delta.fill(quote())
    delta.change(nonce=8).fill(quote())


@pytest.mark.parametrize(("quantity", "ends"), [(13, 7), (17, 3), (-1, 21)])
def test_fill_delta__outside_its_bounds__reverts_DeltaMissed(delta, quote, contracts, quantity, ends):
    with refused(contracts, "Intents__DeltaMissed", ends * WAD, 4 * WAD, 6 * WAD):
        delta.fill(quote(quantity))


@pytest.mark.parametrize("quantity", [14, 16])
def test_fill_delta__on_the_bound__fills(stack, delta, quote, account_id, quantity):
    delta.fill(quote(quantity))
    assert held(stack, account_id) == [(20 - quantity) * WAD]


def test_fill_delta__within_already__reverts_DeltaWithin(delta, quote, contracts):
    with refused(contracts, "Intents__DeltaWithin", 20 * WAD, 4 * WAD, 20 * WAD):
        delta.change(maxDeltaWad=20 * WAD).fill(quote())
    with refused(contracts, "Intents__DeltaWithin", 20 * WAD, 20 * WAD, 21 * WAD):
        delta.change(minDeltaWad=20 * WAD, maxDeltaWad=21 * WAD).fill(quote())


def test_fill_delta__price_off_the_mark__costs_to_the_wei(delta, quote, contracts):
    # The account sells 15 at 3 below the mark.
    with refused(contracts, "Intents__CostAbove", 45 * WAD, 45 * WAD - 1):
        delta.change(maxCostWad=45 * WAD - 1).fill(quote(price=1_897))
    tx = delta.change(maxCostWad=45 * WAD).fill(quote(price=1_897))
    assert tx.events["IntentFilled"]["costWad"] == 45 * WAD


def test_fill_delta__better_than_the_mark__is_a_gain(delta, quote):
    assert delta.fill(quote(price=1_902)).events["IntentFilled"]["costWad"] == -30 * WAD


def test_fill_delta__fees__are_part_of_the_cost(stack, delta, quote, contracts):
    stack.exchange.setFeeCaps((10**16, 0), {"from": stack.admin})
    stack.exchange.setFees((0, 10**15, 0, 0), {"from": stack.admin})
    fee = 15 * 1_900 * WAD // 1_000
    with refused(contracts, "Intents__CostAbove", fee, fee - 1):
        delta.change(maxCostWad=fee - 1).fill(quote())
    delta.change(maxCostWad=fee).fill(quote())


def test_fill_delta__less_excess_than_signed__reverts_ExcessBelow(stack, delta, quote, account_id, contracts):
    delta.fill(quote())
    margin = stack.margin(account_id)
    left = margin.equity - margin.initial
    stack.trade(account_id, 1, 15, 1_900)
    delta.change(nonce=8, minExcessWad=left + 1)
    with refused(contracts, "Intents__ExcessBelow", left, left + 1):
        delta.fill(quote())
    delta.change(minExcessWad=left).fill(quote())


def test_fill_delta__another_underlying_or_kind__reverts(stack, delta, quote, chain, contracts):
    stack.list_second(100)
    stack.exchange.setRules(2, (15, 1, 126_144_000, 1), {"from": stack.admin})
    other = PERP + (1 << 248)
    sells = (PERP, True, 15 * WAD, 1_900 * WAD)
    with refused(contracts, "Intents__WrongUnderlying", 2, 1):
        delta.fill(quote(legs=[sells, (other, True, WAD, 100 * WAD)]))
    expiry = chain[-1].timestamp + 10 * DAY
    stack.price(1_900, surfaces=[surface(expiry)])
    with refused(contracts, "Intents__KindNotAllowed", 0, PERP_KIND):
        delta.fill(quote(legs=[sells, (option(expiry, 2_000), True, WAD, WAD)]))


def test_fill_delta__options__count_by_the_delta_of_the_engine(stack, delta, quote, account_id, chain):
    expiry = chain[-1].timestamp + 10 * DAY
    stack.price(1_900, surfaces=[surface(expiry)])
    # Calls deep in the money: a delta of nearly one each, discounted.
    deep = option(expiry, 1_000)
    tx = delta.change(kinds=1, maxCostWad=10**5 * WAD).fill(quote(15, 905, deep))
    (_, details) = stack.engine.evaluateDetailed(stack.accounts.snapshotOf(account_id))
    assert 4 * WAD <= details[0][1] <= 6 * WAD
    assert tx.events["IntentFilled"]["costWad"] != 0


def test_fill_delta__linked_collateral__is_part_of_delta(stack, delta, quote, account_id):
    stack.accounts.creditToken(account_id, 1, 2 * WAD, {"from": stack.admin})
    with reverts_with("Intents__DeltaMissed", 7 * WAD, 4 * WAD, 6 * WAD):
        delta.fill(quote(15))
    delta.fill(quote(17))


def test_fill_delta__out_of_date__reverts_Expired(delta, quote, chain, contracts):
    with refused(contracts, "Intents__Expired"):
        delta.change(expiryTs=chain[-1].timestamp - 1).fill(quote())


@pytest.mark.parametrize("bulk", [False, True])
def test_fill_delta__cancelled_at_the_exchange__reverts_Cancelled(stack, delta, quote, trader, contracts, bulk):
    if bulk:
        stack.exchange.cancelBelow(8, {"from": trader})
    else:
        stack.exchange.cancel(7, {"from": trader})
    with refused(contracts, "Intents__Cancelled", shown(trader), 7):
        delta.fill(quote())
    delta.change(nonce=8).fill(quote())


@pytest.mark.parametrize("how", ["key", "chain", "tampered", "malleable", "contract"])
def test_fill_delta__not_signed__reverts_BadSignature(stack, delta, quote, solver, contracts, how):
    signature = delta.sign()
    if how == "key":
        delta.key = solver
        signature = delta.sign()
    if how == "chain":
        signature = delta.sign(chain_id=5)
    if how == "tampered":
        delta.change(maxCostWad=10**30)
    if how == "malleable":
        s = (CURVE - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
        signature = signature[:32] + s + bytes([55 - signature[64]])
    if how == "contract":
        # The contract is approved for the account, but nobody can sign in its name.
        delta.change(signer=stack.intents.address)
        signature = delta.sign()
    with refused(contracts, "Intents__BadSignature"):
        delta.fill(quote(), signature)


def test_fill_delta__signer_may_not_act_for_the_account__reverts_NotAuthorised(
    stack, delta, quote, solver, trader, account_id, contracts
):
    delta.key = solver
    delta.change(signer=solver.address)
    with refused(contracts, "Intents__NotAuthorised", shown(solver), account_id):
        delta.fill(quote())
    stack.accounts.approve(solver, account_id, {"from": trader})
    delta.fill(quote())


def test_fill_delta__trader_key__may_not_sign_intents(stack, delta, quote, solver, trader, account_id, chain):
    stack.delegation.grant(account_id, solver, terms(chain[-1].timestamp + DAY), {"from": trader})
    delta.key = solver
    with reverts_with("Intents__NotAuthorised", shown(solver), account_id):
        delta.change(signer=solver.address).fill(quote())


def test_fill_delta__account_sold__old_signature_is_void(stack, delta, quote, solver, trader, account_id, contracts):
    signature = delta.sign()
    stack.accounts.transferFrom(trader, solver, account_id, {"from": trader})
    stack.accounts.setApprovalForAll(stack.intents, True, {"from": solver})
    with refused(contracts, "Intents__Transferred", 1, 0):
        delta.fill(quote(), signature)
    # A former owner signs again, with the count of today.
    with refused(contracts, "Intents__NotAuthorised", shown(trader), account_id):
        delta.change(transferCount=1).fill(quote())
    stack.accounts.transferFrom(solver, trader, account_id, {"from": solver})
    with refused(contracts, "Intents__Transferred", 2, 0):
        delta.change(transferCount=0).fill(quote(), signature)


def test_fill_delta__contract_wallet__asks_erc1271(stack, delta, quote, solver, trader, account_id):
    wallet = stack.admin.deploy(WalletStub, trader)
    stack.accounts.approve(wallet, account_id, {"from": trader})
    delta.change(signer=wallet.address)
    delta.key = solver
    with reverts_with("Intents__BadSignature", shown(solver), account_id):
        delta.fill(quote())
    delta.key = trader
    delta.fill(quote())


def test_fill_delta__approval_taken_back__reverts_NotDelegate(stack, delta, quote, trader, account_id, contracts):
    stack.accounts.setApprovalForAll(stack.intents, False, {"from": trader})
    with refused(contracts, "Delegation__NotDelegate", shown(stack.intents), account_id):
        delta.fill(quote())


def test_fill_delta__granted_as_a_trader_key__keeps_to_its_terms(stack, delta, quote, trader, account_id, chain):
    """With less trust than an approval: the contract as a trader key, within greek limits and a loss."""
    stack.accounts.setApprovalForAll(stack.intents, False, {"from": trader})
    until, owner = chain[-1].timestamp + DAY, {"from": trader}
    stack.delegation.grant(account_id, stack.intents, terms(until, limits(1, delta=4 * WAD)), owner)
    delta.fill(quote(15))
    stack.trade(account_id, 1, 15, 1_900)
    stack.delegation.grant(account_id, stack.intents, terms(until, kinds=1), owner)
    with reverts_with("Delegation__KindNotAllowed", 3, 1):
        delta.change(nonce=8).fill(quote(15))


def test_fill_delta__solver_or_account_too_weak__reverts_BelowInitial(
    stack, delta, quote, solver, trader, account_id, contracts
):
    poor = stack.open(solver, 10)
    with refused(contracts, "MarginEngine__BelowInitial"):
        delta.fill(quote(maker_id=poor))
    # Up instead of down, beyond what the account can carry.
    delta.change(minDeltaWad=200 * WAD, maxDeltaWad=300 * WAD)
    with refused(contracts, "MarginEngine__BelowInitial"):
        delta.fill(quote(-200))


def test_fill_delta__quote_of_another__reverts_by_the_exchange(stack, delta, quote, trader, solver, contracts):
    """What the exchange refuses stays refused: a forged quote, a pause."""
    terms_, _ = quote()
    _, other = quote(14)
    with refused(contracts, "Exchange__BadSignature"):
        delta.fill((terms_, other))
    stack.exchange.pause({"from": stack.admin})
    with refused(contracts, "ExpiringPause__Paused"):
        delta.fill(quote())
