"""The own measure: what an owner does counts a share token no higher than its vault states now."""

from __future__ import annotations

import brownie
import pytest

from tests.chain.helpers.delegation import limits, terms
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.orders import PLAIN, sign_order
from tests.chain.helpers.shares import FALL, TOKEN, bring, deploy_shares, set_code, settle_fall, slash
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import CROSS, PERP, SINGLE, STANDARD, deploy_stack

EQUITY, INITIAL, MAINTENANCE = 1, 4, 5
INVALID, LOOP, SHORT, ZERO = "0xfe", "0x5b5f56", "0x601f5ff3", "0x60205ff3"
#: Answers 4 kB, a million, and all bits.
LONG, MILLIONS, ALL_BITS = "0x6110005ff3", "0x69d3c21bcecceda10000015f5260205ff3", "0x5f195f5260205ff3"


@pytest.fixture(scope="module")
def stack(accounts, chain):
    return deploy_stack(brownie.project.get_loaded_projects()[0], accounts[0], chain)


@pytest.fixture(scope="module")
def shares(stack):
    return deploy_shares(stack)


@pytest.fixture(scope="module")
def other(stack, shares, accounts):
    return bring(stack, shares, accounts[8], 1_000_000)


def holder(stack, shares, owner, other, dollars=1_000, tokens=10, perps=5, mode=SINGLE):
    account_id = bring(stack, shares, owner, dollars, tokens, mode)
    if perps:
        sides = (account_id, other) if perps > 0 else (other, account_id)
        stack.trade(*sides, abs(perps), 1_900)
    return account_id


def numbers(margin):
    return [int(margin[place]) for place in (EQUITY, INITIAL, MAINTENANCE)]


def at_ratio(stack, snapshot, ratio):
    """What the book would say at another ratio."""
    held = stack.book.collateralOf(TOKEN)
    stack.book.setCollateral(TOKEN, (*held[:4], ratio), {"from": stack.admin})
    found = stack.engine.evaluate(snapshot)
    stack.book.setCollateral(TOKEN, held, {"from": stack.admin})
    return found


@pytest.mark.parametrize("mode", [SINGLE, STANDARD, CROSS])
@pytest.mark.parametrize("percent", [0, 30])
def test_evaluate_own__counts_what_the_vault_states(stack, shares, trader, other, mode, percent):
    account_id = holder(stack, shares, trader, other, mode=mode)
    snapshot = stack.accounts.snapshotOf(account_id)
    slash(stack, shares, percent)
    stated = stack.rates.ceilingOf(TOKEN)
    own = stack.engine.evaluateOwn(snapshot)
    assert tuple(own) == tuple(at_ratio(stack, snapshot, min(stated, WAD)))
    assert tuple(stack.engine.evaluateOwnDetailed(snapshot)[0])[:7] == tuple(own)[:7]
    assert tuple(stack.engine.ownMarginOf(account_id)) == tuple(own) == tuple(stack.engine.bidderMarginOf(account_id))
    assert stack.engine.isLowered([TOKEN]) == (percent != 0) == (own[EQUITY] < stack.margin(account_id).equity)


def test_evaluate__and_auctions__go_by_the_book_alone(stack, shares, trader, other):
    account_id = holder(stack, shares, trader, other)
    snapshot = stack.accounts.snapshotOf(account_id)
    before = [tuple(stack.engine.marginOf(account_id)), tuple(stack.engine.auctionMarginOf(account_id))]
    before += [tuple(stack.engine.evaluateDetailed(snapshot)[0])]
    slash(stack, shares, 30)
    after = [tuple(stack.engine.marginOf(account_id)), tuple(stack.engine.auctionMarginOf(account_id))]
    assert [*after, tuple(stack.engine.evaluateDetailed(snapshot)[0])] == before


def test_evaluate_own__donation__counts_for_nothing(stack, shares, trader, other):
    account_id = holder(stack, shares, trader, other)
    before = numbers(stack.engine.ownMarginOf(account_id))
    shares.asset.transfer(shares.vault, 500 * WAD, {"from": stack.admin})
    assert stack.rates.ceilingOf(TOKEN) > 14 * WAD // 10
    assert numbers(stack.engine.ownMarginOf(account_id)) == before


