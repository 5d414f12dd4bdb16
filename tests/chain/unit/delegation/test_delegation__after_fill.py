"""Delegation.afterFill through the exchange: greek limits and the loss against the mark."""

from __future__ import annotations

import pytest
from brownie import accounts, chain, project

from tests.chain.helpers.delegation import limits, terms
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import option, perp, shown
from tests.chain.helpers.orders import PLAIN, sign_order
from tests.chain.helpers.signed import WAD, numbers, surface
from tests.chain.helpers.stack import deploy_stack

PERP_PRICE = 1_900 * WAD
FAR_WAD = 10**6 * WAD
#: Greeks and marks are cut off at whole wei in a few places.
FEW_WEI = 5
DETAIL_DELTA, DETAIL_GAMMA, DETAIL_VEGA = 1, 2, 3


@pytest.fixture(scope="module")
def stack():
    return deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)


@pytest.fixture(scope="module")
def key():
    return accounts.add()


@pytest.fixture(scope="module")
def account(stack, trader):
    return stack.open(trader, 100_000)


@pytest.fixture(scope="module")
def other(stack, maker):
    return stack.open(maker, 1_000_000)


@pytest.fixture(scope="module")
def call(stack):
    """A call of 30 days at the money, listed."""
    expiry = chain[-1].timestamp + 30 * 86_400
    stack.price(1_900, surfaces=[surface(expiry)])
    return option(expiry, 1_900)


@pytest.fixture
def grant(stack, account, trader, key):
    def run(*allowed, **how):
        until = chain[-1].timestamp + 9_999
        return stack.delegation.grant(account, key, terms(until, *allowed, **how), {"from": trader})

    return run


@pytest.fixture
def trade(stack, account, other, key, maker):
    """Let the delegate trade a signed quantity (wad) against the maker."""

    def run(quantity_wad, price_wad=PERP_PRICE, instrument=None, by=key, against=maker):
        instrument = instrument or perp()
        end, size = chain[-1].timestamp + 600, abs(quantity_wad)
        mine = [account, instrument, quantity_wad > 0, size, price_wad, chain.height, end, by.address, *PLAIN]
        theirs = [other, instrument, quantity_wad < 0, size, price_wad, chain.height, end, against.address, *PLAIN]
        buy, sell = ((mine, by), (theirs, against)) if quantity_wad > 0 else ((theirs, against), (mine, by))
        signatures = [sign_order(stack.exchange, k, tuple(order)) for order, k in (buy, sell)]
        values = (buy[0], signatures[0], sell[0], signatures[1], size)
        return stack.exchange.settle(*values, {"from": stack.admin})

    return run


def greeks(stack, account_id):
    return stack.engine.evaluateDetailed(stack.accounts.snapshotOf(account_id))[1][0]


@pytest.mark.parametrize("sign", [1, -1])
def test_after_fill__delta__limit_is_inclusive_on_both_sides(stack, grant, trade, sign):
    grant(limits(delta=3 * WAD))
    trade(sign * 3 * WAD)
    with reverts_with("Delegation__DeltaLimit", sign * (3 * WAD + 1), 3 * WAD):
        trade(sign)


def test_after_fill__above_the_limit__only_toward_zero_and_not_through(stack, trade, grant, trader):
    trade(10 * WAD, by=trader)
    grant(limits(delta=3 * WAD))
    trade(-2 * WAD)
    with reverts_with("Delegation__DeltaLimit", 9 * WAD, 3 * WAD):
        trade(WAD)
    # |-7| is below |8|, and yet this is a new risk on the other side.
    with reverts_with("Delegation__DeltaLimit", -7 * WAD, 3 * WAD):
        trade(-15 * WAD)
    trade(-11 * WAD)


def test_after_fill__below_the_limit__only_toward_zero_and_not_through(stack, trade, grant, trader):
    trade(-10 * WAD, by=trader)
    grant(limits(delta=3 * WAD))
    trade(2 * WAD)
    with reverts_with("Delegation__DeltaLimit", -9 * WAD, 3 * WAD):
        trade(-WAD)
    with reverts_with("Delegation__DeltaLimit", 7 * WAD, 3 * WAD):
        trade(15 * WAD)
    trade(11 * WAD)


def test_after_fill__zero_limits__reduce_only(grant, trade, trader):
    grant(limits(1, 0, 0, 0))
    with reverts_with("Delegation__DeltaLimit", WAD, 0):
        trade(WAD)
    trade(2 * WAD, by=trader)
    trade(-WAD)
    trade(-WAD)


@pytest.mark.parametrize(
    ("place", "field", "error"), [(DETAIL_GAMMA, "gamma", "GammaLimit"), (DETAIL_VEGA, "vega", "VegaLimit")]
)
def test_after_fill__gamma_and_vega__refused_above_and_passed_at_the_limit(
    stack, account, grant, trade, call, place, field, error
):
    preview = stack.engine.preview(account, (255, 0, [], [], [call | 2 * WAD]))
    reached = int(preview[3][0][place])
    assert reached > 0
    grant(limits(**{field: reached - 1}))
    with reverts_with(f"Delegation__{error}", reached, reached - 1):
        trade(2 * WAD, 80 * WAD, call)
    grant(limits(**{field: reached}))
    trade(2 * WAD, 80 * WAD, call)
    with reverts_with(f"Delegation__{error}"):
        trade(WAD, 80 * WAD, call)
    # A short one of the same size has the same greek with the other sign, but for rounding down.
    grant(limits(**{field: reached + FEW_WEI}))
    trade(-4 * WAD, 80 * WAD, call)
    assert int(greeks(stack, account)[place]) == pytest.approx(-reached, abs=FEW_WEI)


