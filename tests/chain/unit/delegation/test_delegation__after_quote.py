"""Delegation.afterFill through quotes of several legs: limits, loss and margin once for the whole fill."""

from __future__ import annotations

import pytest
from brownie import accounts, chain, project

from tests.chain.helpers.delegation import NO_LIMIT, limits, terms
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import option, perp, words
from tests.chain.helpers.orders import ANY_INSTRUMENT, sign_quote
from tests.chain.helpers.signed import WAD, numbers, surface
from tests.chain.helpers.stack import deploy_stack

PERP_PRICE = 1_900 * WAD
SECOND_PRICE = 60_000 * WAD
SECOND = perp() + (1 << 248)
FAR_WAD = 10**9 * WAD
LEGS = 8


@pytest.fixture(scope="module")
def stack():
    made = deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)
    expiry = chain[-1].timestamp + 30 * 86_400
    made.price(1_900, surfaces=[surface(expiry)])
    made.list_second(60_000)
    made.exchange.setRules(2, ANY_INSTRUMENT, {"from": made.admin})
    made.call = option(expiry, 1_900)
    return made


@pytest.fixture(scope="module")
def key():
    return accounts.add()


@pytest.fixture(scope="module")
def friend():
    """Trader key of the maker's account."""
    return accounts.add()


@pytest.fixture(scope="module")
def account(stack, trader):
    return stack.open(trader, 200_000)


@pytest.fixture(scope="module")
def other(stack, maker):
    return stack.open(maker, 1_000_000)


@pytest.fixture
def grant(stack, account, other, trader, maker, key, friend):
    """Grant to the key of the trader's account, or of the maker's."""

    def run(*allowed, side="taker", **how):
        until = chain[-1].timestamp + 9_999
        account_id, delegate, owner = (account, key, trader) if side == "taker" else (other, friend, maker)
        stack.delegation.grant(account_id, delegate, terms(until, *allowed, **how), {"from": owner})

    return run


@pytest.fixture
def take(stack, account, other, key, maker):
    """Let a key take a quote: legs as the taker has them, an instrument, a signed quantity and a price each."""

    def run(*legs, by=key, quoted_by=maker):
        seen = [(word, quantity < 0, abs(quantity), price) for word, quantity, price in legs]
        quote = (other, account, seen, chain.height, chain[-1].timestamp + 600, quoted_by.address, 0, 0)
        return stack.exchange.fillQuote(quote, sign_quote(stack.exchange, quoted_by, quote), account, 0, {"from": by})

    return run


def shift(word, steps):
    """The option some strikes higher."""
    return word + (steps * 10**9 << 128)


def test_after_quote__losses__are_those_of_all_legs_together(stack, account, key, grant, take):
    grant(limits(1), limits(2), max_loss_wad=25 * WAD)
    # 10 lost on one leg and 4 gained on the other.
    tx = take((perp(), WAD, PERP_PRICE + 10 * WAD), (SECOND, -WAD, SECOND_PRICE + 4 * WAD))
    assert dict(tx.events["DelegateTraded"]) == {
        "accountId": account,
        "delegate": key,
        "lossWad": 6 * WAD,
        "totalLossWad": 6 * WAD,
    }
    # A fill that gains earns no new room.
    tx = take((perp(), -WAD, PERP_PRICE + 9 * WAD), (SECOND, WAD, SECOND_PRICE + 2 * WAD))
    assert tx.events["DelegateTraded"]["totalLossWad"] == 6 * WAD
    over = [(perp(), WAD, PERP_PRICE + 30 * WAD), (SECOND, -WAD, SECOND_PRICE + 11 * WAD - 10**10)]
    with reverts_with("Delegation__LossLimit", 25 * WAD + 10**10, 25 * WAD):
        take(*over)
    take(over[0], (SECOND, -WAD, SECOND_PRICE + 11 * WAD))
    assert numbers(stack.delegation.grantOf(account, key))[5] == 25 * WAD


def test_after_quote__greeks__are_those_after_all_legs(grant, take):
    grant(limits(1, delta=2 * WAD))
    # Alone the perpetuals would be beyond the limit; the call sold with them is the hedge.
    deep = 3 * WAD
    with reverts_with("Delegation__DeltaLimit", deep, 2 * WAD):
        take((perp(), deep, PERP_PRICE))