@pytest.mark.parametrize(
    "code", ["0x", INVALID, LOOP, SHORT, ZERO, MILLIONS, ALL_BITS],
    ids=["no code", "invalid", "loop", "short", "zero", "above a million", "all bits"],
)  # fmt: skip
def test_evaluate_own__source_fails__the_token_counts_nothing(stack, shares, trader, other, code):
    account_id = holder(stack, shares, trader, other, dollars=30_000)
    snapshot = stack.accounts.snapshotOf(account_id)
    before = numbers(stack.engine.marginOf(account_id))
    set_code(stack, shares, code)
    mode, cash, _, _, positions = snapshot
    without = stack.engine.evaluate((mode, cash, (), (), positions))
    assert numbers(stack.engine.ownMarginOf(account_id)) == numbers(without)
    assert numbers(stack.engine.marginOf(account_id)) == before
    # Cash is let out as far as the rest of the account carries it.
    amount = stack.actions.maxWithdraw(account_id, shares.dollars)
    assert amount > 0
    stack.vault.withdraw(account_id, shares.dollars, amount, trader, {"from": trader})


def test_evaluate_own__long_answer__is_a_word(stack, shares, trader, other):
    """Four thousand zeros: the first word is no rate."""
    account_id = holder(stack, shares, trader, other, dollars=30_000)
    set_code(stack, shares, LONG)
    assert stack.rates.ceilingOf(TOKEN) == 0
    stack.vault.withdraw(account_id, shares.dollars, 10**6, trader, {"from": trader})


# --- what an owner may do


def test_enforce__slash_and_withdraw__reverts_before_anybody_has_settled_it(stack, shares, trader, other):
    account_id = holder(stack, shares, trader, other, dollars=2_000, perps=36)
    slash(stack, shares, 30)
    own = stack.engine.ownMarginOf(account_id)
    assert stack.margin(account_id).equity > stack.margin(account_id).initial
    assert own[EQUITY] < own[INITIAL]
    with reverts_with("MarginEngine__BelowInitial"):
        stack.vault.withdraw(account_id, shares.dollars, 1, trader, {"from": trader})
    with reverts_with("MarginEngine__BelowInitial"):
        stack.vault.borrow(account_id, 1, trader, {"from": trader})
    with reverts_with("MarginEngine__BelowInitial"):
        stack.vault.withdraw(account_id, shares.vault, 1, trader, {"from": trader})
    with reverts_with("Accounts__Unhealthy", int(own[EQUITY]), int(own[INITIAL])):
        stack.accounts.setMode(account_id, CROSS, {"from": trader})


@pytest.mark.parametrize("code", ["", INVALID, LOOP], ids=["slashed", "invalid", "loop"])
def test_enforce__closing__passes_though_the_margin_is_short(stack, shares, trader, other, code):
    account_id = holder(stack, shares, trader, other, dollars=2_000, perps=36)
    slash(stack, shares, 30)
    if code:
        set_code(stack, shares, code)
    before = stack.accounts.snapshotOf(account_id)
    stack.trade(other, account_id, 1, 1_900)
    own = stack.engine.ownMarginOf(account_id)
    assert own[EQUITY] < own[INITIAL]
    stack.engine.enforce(account_id, before)


def test_enforce__more_risk_that_the_book_would_allow__reverts(stack, shares, trader, other):
    """Selling perpetuals against tokens that are no longer there lowers risk by the book alone."""
    account_id = holder(stack, shares, trader, other, dollars=100, tokens=20, perps=0)
    slash(stack, shares, 99)
    before = stack.accounts.snapshotOf(account_id)
    stack.trade(other, account_id, 15, 1_900)
    margin = stack.margin(account_id)
    assert margin.equity > margin.initial
    own = stack.engine.ownMarginOf(account_id)
    with reverts_with("MarginEngine__BelowInitial", int(own[EQUITY]), int(own[INITIAL])):
        stack.engine.enforce(account_id, before)


def test_enforce__what_the_book_refuses__no_source_allows(stack, shares, trader, other):
    """With tokens that count nothing a hedge is a risk, and buying it back a relief: by the book it is not."""
    account_id = holder(stack, shares, trader, other, dollars=0, tokens=10, perps=-10)
    stack.accounts.borrowCash(account_id, 17_500 * WAD, {"from": stack.admin})
    set_code(stack, shares, INVALID)
    before = stack.accounts.snapshotOf(account_id)
    assert stack.margin(account_id).equity > stack.margin(account_id).initial
    stack.trade(account_id, other, 9, 1_900)
    now = stack.margin(account_id)
    assert now.equity < now.initial
    with reverts_with("MarginEngine__BelowInitial", now.equity, now.initial):
        stack.engine.enforce(account_id, before)


def test_enforce__token_moved_out_while_it_is_lowered__is_judged_by_the_book_as_well(stack, shares, trader, other):
    account_id = holder(stack, shares, trader, other, dollars=100, tokens=3, perps=14)
    set_code(stack, shares, INVALID)
    assert stack.margin(account_id).equity < stack.margin(account_id).initial + 1_000 * WAD
    with brownie.reverts():
        stack.accounts.isolate(account_id, PERP, TOKEN, 3 * WAD, 0, {"from": trader})