def test_after_fill__gamma_above_its_limit__a_hedge_that_leaves_it_passes(grant, trade, call, trader):
    trade(5 * WAD, 80 * WAD, call, by=trader)
    grant(limits(gamma=1, delta=10 * WAD))
    trade(-2 * WAD)
    with reverts_with("Delegation__GammaLimit"):
        trade(WAD // 100, 80 * WAD, call)


def test_after_fill__linked_collateral__counts(stack, account, grant, trade):
    stack.accounts.creditToken(account, 1, 5 * WAD, {"from": stack.admin})
    grant(limits(delta=4 * WAD))
    with reverts_with("Delegation__DeltaLimit", 6 * WAD, 4 * WAD):
        trade(WAD)
    trade(-WAD)
    assert greeks(stack, account)[DETAIL_DELTA] == 4 * WAD


def test_after_fill__another_underlying__does_not_count(stack, account, other, grant, trade):
    stack.list_second(60_000)
    stack.trade(account, other, 1, 60_000, perp() + (1 << 248))
    grant(limits(delta=3 * WAD))
    trade(3 * WAD)
    with reverts_with("Delegation__DeltaLimit"):
        trade(1)


@pytest.mark.parametrize("sign", [1, -1])
def test_after_fill__loss_on_a_perpetual__adds_up_to_the_limit(stack, account, key, grant, trade, sign):
    grant(max_loss_wad=25 * WAD)
    tx = trade(sign * 2 * WAD, PERP_PRICE + sign * 5 * WAD)
    assert tx.events["DelegateTraded"]["lossWad"] == 10 * WAD
    trade(-sign * WAD, PERP_PRICE + sign * 20 * WAD)  # a gain earns no new room
    tx = trade(sign * WAD, PERP_PRICE + sign * 15 * WAD)
    assert tx.events["DelegateTraded"]["totalLossWad"] == 25 * WAD
    with reverts_with("Delegation__LossLimit", 25 * WAD + 10**10, 25 * WAD):
        trade(sign * WAD, PERP_PRICE + sign * 10**10)
    trade(sign * WAD)
    assert numbers(stack.delegation.grantOf(account, key))[5] == 25 * WAD


def test_after_fill__options_sold_to_a_friend__reverts_LossLimit(stack, account, grant, trade, call):
    mark = int(stack.engine.evaluate((0, 0, [], [], [call | WAD]))[3])
    grant(max_loss_wad=5 * WAD)
    with reverts_with("Delegation__LossLimit"):
        trade(-WAD, 1, call)
    with reverts_with("Delegation__LossLimit"):
        trade(WAD, mark + 5 * WAD + FEW_WEI, call)
    trade(WAD, mark + 5 * WAD - FEW_WEI, call)


def test_after_fill__loss__equals_what_the_account_loses(stack, account, grant, trade, call):
    grant(max_loss_wad=FAR_WAD)
    before = stack.margin(account).market
    tx = trade(3 * WAD + 7, 111 * WAD + 3, call)
    lost = int(before - stack.margin(account).market)
    assert lost > WAD
    assert int(tx.events["DelegateTraded"]["lossWad"]) == pytest.approx(lost, abs=FEW_WEI)


def test_after_fill__unbounded_loss__is_not_counted(grant, trade):
    grant()
    assert trade(WAD, 2 * PERP_PRICE).events["DelegateTraded"]["lossWad"] == 0


def test_after_fill__new_grant__starts_from_no_loss(stack, account, key, grant, trade):
    for _ in range(2):
        grant(max_loss_wad=10 * WAD)
        trade(WAD, PERP_PRICE + 10 * WAD)
    assert numbers(stack.delegation.grantOf(account, key))[5] == 10 * WAD


def test_after_fill__delegates_on_both_sides__each_by_its_own_terms(stack, other, grant, trade, key, maker):
    friend = accounts.add()
    until = chain[-1].timestamp + 999
    stack.delegation.grant(other, friend, terms(until, limits(delta=2 * WAD)), {"from": maker})
    grant(limits(delta=9 * WAD))
    assert len(trade(2 * WAD, against=friend).events["DelegateTraded"]) == 2
    with reverts_with("Delegation__DeltaLimit", -3 * WAD, 2 * WAD):
        trade(WAD, against=friend)
    grant(limits(delta=2 * WAD))
    with reverts_with("Delegation__DeltaLimit", 3 * WAD, 2 * WAD):
        trade(WAD, against=friend)


def test_after_fill__beyond_the_initial_margin__reverts_BelowInitial(grant, trade):
    grant()
    with reverts_with("MarginEngine__BelowInitial"):
        trade(400 * WAD)


def test_after_fill__a_bid_of_the_account__is_not_the_delegates_to_make(stack, account, other, key, grant):
    grant()
    with reverts_with("Auction__NotBidder", shown(key), account):
        stack.auction.bid(other, account, WAD, True, 0, {"from": key})


def test_after_fill__caller_is_no_module__reverts_NotModule(stack, account, key, grant, stranger):
    grant(max_loss_wad=WAD)
    with reverts_with("Delegation__NotModule", shown(stranger)):
        stack.delegation.afterFill(account, key, [(perp(), WAD, 1)], {"from": stranger})


def test_after_fill__16_options__owner_orders_stay_free_of_it(stack, account, other, grant, trade, trader, call):
    for i in range(16):
        stack.trade(account, other, 1, 50, call + (i * 10**9 << 128))
    owner = trade(WAD, by=trader).gas_used
    grant(limits(delta=100 * WAD), max_loss_wad=FAR_WAD)
    delegate = trade(WAD).gas_used
    # The evaluation that margins the account gives its greeks as well: greeks and the fill's own mark come on top.
    assert 0 < delegate - owner < 0.25 * owner, (owner, delegate)
