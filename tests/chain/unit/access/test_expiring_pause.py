"""A pause ends by itself, and whoever may pause cannot keep a contract stopped."""

import pytest
from brownie import chain

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import perp, shown

DAY = 86_400
GUARDIAN = 1


@pytest.fixture
def stopped(authority, vault, exchange, governor, stranger):
    """A guardian that pauses vault and exchange and nothing else."""
    authority.grantRole(GUARDIAN, stranger, 0, {"from": governor})
    for contract in (vault, exchange):
        authority.setTargetFunctionRole(contract, [contract.signatures["pause"]], GUARDIAN, {"from": governor})
    return vault.pause({"from": stranger}).timestamp


def pass_time(sec):
    chain.sleep(sec)
    chain.mine()


def test_pause__a_day_later__is_over(vault, stopped, stranger):
    assert vault.paused()
    assert tuple(vault.pauseTimes()) == (stopped + DAY, stopped + 2 * DAY)
    pass_time(DAY)
    assert not vault.paused()


def test_pause__again_within_two_days__reverts_TooSoon(vault, stopped, governor, stranger):
    """A stolen guardian paused again in the block after each unpause."""
    for wait in (0, DAY, DAY - 60):
        pass_time(wait)
        with reverts_with("ExpiringPause__TooSoon"):
            vault.pause({"from": stranger})
    pass_time(61)
    vault.pause({"from": stranger})
    assert vault.paused()


def test_pause__ended_early__earns_no_new_one(vault, stopped, governor, stranger):
    tx = vault.unpause({"from": governor})
    assert tx.events["Unpaused"] == {"by": governor}
    assert not vault.paused()
    with reverts_with("ExpiringPause__TooSoon"):
        vault.pause({"from": stranger})
    with reverts_with("ExpiringPause__NotPaused"):
        vault.unpause({"from": governor})


def test_pause__one_contract__leaves_the_others(exchange, stopped, stranger):
    assert not exchange.paused()
    tx = exchange.pause({"from": stranger})
    assert tx.events["Paused"] == {"by": stranger, "untilTs": tx.timestamp + DAY}


def test_extend_pause__governance_only__another_day_from_now(vault, stopped, governor, stranger):
    with reverts_with("AccessManagedUnauthorized", shown(stranger)):
        vault.extendPause({"from": stranger})
    pass_time(DAY - 60)
    ts = vault.extendPause({"from": governor}).timestamp
    assert tuple(vault.pauseTimes()) == (ts + DAY, ts + 2 * DAY)
    pass_time(DAY)
    with reverts_with("ExpiringPause__NotPaused"):
        vault.extendPause({"from": governor})


def test_pause_instrument__expires_like_the_others(exchange, governor):
    exchange.pauseInstrument(perp(), {"from": governor})
    assert exchange.isInstrumentPaused(perp())
    pass_time(DAY)
    assert not exchange.isInstrumentPaused(perp())
    with reverts_with("ExpiringPause__TooSoon"):
        exchange.pauseInstrument(perp(), {"from": governor})
    pass_time(DAY)
    exchange.pauseInstrument(perp(), {"from": governor})
