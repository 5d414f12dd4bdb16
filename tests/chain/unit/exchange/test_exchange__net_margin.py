"""Exchange on the real margin engine: a quote is margined once on its net result, a key's loss counts the fee."""

import pytest
from brownie import accounts, chain, project

from plimsoll.model import Kind
from tests.chain.helpers.delegation import terms
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, option, perp, words
from tests.chain.helpers.orders import LIMIT, PLAIN, UNCONDITIONAL, sign_order, sign_quote
from tests.chain.helpers.signed import surface
from tests.chain.helpers.stack import deploy_stack


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
def listed_ts(stack):
    expiry_ts = chain[-1].timestamp + 30 * 86_400
    stack.price(1_900, surfaces=[surface(expiry_ts)])
    return expiry_ts


def test_fill_quote__spread__needs_the_margin_of_the_net_result_only(stack, trader, maker, listed_ts):
    poor, rich = stack.open(trader, 2_000), stack.open(maker, 1_000_000)
    end = chain[-1].timestamp + 600
    short = (option(listed_ts, 1_900), True, 10 * WAD, 80 * WAD)
    long_ = (option(listed_ts, 2_000), False, 10 * WAD, 60 * WAD)
    quotes = [
        (rich, poor, legs, nonce, end, maker.address, 0, 0) for nonce, legs in enumerate([[short], [short, long_]])
    ]
    signed = [sign_quote(stack.exchange, maker, quote) for quote in quotes]
    with reverts_with("MarginEngine__BelowInitial"):
        stack.exchange.fillQuote(quotes[0], signed[0], poor, 0, {"from": trader})
    before = stack.cash_sum()
    stack.exchange.fillQuote(quotes[1], signed[1], poor, 0, {"from": trader})
    assert len(words(stack.accounts, poor)) == 2
    assert stack.margin(poor).equity >= stack.margin(poor).initial
    assert stack.cash_sum() == before


@pytest.mark.parametrize("instrument", ["perp", "call"])
def test_settle__delegate_pays_a_fee__its_loss_counts_it(stack, trader, maker, listed_ts, instrument):
    mine, theirs = stack.open(trader, 100_000), stack.open(maker, 1_000_000)
    key, rate = accounts.add(), 10**15
    word = perp() if instrument == "perp" else option(listed_ts, 1_900, Kind.CALL)
    end, price = chain[-1].timestamp + 600, 1_900 * WAD

    def loss(fee):
        stack.exchange.setFeeCaps((rate, rate), {"from": stack.admin})
        stack.exchange.setFees((0, fee, 0, fee), {"from": stack.admin})
        stack.delegation.grant(mine, key, terms(end, max_loss_wad=10_000 * WAD), {"from": trader})
        sell = (theirs, word, False, WAD, price, chain.height, end, maker.address, *PLAIN)
        buy = (mine, word, True, WAD, price, chain.height, end, key.address, LIMIT, False, rate, 0, *UNCONDITIONAL)
        sides = (sell, sign_order(stack.exchange, maker, sell), buy, sign_order(stack.exchange, key, buy))
        return stack.exchange.settle(*sides, WAD, {"from": stack.admin}).events["DelegateTraded"]["lossWad"]

    free = loss(0)
    # The mark of an option moves by the seconds between the two fills.
    slack = 0 if instrument == "perp" else WAD // 1_000
    assert abs(int(loss(rate)) - int(free) - 19 * WAD // 10) <= slack
