"""Intents.fillClose: below the bound positions are closed until it holds again, and nothing is opened."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import option, positions, shown
from tests.chain.helpers.signed import WAD, surface
from tests.chain.helpers.stack import FUND, PERP
from tests.chain.helpers.untouched import refused

DAY = 86_400


def excess(stack, account_id):
    margin = stack.margin(account_id)
    return margin.equity - margin.initial


@pytest.fixture
def short_of(stack, account_id, close):
    """Prices fall, so that the account ends below its bound."""
    stack.price(1_080)
    assert excess(stack, account_id) < 0
    return excess(stack, account_id)


def test_fill_close__below_the_bound__closes_until_it_holds(
    stack, close, quote, short_of, account_id, solver_id, contracts
):
    with refused(contracts, "Intents__ExcessMissed"):
        close.fill(quote(1, 1_080))
    tx = close.fill(quote(12, 1_080))
    digest = stack.intents.hashOfClose(close.values)
    assert tx.events["IntentFilled"] == {
        "digest": digest,
        "accountId": account_id,
        "solverId": solver_id,
        "costWad": 0,
    }
    assert excess(stack, account_id) >= 0
    assert [word.quantity_wad for word in positions(stack.accounts, account_id)] == [8 * WAD]
    stack.price(1_000)
    with refused(contracts, "Intents__Filled"):
        close.fill(quote(8, 1_000))


def test_fill_close__at_or_above_the_bound__reverts_NotTriggered(stack, close, quote, account_id, contracts):
    left = excess(stack, account_id)
    assert left > 0
    with refused(contracts, "Intents__NotTriggered", left, left):
        close.change(minExcessWad=left).fill(quote(20))
    close.change(minExcessWad=left + 1).fill(quote(20))


def test_fill_close__everything_closed__fills_even_below_the_bound(stack, close, quote, short_of, account_id):
    close.change(minExcessWad=10**30)
    with reverts_with("Intents__ExcessMissed"):
        close.fill(quote(19, 1_080))
    close.fill(quote(20, 1_080))
    assert positions(stack.accounts, account_id) == []


def test_fill_close__more_than_there_is_or_the_other_side__reverts_NotReducing(close, quote, short_of, contracts):
    with refused(contracts, "Intents__NotReducing", 20 * WAD + 1, 20 * WAD):
        close.fill(quote(legs=[(PERP, True, 20 * WAD + 1, 1_080 * WAD)]))
    with refused(contracts, "Intents__NotReducing", 12 * WAD, 0):
        close.fill(quote(-12, 1_080))
    with refused(contracts, "Intents__NotReducing", 2**256 - 1, 20 * WAD):
        close.fill(quote(legs=[(PERP, True, 2**256 - 1, 1_080 * WAD)]))


def test_fill_close__something_new__reverts_NotReducing(stack, close, quote, chain, account_id, contracts):
    expiry = chain[-1].timestamp + 10 * DAY
    stack.price(1_080, surfaces=[surface(expiry)])
    sells, call = (PERP, True, 12 * WAD, 1_080 * WAD), option(expiry, 2_000)
    with refused(contracts, "Intents__NotReducing", WAD, 0):
        close.fill(quote(legs=[sells, (call, True, WAD, WAD)]))
    # A short call is closed by buying it; selling more of it is no reduction.
    stack.trade(FUND, account_id, 2, 1, call)
    with refused(contracts, "Intents__NotReducing", WAD, 0):
        close.fill(quote(legs=[sells, (call, True, WAD, 90 * WAD)]))
    close.change(maxCostWad=10**4 * WAD).fill(quote(legs=[sells, (call, False, 2 * WAD, 9 * WAD)]))
    assert [word.quantity_wad for word in positions(stack.accounts, account_id)] == [8 * WAD]


def test_fill_close__price_off_the_mark__costs_to_the_wei(close, quote, short_of, contracts):
    with refused(contracts, "Intents__CostAbove", 60 * WAD, 60 * WAD - 1):
        close.change(maxCostWad=60 * WAD - 1).fill(quote(12, 1_075))
    close.change(maxCostWad=60 * WAD).fill(quote(12, 1_075))


def test_fill_close__signature_nonce_time_and_signer__are_asked_for(
    stack, close, quote, short_of, trader, solver, account_id, chain, contracts
):
    """The same head as that of a delta intent, whose tests have every case."""
    with refused(contracts, "Intents__Expired"):
        close.change(expiryTs=chain[-1].timestamp - 1).fill(quote(12, 1_080))
    close.change(expiryTs=chain[-1].timestamp + DAY)
    with refused(contracts, "Intents__BadSignature"):
        close.fill(quote(12, 1_080), close.sign(chain_id=5))
    close.key = solver
    with refused(contracts, "Intents__NotAuthorised", shown(solver), account_id):
        close.change(signer=solver.address).fill(quote(12, 1_080))
    close.key = trader
    close.change(signer=trader.address)
    stack.exchange.cancel(7, {"from": trader})
    with refused(contracts, "Intents__Cancelled", shown(trader), 7):
        close.fill(quote(12, 1_080))
    close.change(nonce=8).fill(quote(12, 1_080))


def test_fill_close__stale_round__reverts(stack, close, quote, short_of, chain, contracts):
    chain.sleep(8 * DAY)
    chain.mine()
    with refused(contracts, "Oracle__Stale"):
        close.change(expiryTs=chain[-1].timestamp + DAY).fill(quote(12, 1_080))
