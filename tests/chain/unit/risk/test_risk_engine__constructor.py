"""RiskEngine's constructor: the normal table has to be the one that the engine was written for."""

from __future__ import annotations

import pytest
from brownie import accounts, chain, project, web3
from eth_utils.crypto import keccak

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.stack import deploy_stack

#: Nobody's address.
ELSEWHERE = "0x00000000000000000000000000000000007ab1e5"


@pytest.fixture(scope="module")
def stack():
    return deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)


@pytest.fixture(scope="module")
def table(stack):
    return bytes(web3.eth.get_code(stack.table.address))


def deploy_with(stack, address):
    return stack.admin.deploy(stack.project.RiskEngine, stack.book, stack.oracle, address)


def test_constructor__normal_table__is_taken(stack):
    assert deploy_with(stack, stack.table).riskOf(1, [], 0)[0] == 1


@pytest.mark.parametrize("changed", ["a bit", "a byte less", "a byte before"])
def test_constructor__other_code__reverts(stack, table, changed):
    codes = {"a bit": table[:-1] + bytes([table[-1] ^ 1]), "a byte less": table[:-1], "a byte before": b"\0" + table}
    code = codes[changed]
    web3.provider.make_request("anvil_setCode", [ELSEWHERE, "0x" + code.hex()])
    with reverts_with("RiskEngine__NoTable", keccak(code), keccak(table)):
        deploy_with(stack, ELSEWHERE)


def test_constructor__no_code__reverts(stack, table):
    nowhere = "0x00000000000000000000000000000000007ab1e6"
    with reverts_with("RiskEngine__NoTable", bytes(32), keccak(table)):
        deploy_with(stack, nowhere)
