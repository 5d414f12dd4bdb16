"""A canceller cancels whatever is scheduled, and does nothing else."""

import pytest
from brownie import Authority, Vault, chain

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import shown

ADMIN, CANCELLER = 0, 4
DELAY = 86_400


@pytest.fixture
def installed(governor, ledger, margin, usdc, trader, maker):
    """A manager whose admin, the trader, waits a day; the maker and a second one may cancel."""
    manager = governor.deploy(Authority, governor)
    vault = governor.deploy(Vault, manager, ledger, margin)
    second = governor
    for who in (maker, second):
        manager.grantRole(CANCELLER, who, 0, {"from": governor})
    manager.grantRole(ADMIN, trader, DELAY, {"from": governor})
    manager.renounceRole(ADMIN, governor, {"from": governor})
    return manager, vault, second


def operations(manager, vault, thief):
    """What a captured governor would schedule, on the manager itself and on a contract."""
    return (
        (manager, manager.grantRole.encode_input(ADMIN, thief, 0)),
        (manager, manager.grantRole.encode_input(1, thief, 0)),
        (manager, manager.setTargetFunctionRole.encode_input(vault, [vault.signatures["setCap"]], 2**64 - 1)),
        (manager, manager.setTargetClosed.encode_input(vault, True)),
        (manager, manager.updateAuthority.encode_input(vault, thief)),
        (manager, manager.setRoleAdmin.encode_input(CANCELLER, 7)),
        (vault, vault.setCap.encode_input(0, 1)),
        (vault, vault.unpause.encode_input()),
    )


def test_cancel__whatever_is_scheduled__ends_it(installed, trader, maker, stranger):
    """A grant of the admin role could be cancelled by nobody but the thief."""
    manager, vault, _ = installed
    for target, data in operations(manager, vault, stranger):
        manager.schedule(target, data, 0, {"from": trader})
        manager.cancel(trader, target, data, {"from": maker})
    chain.sleep(DELAY + 60)
    for target, data in operations(manager, vault, stranger):
        with reverts_with("AccessManagerNotScheduled"):
            manager.execute(target, data, {"from": trader})


def test_cancel__by_a_stranger__is_refused(installed, trader, stranger):
    manager, vault, _ = installed
    for target, data in operations(manager, vault, stranger):
        manager.schedule(target, data, 0, {"from": trader})
        with reverts_with("AccessManagerUnauthorizedCancel"):
            manager.cancel(trader, target, data, {"from": stranger})


def test_cancel__the_loss_of_the_own_role__only_by_another_canceller(installed, trader, maker):
    """Else a stolen canceller would stop governance for good."""
    manager, _, second = installed
    data = manager.revokeRole.encode_input(CANCELLER, maker)
    manager.schedule(manager, data, 0, {"from": trader})
    with reverts_with("AccessManagerUnauthorizedCancel"):
        manager.cancel(trader, manager, data, {"from": maker})
    manager.cancel(trader, manager, data, {"from": second})
    manager.schedule(manager, data, 0, {"from": trader})
    chain.sleep(DELAY + 60)
    manager.execute(manager, data, {"from": trader})
    assert manager.hasRole(CANCELLER, maker)[0] is False


def test_canceller__anything_else__is_refused(installed, maker, stranger):
    manager, vault, _ = installed
    for target, data in operations(manager, vault, stranger):
        for call in (manager.schedule, manager.execute):
            args = (target, data, 0) if call == manager.schedule else (target, data)
            with reverts_with("AccessManagerUnauthorizedCall"):
                call(*args, {"from": maker})
    with reverts_with("AccessManagedUnauthorized", shown(maker)):
        vault.pause({"from": maker})
    with reverts_with("AccessManagerUnauthorizedAccount", shown(maker), ADMIN):
        manager.grantRole(CANCELLER, stranger, 0, {"from": maker})
