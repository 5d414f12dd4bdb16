"""OrderPreview.previewOrders: the worst of four cases per underlying, as the ledger would book them."""

from __future__ import annotations

import pytest
from brownie import accounts, chain, project

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import option, perp
from tests.chain.helpers.orders import PLAIN, UNCONDITIONAL, sign_order
from tests.chain.helpers.signed import WAD, numbers, surface
from tests.chain.helpers.stack import deploy_stack

PRICE = 1_900
BTC_PERP = perp() + (1 << 248)
NONE, BUYS, SELLS, ALL = range(4)
KEEP_MODE = 255
FIELDS = ("before_", "worst", "detailsBefore", "detailsWorst", "fills", "remainingWad")


@pytest.fixture(scope="module")
def stack():
    return deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)


@pytest.fixture(scope="module")
def account(stack, trader):
    return stack.open(trader, 100_000)


@pytest.fixture(scope="module")
def other(stack, maker):
    return stack.open(maker, 1_000_000)


@pytest.fixture(scope="module")
def expiries(stack):
    found = tuple(chain[-1].timestamp + days * 86_400 for days in (7, 30))
    stack.price(PRICE, surfaces=[surface(expiry) for expiry in found])
    stack.list_second(60_000)
    return found


@pytest.fixture
def order(account, trader):
    """An order of the account."""

    def make(quantity, price=PRICE, instrument=None, nonce=1, of=account):
        size, end = round(abs(quantity) * WAD), chain[-1].timestamp + 3_600
        instrument = instrument or perp()
        return (of, instrument, quantity > 0, size, round(price * WAD), nonce, end, trader.address, *PLAIN)

    return make


def previewed(stack, account, orders):
    """Fills as plain numbers, and the whole answer by name."""
    answer = dict(zip(FIELDS, stack.preview.previewOrders(account, orders), strict=True))
    return [numbers(entry) for entry in answer["fills"]], answer


def figures(margin):
    """State, equities and requirements of a MarginState."""
    return [int(margin[i]) for i in range(6)]


def excess(margin):
    return int(margin[1]) - int(margin[4])


def test_preview_orders__none__is_the_account_as_it_is(stack, account, other):
    stack.trade(account, other, 5, PRICE)
    fills, answer = previewed(stack, account, [])
    assert fills == []
    assert figures(answer["before_"]) == figures(answer["worst"]) == figures(stack.engine.marginOf(account))
    assert len(answer["detailsBefore"][0][0]) == 35


def test_preview_orders__one_buy__equals_the_account_after_the_fill(stack, account, other, order):
    stack.trade(account, other, 5, PRICE)
    fills, answer = previewed(stack, account, [order(3, PRICE + 50)])
    stack.trade(account, other, 3, PRICE + 50)
    margin, details = stack.engine.evaluateDetailed(stack.accounts.snapshotOf(account))
    assert fills == [[1, BUYS, excess(margin)]]
    assert figures(answer["worst"]) == figures(margin)
    assert answer["detailsWorst"] == details


def test_preview_orders__that_reduce__worst_is_none(stack, account, other, order):
    stack.trade(account, other, 5, PRICE)
    fills, answer = previewed(stack, account, [order(-3), order(-1, nonce=2)])
    assert fills == [[1, NONE, excess(answer["before_"])]]
    assert figures(answer["worst"]) == figures(answer["before_"])


def test_preview_orders__both_sides__are_not_netted(stack, account, order):
    fills, answer = previewed(stack, account, [order(5), order(-4, nonce=2)])
    assert fills[0][1] == BUYS
    assert fills[0][2] < excess(stack.engine.preview(account, (KEEP_MODE, 0, [], [], [perp(PRICE, WAD)]))[1])
    fills, _ = previewed(stack, account, [order(4), order(-5, nonce=2)])
    assert fills[0][1] == SELLS
    assert numbers(answer["remainingWad"]) == [5 * WAD, 4 * WAD]


def test_preview_orders__loss_on_both_sides__worst_is_all(stack, account, order):
    fills, _ = previewed(stack, account, [order(5, 2_500), order(-5, 1_300, nonce=2)])
    assert fills[0][1] == ALL


def test_preview_orders__two_underlyings__the_worst_of_each_at_once(stack, account, expiries, order):
    orders = [order(5), order(-4, nonce=2), order(0.1, 60_000, BTC_PERP), order(-0.2, 60_000, BTC_PERP, nonce=2)]
    fills, answer = previewed(stack, account, orders)
    assert [entry[:2] for entry in fills] == [[1, BUYS], [2, SELLS]]
    changes = [perp(PRICE, 5 * WAD), perp(60_000, -WAD // 5) + (1 << 248)]
    after = stack.engine.preview(account, (KEEP_MODE, 0, [], [], changes))[1]
    assert figures(answer["worst"]) == figures(after)


def test_preview_orders__cancelled_or_out_of_date__do_not_fill(stack, account, trader, expiries, order):
    stack.exchange.cancel(9, {"from": trader})
    late = (*order(1)[:6], chain[-1].timestamp - 1, trader.address, *PLAIN)
    dead = order(1, 50, option(chain[-1].timestamp, 1_900))
    fills, answer = previewed(stack, account, [order(1, nonce=9), late, dead])
    assert numbers(answer["remainingWad"]) == [0, 0, 0]
    assert fills == []


def test_preview_orders__partly_filled__counts_the_rest(stack, account, other, trader, maker, order):
    buy, sell = order(5), (*order(-2, of=other)[:7], maker.address, *PLAIN)
    signatures = [sign_order(stack.exchange, k, o) for k, o in ((trader, buy), (maker, sell))]
    stack.exchange.settle(buy, signatures[0], sell, signatures[1], 2 * WAD, {"from": stack.admin})
    _, answer = previewed(stack, account, [buy])
    assert numbers(answer["remainingWad"]) == [3 * WAD]
    assert answer["detailsWorst"][0][1] == 5 * WAD


def test_preview_orders__linear_limit_between_steps__fills_at_the_step_within(stack, account, order):
    buy, sell = order(1, PRICE), order(-1, PRICE, nonce=2)
    between = [(*o[:4], PRICE * WAD + 1, *o[5:]) for o in (buy, sell)]
    bought, sold = (previewed(stack, account, [o])[0][0][2] for o in between)
    assert bought == previewed(stack, account, [buy])[0][0][2]
    dearer = (*sell[:4], PRICE * WAD + 10**10, *sell[5:])
    assert sold == previewed(stack, account, [dearer])[0][0][2]


def test_preview_orders__of_another_account__reverts_WrongAccount(stack, account, other, order):
    with reverts_with("OrderPreview__WrongAccount", other, account):
        stack.preview.previewOrders(account, [order(1, of=other)])


def test_preview_orders__more_instruments_than_an_account_holds__reverts_TooManyPositions(
    stack, account, expiries, order
):
    orders = [order(1, 1, option(expiries[0], 1_000 + i), nonce=i) for i in range(129)]
    with reverts_with("MarginEngine__TooManyPositions", 129, 128):
        stack.preview.previewOrders(account, orders)


def test_preview_orders__signed_before_a_transfer__fill_nothing_any_more(stack, account, order, trader, maker):
    stack.accounts.transferFrom(trader, maker, account, {"from": trader})
    stack.accounts.transferFrom(maker, trader, account, {"from": maker})
    fills, answer = previewed(stack, account, [order(3), (*order(2, nonce=2)[:11], 2, *UNCONDITIONAL)])
    assert numbers(answer["remainingWad"]) == [0, 2 * WAD]
    assert [entry[1] for entry in fills] == [BUYS]
