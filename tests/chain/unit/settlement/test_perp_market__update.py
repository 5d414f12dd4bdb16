"""PerpMarket: the funding rate from the premium of the latest signed round."""

import pytest
from brownie import PerpMarket, accounts, chain, project

from plimsoll.index.funding import rate
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.stack import WAD, deploy_stack

ETH = 1
PERIOD = 28_800
ONE_PERCENT = 10**16
TERMS = (ONE_PERCENT, PERIOD)
CEILING = 5 * 10**16


@pytest.fixture(scope="module")
def stack():
    return deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)


@pytest.fixture(scope="module")
def market(stack):
    deployed = stack.admin.deploy(PerpMarket, stack.authority, stack.accounts, stack.oracle)
    stack.accounts.setModule(deployed, True, {"from": stack.admin})
    deployed.setTerms(ETH, TERMS, {"from": stack.admin})
    return deployed


@pytest.mark.parametrize(
    ("perp_wad", "a_day"),
    [
        (1_900 * WAD, 0),
        (1_902 * WAD, 6 * WAD),
        (1_897 * WAD, -9 * WAD),
        (1_919 * WAD, 57 * WAD),
        (1_920 * WAD, 57 * WAD),
        (1_500 * WAD, -57 * WAD),
        (1_900 * WAD + 1, 3),
    ],
)
def test_update__premium__is_paid_once_a_period_and_clamped(stack, market, perp_wad, a_day):
    stack.price(1_900, perpWad=perp_wad)
    round_ts = stack.oracle.roundFor(ETH, [])[0][0]
    tx = market.update(ETH, {"from": accounts[3]})
    assert tx.return_value is True
    assert tx.events["FundingUpdated"] == {"underlyingId": ETH, "roundTs": round_ts, "rateWad": a_day}
    assert tuple(stack.accounts.fundingOf(ETH))[1:] == (a_day, tx.timestamp)
    terms, used_ts = market.termsOf(ETH)
    assert (tuple(terms), used_ts) == (TERMS, round_ts)
    assert a_day == rate(1_900 * WAD, perp_wad, *TERMS)


def test_update__same_round_again__changes_nothing(stack, market):
    stack.price(1_900, perpWad=1_902 * WAD)
    market.update(ETH, {"from": stack.admin})
    since = stack.accounts.fundingOf(ETH)[2]
    chain.sleep(60)
    tx = market.update(ETH, {"from": stack.admin})
    assert tx.return_value is False
    assert not tx.events
    assert stack.accounts.fundingOf(ETH)[2] == since


def test_update__margin__counts_the_funding_at_once(stack, market):
    long_, short = stack.open(stack.admin, 10_000), stack.open(stack.admin, 10_000)
    stack.trade(long_, short, 2, 1_900)
    stack.price(1_900, perpWad=1_904 * WAD)
    market.update(ETH, {"from": stack.admin})
    before = [stack.margin(i).equity for i in (long_, short)]
    chain.sleep(3_600)
    chain.mine()
    after = [stack.margin(i).equity for i in (long_, short)]
    # Four a period, two units, an eighth of it.
    assert [b - a for a, b in zip(after, before, strict=True)] == [WAD, -WAD]
    stack.accounts.accrue([long_, short], {"from": stack.admin})
    assert [stack.margin(i).equity for i in (long_, short)] == after


def test_update__stale_round__reverts(stack, market):
    stack.price(1_900)
    chain.sleep(7 * 86_400 + 1)
    with reverts_with("Oracle__Stale"):
        market.update(ETH, {"from": stack.admin})


def test_update__no_terms__reverts_NoTerms(stack, market):
    with reverts_with("PerpMarket__NoTerms", 2):
        market.update(2, {"from": stack.admin})


def test_update__no_module__reverts(stack, market):
    stack.price(1_900)
    stack.accounts.setModule(market, False, {"from": stack.admin})
    with reverts_with("Accounts__NotModule"):
        market.update(ETH, {"from": stack.admin})


def test_set_terms__at_the_limits__event(stack, market):
    tx = market.setTerms(ETH, (CEILING, 3_600), {"from": stack.admin})
    assert tuple(tx.events["TermsSet"]["terms"]) == (CEILING, 3_600)


def test_set_terms__beyond__reverts(stack, market):
    with reverts_with("PerpMarket__PremiumTooLarge", CEILING + 1, CEILING):
        market.setTerms(ETH, (CEILING + 1, 3_600), {"from": stack.admin})
    with reverts_with("PerpMarket__PeriodTooShort", 3_599, 3_600):
        market.setTerms(ETH, (CEILING, 3_599), {"from": stack.admin})


def test_set_terms__stranger__reverts(market):
    with reverts_with("AccessManagedUnauthorized"):
        market.setTerms(ETH, TERMS, {"from": accounts[3]})
