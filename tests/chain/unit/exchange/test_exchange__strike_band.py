"""The exchange's band of strikes: what may be opened, and what may still be closed outside of it."""

import pytest
from brownie import accounts, chain, project

from plimsoll.model import Kind
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, future, option, perp, words
from tests.chain.helpers.orders import PLAIN, sign_order, sign_quote
from tests.chain.helpers.signed import surface
from tests.chain.helpers.stack import deploy_stack

FORWARD = 2_000 * WAD
LOWEST, HIGHEST = 250, 16_000
STEP = 1e-8


@pytest.fixture
def fill(exchange, buyer, seller, trader, maker):
    """Fill one leg that the buyer's account buys, or sells for a negative quantity."""

    def send(instrument, quantity_wad=WAD, others=()):
        legs = [(instrument, quantity_wad < 0, abs(quantity_wad), 50 * WAD), *others]
        quote = (seller, buyer, legs, chain.height, chain[-1].timestamp + 600, maker.address, 0, 0)
        return exchange.fillQuote(quote, sign_quote(exchange, maker, quote), buyer, 0, {"from": trader})

    return send


@pytest.mark.parametrize("kind", [Kind.CALL, Kind.PUT])
@pytest.mark.parametrize("strike", [LOWEST, HIGHEST])
def test_strike_band__the_bounds_themselves__fill(fill, expiry, kind, strike):
    fill(option(expiry, strike, kind))


@pytest.mark.parametrize("kind", [Kind.CALL, Kind.PUT])
def test_strike_band__a_step_beyond__reverts_StrikeOutsideBand(fill, expiry, kind):
    with reverts_with("Exchange__StrikeOutsideBand", 250 * WAD - 10**10, 250 * WAD):
        fill(option(expiry, LOWEST - STEP, kind))
    with reverts_with("Exchange__StrikeOutsideBand", 16_000 * WAD + 10**10, 16_000 * WAD):
        fill(option(expiry, HIGHEST + STEP, kind))


def test_strike_band__forward_that_eight_does_not_divide__lower_bound_is_rounded_up(fill, oracle, governor, expiry):
    oracle.setForward(FORWARD + 1, {"from": governor})
    with reverts_with("Exchange__StrikeOutsideBand", 250 * WAD, 250 * WAD + 1):
        fill(option(expiry, LOWEST))
    fill(option(expiry, HIGHEST))


def test_strike_band__one_leg_of_several__reverts_the_whole_quote(ledger, fill, buyer, expiry):
    with reverts_with("Exchange__StrikeOutsideBand", 16_001 * WAD, 16_000 * WAD):
        fill(option(expiry, 2_000), others=[(option(expiry, HIGHEST + 1), True, WAD, WAD)])
    assert words(ledger, buyer) == []


def test_strike_band__orders__are_held_to_it(exchange, buyer, seller, trader, maker, stranger, expiry):
    end = chain[-1].timestamp + 600
    for strike, passes in ((HIGHEST + 1, False), (HIGHEST, True)):
        word = option(expiry, strike)
        buy = (buyer, word, True, WAD, WAD, strike, end, trader.address, *PLAIN)
        sell = (seller, word, False, WAD, WAD, strike, end, maker.address, *PLAIN)
        signed = (buy, sign_order(exchange, trader, buy), sell, sign_order(exchange, maker, sell), WAD)
        if passes:
            exchange.settle(*signed, {"from": stranger})
            continue
        with reverts_with("Exchange__StrikeOutsideBand", 16_001 * WAD, 16_000 * WAD):
            exchange.settle(*signed, {"from": stranger})


def test_strike_band__old_round__stops_options_and_nothing_linear(fill, oracle, governor, expiry):
    oracle.setForward(0, {"from": governor})
    fill(perp())
    fill(future(expiry))
    with reverts_with("Oracle__Stale"):
        fill(option(expiry, 2_000))


def test_strike_band__drifted_outside__both_sides_close_and_neither_opens(
    ledger, fill, oracle, governor, buyer, expiry
):
    word = option(expiry, 2_000)
    fill(word, 3 * WAD)
    oracle.setForward(100 * WAD, {"from": governor})
    outside = ("Exchange__StrikeOutsideBand", 2_000 * WAD, 800 * WAD)
    with reverts_with(*outside):
        fill(word, WAD)
    with reverts_with(*outside):
        fill(word, -3 * WAD - 1)
    fill(word, -WAD)
    # What only closes needs no price either.
    oracle.setForward(0, {"from": governor})
    fill(word, -2 * WAD)
    assert words(ledger, buyer) == []


def test_strike_band__drifted_outside__closing_one_side_alone_reverts(
    ledger, module, fill, oracle, governor, buyer, seller, expiry
):
    word = option(expiry, 2_000)
    # The buyer bought of somebody else: to sell to this maker would open a new position there.
    ledger.applyTrade((buyer, 1, word, WAD, WAD), {"from": module})
    oracle.setForward(100 * WAD, {"from": governor})
    with reverts_with("Exchange__StrikeOutsideBand", 2_000 * WAD, 800 * WAD):
        fill(word, -WAD)
    ledger.applyTrade((1, seller, word, WAD, WAD), {"from": module})
    fill(word, -WAD)


def test_strike_band__put_far_above__is_no_bond_without_margin():
    """A put struck at ten million, hedged in delta, had a margin of nearly nothing and moved its whole strike."""
    owner, friend = accounts.add(), accounts.add()
    stack = deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)
    expiry_ts = chain[-1].timestamp + 30 * 86_400
    stack.price(1_900, surfaces=[surface(expiry_ts)])
    mine, theirs = stack.open(owner, 4_000), stack.open(friend, 4_000)
    bond = option(expiry_ts, 10**7, Kind.PUT)
    # At its mark the premium is what the writer owes at expiry: 954,000 of it would have been withdrawn.
    mark = int(stack.engine.evaluate((0, 0, [], [], [bond | WAD]))[3]) // 10**16 * 10**16
    legs = [(bond, True, WAD // 10, mark), (perp(), True, WAD // 10, 1_900 * WAD)]
    quote = (theirs, mine, legs, 1, chain[-1].timestamp + 600, friend.address, 0, 0)
    with reverts_with("Exchange__StrikeOutsideBand", 10**7 * WAD, 8 * 1_905 * WAD):
        stack.exchange.fillQuote(quote, sign_quote(stack.exchange, friend, quote), mine, 0, {"from": owner})
