"""What the trader key is granted, and how a mandate may look."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import padded, reverts_naming, reverts_with
from tests.chain.helpers.orders import ANY_INSTRUMENT
from tests.chain.helpers.signed import numbers
from tests.chain.helpers.strategy import DAY, GREEKS, NOBODY, TERM, deploy_strategy, mandate

WAD = 10**18
EXIT = 1_000_000 * WAD


def grant(house):
    """Until when, most loss and loss of the key's grant."""
    _, _, until_ts, _, most, spent = house.stack.delegation.grantOf(house.id, house.key)
    return until_ts, most, spent


def test_renew__value_of_now__limits_are_its_shares(running):
    house = running
    until_ts, most, spent = grant(house)
    assert most == EXIT // 100
    assert spent == 0
    assert until_ts == house.stack.chain[-1].timestamp + TERM
    limits = numbers(house.stack.delegation.limitsOf(house.id, house.key, 1))
    units = EXIT * WAD // (1_900 * WAD)
    assert limits == [1, 2 * units, (units * 3) * WAD // (1_900 * WAD), EXIT // 2]


def test_trade__beyond_delta__refused(running):
    house = running
    with reverts_with("Delegation__DeltaLimit"):
        house.trade(1_053, 1_900.0)
    house.trade(1_052, 1_900.0)


def test_trade__underlying_outside_the_mandate__refused(running):
    house = running
    house.stack.list_second(60_000)
    house.stack.exchange.setRules(2, ANY_INSTRUMENT, {"from": house.stack.admin})
    with reverts_with("Delegation__UnderlyingNotAllowed"):
        house.trade(1, 60_000.0, 2 << 248 | 3 << 240)


def test_trade__by_anybody_else__refused(running):
    house = running
    with reverts_with("Delegation__NotDelegate"):
        house.trade(1, 1_900.0, signer=house.friend)


def test_renew__within_the_term__gives_no_lost_money_again(running):
    house = running
    house.trade(100, 1_940.0)
    assert grant(house)[2] == 4_000 * WAD
    house.round()
    house.strategy.renew({"from": house.stranger})
    spent = 4_000 * WAD
    left = (house.value().exit * 10**12) // 100 - spent
    assert grant(house)[1:] == (left, 0)
    with reverts_with("Delegation__LossLimit"):
        house.trade(200, 1_940.0)


def test_renew__new_term__starts_afresh(running):
    house = running
    house.trade(100, 1_940.0)
    house.stack.chain.sleep(TERM + 1)
    house.round()
    house.strategy.renew({"from": house.stranger})
    assert grant(house)[1:] == (house.value().exit * 10**12 // 100, 0)


def test_renew__key_that_gave_its_grant_up__may_lose_nothing_more(running):
    house = running
    house.trade(100, 1_940.0)
    house.stack.delegation.revoke(house.id, house.key, {"from": house.key})
    house.round()
    house.strategy.renew({"from": house.stranger})
    assert grant(house)[1:] == (0, 0)
    with reverts_with("Delegation__LossLimit"):
        house.trade(1, 1_901.0)
    house.stack.chain.sleep(TERM + 1)
    house.round()
    house.strategy.renew({"from": house.stranger})
    assert grant(house)[1] > 0


def test_trade__grant_not_renewed__ends_with_the_term(running):
    house = running
    house.stack.chain.sleep(TERM + 1)
    house.round()
    with reverts_with("Delegation__Expired"):
        house.trade(1, 1_900.0)


def test_set_trader__another_key__ends_the_first_and_inherits_its_losses(running):
    house = running
    house.trade(100, 1_940.0)
    house.strategy.setTrader(house.carl, {"from": house.stack.admin})
    assert house.strategy.trader() == house.carl
    with reverts_with("Delegation__NotDelegate"):
        house.trade(1, 1_900.0)
    most = house.stack.delegation.grantOf(house.id, house.carl)[4]
    assert most == house.value().exit * 10**12 // 100 - 4_000 * WAD
    house.strategy.setTrader(NOBODY, {"from": house.stack.admin})
    with reverts_with("StrategyVault__NoTrader", NOBODY):
        house.strategy.renew({"from": house.stranger})


def test_set_trader__stranger__refused(house):
    for function, arguments in (("setTrader", (house.bert,)), ("halt", ()), ("resume", ())):
        with reverts_with("AccessManagedUnauthorized"):
            getattr(house.strategy, function)(*arguments, {"from": house.stranger})


def test_account__nobody_but_the_vault__may_act(running):
    house = running
    for caller in (house.key, house.stack.admin, house.manager):
        with reverts_with("Vault__NotAuthorised"):
            house.stack.vault.withdraw(house.id, house.usdc, 1, caller, {"from": caller})
        with reverts_with("Accounts__NotOwner"):
            house.stack.accounts.setMode(house.id, 1, {"from": caller})


@pytest.mark.parametrize(
    ("field", "value", "name", "limit"),
    [
        ("kinds", 16, "kinds", 15),
        ("kinds", 0, "kinds", 1),
        ("term", 3_599, "termSec", 3_600),
        ("term", 90 * DAY + 1, "termSec", 90 * DAY),
        ("spread", 10**17 + 1, "halfSpreadWad", 10**17),
        ("vol", 5 * 10**17 + 1, "halfVolWad", 5 * 10**17),
        ("loss", 10**17 + 1, "lossShareWad", 10**17),
        ("stop", 0, "stopShareWad", 1),
        ("stop", 5 * 10**17 + 1, "stopShareWad", 5 * 10**17),
        ("fee", 5 * 10**17 + 1, "feeWad", 5 * 10**17),
        ("receiver", NOBODY, "feeReceiver", 1),
    ],
)
def test_deploy__term_outside_its_interval__refused(house, field, value, name, limit):
    with reverts_naming("StrategyVault__BadMandate", name):
        deploy_strategy(house.stack, mandate(house.manager, **{"fee": 10**17, field: value}))
    with reverts_with("StrategyVault__BadMandate", padded(name), int(str(value), 0), limit):
        deploy_strategy(house.stack, mandate(house.manager, **{"fee": 10**17, field: value}))


def test_deploy__no_underlying_or_too_many__refused(house):
    for greeks in ((), GREEKS * 17):
        with reverts_with("StrategyVault__BadMandate"):
            deploy_strategy(house.stack, mandate(house.manager), greeks)


def test_deploy__one_underlying_twice__refused(house):
    with reverts_with("StrategyVault__UnderlyingTwice", GREEKS[0][0]):
        deploy_strategy(house.stack, mandate(house.manager), GREEKS * 2)


def test_mandate_of__deployed__is_what_was_asked_for(house):
    terms, limits = house.strategy.mandateOf()
    assert [*terms][:-1] == list(mandate(house.manager, fee=0))[:-1]
    assert [tuple(entry) for entry in limits] == list(GREEKS)
