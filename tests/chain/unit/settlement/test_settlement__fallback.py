"""A series whose settlement samples never come: its holders have a margin number again by each way out."""

from __future__ import annotations

import brownie
import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import option
from tests.chain.helpers.signed import DAY, WAD, post, surface
from tests.chain.helpers.stack import deploy_stack

ETH, HOUR = 1, 3_600


@pytest.fixture(scope="module")
def stack(accounts, chain):
    made = deploy_stack(brownie.project.get_loaded_projects()[0], accounts[0], chain)
    made.settlement = made.admin.deploy(made.project.Settlement, made.accounts, made.oracle)
    made.accounts.setModule(made.settlement, True, {"from": made.admin})
    return made


@pytest.fixture
def series(stack, accounts, chain):
    """Expiry, writer and holder of a call, ten minutes before the expiry with a round inside the window."""
    expiry = chain.time() + 600
    writer, holder = (stack.open(accounts[n], 10_000) for n in (3, 4))
    stack.price(1_900, surfaces=[surface(expiry)], meanWad=1_920 * WAD)
    stack.trade(holder, writer, 1, 30, option(expiry, 1_900))
    assert stack.margin(writer).initial > 0
    return expiry, writer, holder


def _samples(stack, expiry):
    message = {"underlyingId": ETH, "expiryTs": expiry, "sampleTs": [expiry - 900], "spotsWad": [1_930 * WAD]}
    post(stack.oracle, "postSettlement", message, stack.admin)


def _rounds(stack, expiry):
    stack.oracle.settleFromRounds(ETH, expiry, {"from": stack.admin})


def _governor(stack, expiry):
    stack.oracle.settleByGovernor(ETH, expiry, 1_930 * WAD, {"from": stack.admin})


@pytest.mark.parametrize(("way", "after"), [(_samples, 2 * HOUR), (_rounds, 4 * HOUR), (_governor, DAY)])
def test_fallback__unsettled_series__is_settled_and_margined_again(stack, series, chain, way, after):
    expiry, writer, holder = series
    chain.sleep(600 + after)
    chain.mine()
    stack.price(1_950)
    for account in (writer, holder):
        with reverts_with("Oracle__ExpiryNotInRound", ETH, expiry):
            stack.engine.marginOf(account)
    way(stack, expiry)
    price = stack.oracle.settlementPriceOf(ETH, expiry)
    stack.settlement.settle(ETH, expiry, [writer, holder], {"from": stack.admin})
    paid = price - 1_900 * WAD
    assert stack.margin(writer).equity == 10_030 * WAD - paid
    assert stack.margin(holder).equity == 9_970 * WAD + paid
    assert stack.margin(writer).initial == 0