def test_after_quote__hedged_leg__passes_where_the_leg_alone_does_not(stack, grant, take):
    grant(limits(1, delta=2 * WAD))
    take((perp(), 3 * WAD, PERP_PRICE), (stack.call, -3 * WAD, 80 * WAD))


def test_after_quote__two_underlyings__each_by_its_own_limits(grant, take):
    grant(limits(1, delta=2 * WAD), limits(2, delta=WAD))
    first, second = (perp(), 2 * WAD, PERP_PRICE), (SECOND, WAD, SECOND_PRICE)
    with reverts_with("Delegation__DeltaLimit", WAD + 1, WAD):
        take(first, (SECOND, WAD + 1, SECOND_PRICE))
    with reverts_with("Delegation__DeltaLimit", 2 * WAD + 1, 2 * WAD):
        take((perp(), 2 * WAD + 1, PERP_PRICE), second)
    take(first, second)
    # Beyond one limit by the owner's hand, a key may still trade the other underlying.
    grant(limits(1, delta=WAD), limits(2, delta=2 * WAD))
    take((SECOND, WAD, SECOND_PRICE))
    with reverts_with("Delegation__DeltaLimit", 2 * WAD + 1, WAD):
        take((perp(), 1, PERP_PRICE), (SECOND, -WAD, SECOND_PRICE))
    take((perp(), -1, PERP_PRICE), (SECOND, -WAD, SECOND_PRICE))


def test_after_quote__underlying_closed_to_nothing__has_no_greeks(stack, account, grant, take):
    grant(limits(1, 0, 0, 0), limits(2, delta=WAD))
    with reverts_with("Delegation__DeltaLimit", WAD, 0):
        take((perp(), WAD, PERP_PRICE), (SECOND, WAD, SECOND_PRICE))
    grant(limits(1), limits(2))
    take((perp(), WAD, PERP_PRICE), (SECOND, WAD, SECOND_PRICE))
    grant(limits(1, 0, 0, 0), limits(2, delta=WAD))
    take((perp(), -WAD, PERP_PRICE))
    assert len(words(stack.accounts, account)) == 1


def test_after_quote__leg_outside_the_scope__reverts_though_another_is_within(grant, take, key):
    grant(limits(1, delta=FAR_WAD))
    with reverts_with("Delegation__UnderlyingNotAllowed", 2, str(key.address).lower()):
        take((perp(), WAD, PERP_PRICE), (SECOND, WAD, SECOND_PRICE))


@pytest.mark.parametrize("bound", [FAR_WAD, NO_LIMIT])
def test_after_quote__beyond_the_initial_margin__reverts_whether_or_not_greeks_were_asked_for(grant, take, bound):
    grant(limits(1, bound, bound, bound))
    with reverts_with("MarginEngine__BelowInitial"):
        take((perp(), 900 * WAD, PERP_PRICE))


def test_after_quote__account_below_its_initial_margin__a_key_may_still_reduce(stack, account, other, grant, take):
    stack.trade(account, other, 500, 1_900)
    stack.price(1_600, surfaces=[surface(chain[-1].timestamp + 86_400)])
    held = stack.margin(account)
    assert 0 < held.equity < held.initial
    grant(limits(1, delta=FAR_WAD), max_loss_wad=FAR_WAD)
    with reverts_with("MarginEngine__BelowInitial"):
        take((perp(), WAD, 1_600 * WAD))
    take((perp(), -100 * WAD, 1_600 * WAD))


def test_after_quote__eight_legs_by_keys_on_both_sides__cost_little_more_than_by_owners(
    stack, account, other, grant, take, trader, friend
):
    for step in range(32):
        stack.trade(account, other, 1, 50, shift(stack.call, step))
    legs = [(shift(stack.call, step), WAD, 80 * WAD) for step in range(32, 32 + LEGS)]
    by_owners = take(*legs, by=trader).gas_used
    back = [(word, -quantity, price) for word, quantity, price in legs]
    for side in ("taker", "maker"):
        grant(limits(1, FAR_WAD, FAR_WAD, FAR_WAD), side=side, max_loss_wad=FAR_WAD)
    take(*back, quoted_by=friend)
    by_keys = take(*legs, quoted_by=friend).gas_used
    # One evaluation of the legs alone for each side, and greeks beside the margin: never an account per leg.
    assert by_owners < by_keys < 1.5 * by_owners, (by_owners, by_keys)