def test_enforce__idle_account__takes_its_tokens_whatever_the_source_does(stack, shares, trader, other):
    account_id = holder(stack, shares, trader, other, perps=0)
    slash(stack, shares, 50)
    stack.vault.withdraw(account_id, shares.vault, 10 * WAD, trader, {"from": trader})
    stack.vault.withdraw(account_id, shares.dollars, 1_000 * 10**6, trader, {"from": trader})


def test_settled_fall__both_measures_are_one_again(stack, shares, trader, other, stranger):
    account_id = holder(stack, shares, trader, other, dollars=2_000, perps=36)
    slash(stack, shares, 20)
    stated = stack.rates.ceilingOf(TOKEN)
    assert settle_fall(stack, stranger) == stated
    assert tuple(stack.engine.ownMarginOf(account_id)) == tuple(stack.engine.marginOf(account_id))
    assert not stack.engine.isLowered([TOKEN])
    assert stack.rates.observationOf(TOKEN)[3] <= FALL


def test_delegate__share_is_lowered__the_fill_is_judged_in_the_own_measure(stack, shares, trader, other, accounts):
    """The greeks of a key with limits are read off the same evaluation as the margin: not this margin."""
    key, maker = accounts.add(), accounts.add()
    account_id = holder(stack, shares, trader, other, dollars=100, tokens=10, perps=0)
    against = stack.open(maker, 1_000_000)
    end = stack.chain[-1].timestamp + 9_999
    stack.delegation.grant(account_id, key, terms(end, limits(delta=100 * WAD)), {"from": trader})

    def fill(nonce):
        sides = []
        for account, signer, is_buy in ((account_id, key, True), (against, maker, False)):
            order = (account, PERP, is_buy, 20 * WAD, 1_900 * WAD, nonce, end, signer.address, *PLAIN)
            sides += [order, sign_order(stack.exchange, signer, order)]
        return stack.exchange.settle(*sides, 20 * WAD, {"from": stack.admin})

    stack.chain.snapshot()
    fill(1)
    stack.chain.revert()
    slash(stack, shares, 90)
    with reverts_with("MarginEngine__BelowInitial"):
        fill(1)


# --- previews


def test_preview__says_what_the_action_is_judged_by(stack, shares, trader, other):
    account_id = holder(stack, shares, trader, other, dollars=2_000, perps=20)
    slash(stack, shares, 30)
    changes = (255, -(100 * WAD), (), (), ())
    before, after, _, _ = stack.engine.preview(account_id, changes)
    assert numbers(before) == numbers(stack.engine.ownMarginOf(account_id))
    mode, cash, *rest = stack.accounts.snapshotOf(account_id)
    assert numbers(after) == numbers(stack.engine.evaluateOwn((mode, cash - 100 * WAD, *rest)))


@pytest.mark.parametrize("percent", [0, 5, 30])
def test_max_withdraw__slashed__to_the_unit(stack, shares, trader, other, percent):
    account_id = holder(stack, shares, trader, other, dollars=10_000, perps=45)
    slash(stack, shares, percent)
    for token in (shares.dollars, shares.vault):
        amount = stack.actions.maxWithdraw(account_id, token)
        assert amount > 0
        with reverts_with("MarginEngine__BelowInitial"):
            stack.vault.withdraw(account_id, token, amount + 1, trader, {"from": trader})
    stack.vault.withdraw(account_id, shares.vault, amount, trader, {"from": trader})


# --- the queue


def test_pay_requests__starved_of_gas__drops_nobody(stack, shares, trader, other, stranger):
    """A source that is not given its gas is not one that fails: nothing that is good is dropped for it."""
    account_id = holder(stack, shares, trader, other, dollars=2_000, perps=5)
    stack.vault.requestWithdrawal(account_id, shares.dollars, 1_000 * 10**6, trader, {"from": trader})
    data = stack.vault.payRequests.encode_input(shares.dollars, 1)
    passed = 0
    for gas in range(150_000, 900_000, 10_000):
        request = {"from": stranger.address, "to": stack.vault.address, "data": data, "gas": hex(gas)}
        trace = brownie.web3.provider.make_request("debug_traceCall", [request, "latest", {"tracer": "callTracer",
                                                   "tracerConfig": {"withLog": True}}])["result"]  # fmt: skip
        topics = [log["topics"][0] for log in trace.get("logs", [])]
        dropped = brownie.web3.keccak(text="RequestDropped(uint256,uint256,uint256)").hex()
        assert not [t for t in topics if t.removeprefix("0x") == dropped.removeprefix("0x")], gas
        passed += "error" not in trace
    assert passed > 0
