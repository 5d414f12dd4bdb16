"""Exchange.settle with a trigger that a later round has to meet, and with orders of which only one may fill."""

import pytest
from brownie import accounts, chain, project

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, perp
from tests.chain.helpers.orders import LIMIT, PLAIN, sign_order
from tests.chain.helpers.stack import deploy_stack

SPOT = 1_900


@pytest.fixture(scope="module")
def trader():
    return accounts.add()


@pytest.fixture(scope="module")
def maker():
    return accounts.add()


@pytest.fixture(scope="module")
def stack():
    return deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)


@pytest.fixture(scope="module")
def ids(stack, trader, maker):
    return stack.open(trader, 1_000_000), stack.open(maker, 1_000_000)


@pytest.fixture
def book(stack, trader, maker, ids):
    return Book(stack, trader, maker, *ids)


class Book:
    """Sell orders of the trader with conditions, which a plain buy order of the maker meets."""

    def __init__(self, stack, trader, maker, mine, theirs):
        self.stack, self.trader, self.maker = stack, trader, maker
        self.mine, self.theirs, self.nonce = mine, theirs, 1_000
        self.end = chain[-1].timestamp + 86_400

    def sell(self, trigger=0, above=False, after_ts=0, exclusive=False, nonce=1, price=1_700):
        conditions = (trigger * WAD, above, after_ts, exclusive)
        terms = (self.mine, perp(), False, 4 * WAD, price * WAD, nonce, self.end, self.trader.address)
        return (*terms, LIMIT, False, 0, 0, *conditions)

    def fill(self, sell, quantity=1):
        self.nonce += 1
        signed_by = self.maker.address
        buy = (self.theirs, perp(), True, quantity * WAD, 1_900 * WAD, self.nonce, self.end, signed_by, *PLAIN)
        exchange = self.stack.exchange
        signatures = [sign_order(exchange, key, order) for key, order in ((self.maker, buy), (self.trader, sell))]
        return exchange.settle(buy, signatures[0], sell, signatures[1], quantity * WAD, {"from": accounts[5]})

    def filled(self, sell):
        return self.stack.exchange.filledOf(self.stack.exchange.hashOf(sell))


@pytest.mark.parametrize(("above", "short_of", "met"), [(False, 1_801, 1_800), (True, 1_999, 2_000)])
def test_settle__trigger__fills_once_a_round_has_the_spot(stack, book, above, short_of, met):
    sell = book.sell(met, above)
    for spot in (SPOT, short_of):
        stack.price(spot)
        with reverts_with("Exchange__NotTriggered", spot * WAD, met * WAD):
            book.fill(sell)
    stack.price(met)
    book.fill(sell)
    assert book.filled(sell) == WAD


def test_settle__trigger_of_the_other_side__is_another_order(stack, book):
    stack.price(1_800)
    with reverts_with("Exchange__NotTriggered", 1_800 * WAD, 1_850 * WAD):
        book.fill(book.sell(1_850, above=True))
    book.fill(book.sell(1_850, above=False))


def test_settle__round_of_before_the_order__reverts_RoundTooEarly(stack, book):
    stack.price(1_800)
    round_ts = stack.oracle.lastSpotOf(1)[1]
    sell = book.sell(1_800, after_ts=round_ts)
    with reverts_with("Exchange__RoundTooEarly", round_ts, round_ts):
        book.fill(sell)
    stack.price(1_800)
    book.fill(sell)


def test_settle__spot_back_before_anything_filled__waits_again(stack, book):
    sell = book.sell(1_800)
    stack.price(1_790)
    stack.price(1_810)
    with reverts_with("Exchange__NotTriggered", 1_810 * WAD, 1_800 * WAD):
        book.fill(sell)


def test_settle__spot_back_after_a_part_filled__fills_the_rest(stack, book):
    sell = book.sell(1_800)
    stack.price(1_790)
    book.fill(sell)
    stack.price(1_900)
    book.fill(sell, 3)
    assert book.filled(sell) == 4 * WAD
    with reverts_with("Exchange__Overfilled", WAD, 0):
        book.fill(sell)


def test_settle__stale_round__meets_no_trigger(stack, book):
    stack.price(1_790)
    snapshot = book.sell(1_800)
    stack.oracle.setLimits(60, 10 * WAD, 10 * WAD, {"from": stack.admin})
    chain.sleep(120)
    chain.mine()
    with reverts_with("Oracle__Stale"):
        book.fill(snapshot)
    stack.oracle.setLimits(7 * 86_400, 10 * WAD, 10 * WAD, {"from": stack.admin})


def test_settle__exclusive_orders__the_first_that_fills_is_the_only_one(stack, book, trader):
    stack.price(SPOT)
    take_profit, stop = book.sell(exclusive=True), book.sell(1_800, exclusive=True)
    assert int(stack.exchange.exclusiveOf(trader, 1).hex(), 16) == 0
    book.fill(take_profit)
    first = stack.exchange.hashOf(take_profit)
    assert stack.exchange.exclusiveOf(trader, 1) == first
    stack.price(1_800)
    with reverts_with("Exchange__OtherFilled", bytes(first), bytes(stack.exchange.hashOf(stop))):
        book.fill(stop)
    book.fill(take_profit, 3)
    assert book.filled(take_profit) == 4 * WAD


def test_settle__exclusive_orders_of_other_nonces_or_signers__do_not_meet(stack, book, trader, maker):
    stack.price(SPOT)
    book.fill(book.sell(exclusive=True))
    book.fill(book.sell(exclusive=True, nonce=2))
    book.fill(book.sell(price=1_650))
    assert int(stack.exchange.exclusiveOf(maker, 1).hex(), 16) == 0
    assert stack.exchange.exclusiveOf(trader, 2) == stack.exchange.hashOf(book.sell(exclusive=True, nonce=2))


def test_settle__exclusive_order_whose_fill_reverts__shuts_nobody_out(stack, book):
    stack.price(SPOT)
    stop, other = book.sell(1_800, exclusive=True), book.sell(exclusive=True)
    with reverts_with("Exchange__NotTriggered", SPOT * WAD, 1_800 * WAD):
        book.fill(stop)
    book.fill(other)
    assert book.filled(other) == WAD


def test_preview_orders__shut_out_by_its_pair__does_not_fill(stack, book, ids):
    stack.price(SPOT)
    one, other = book.sell(exclusive=True), book.sell(1_800, exclusive=True)
    left = stack.preview.previewOrders(ids[0], [one, other])["remainingWad"]
    assert [int(wad) for wad in left] == [4 * WAD, 4 * WAD]
    book.fill(one)
    left = stack.preview.previewOrders(ids[0], [one, other])["remainingWad"]
    assert [int(wad) for wad in left] == [3 * WAD, 0]
