"""Gas of a loan at Morpho, to the unit, without the base cost of its transaction: asked about, steered, redeemed."""

from __future__ import annotations

import brownie
import pytest

from tests.chain.helpers.lent import LOAN, PRICE, WHOLE, build_loan, deploy_lent
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import deploy_stack

GAS = {
    "asked, nothing owed": 42_828,
    "asked, booked in this block": 51_364,
    "asked, with interest": 56_707,
    "take": 98_309,
    "redeem": 129_681,
}


def net(receipt):
    """Gas without the base cost."""
    data = bytes.fromhex(receipt.input[2:])
    zeros = data.count(0)
    return receipt.gas_used - 21_000 - 4 * zeros - 16 * (len(data) - zeros)


@pytest.fixture(scope="module")
def measured(accounts, chain, isolate_module):
    owner = accounts[1]
    stack = deploy_stack(brownie.project.get_loaded_projects()[0], accounts[0], chain)
    lent, used = deploy_lent(stack, owner), {}
    pointer = stack.book.bookPointerOf(1)

    def asked():
        question = (pointer, PRICE * WAD, [LOAN], [WHOLE])
        return net(stack.sources.curveOf.transact(*question, {"from": owner}))

    build_loan(lent, owner, 100, 0)
    used["asked, nothing owed"] = asked()
    lent.token.take(0, 0, 60_000 * 10**6, owner, {"from": owner})
    chain.sleep(100)
    used["asked, with interest"] = asked()
    chain.sleep(100)
    used["take"] = net(lent.token.take(0, WAD, 10**6, owner, {"from": owner}))
    brownie.web3.provider.make_request("evm_setNextBlockTimestamp", [chain[-1].timestamp])
    used["asked, booked in this block"] = asked()
    chain.sleep(100)
    used["redeem"] = net(lent.token.redeem(WHOLE // 3, owner, 2**255, {"from": owner}))
    return used


def test_gas_lending__every_step__as_recorded(measured):
    assert measured == GAS
