"""An account with twenty perpetuals that has approved the intents, a solver, and what both sign."""

from __future__ import annotations

from typing import Any

import brownie
import pytest

from tests.chain.helpers.orders import sign_intent, sign_quote
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import PERP, deploy_stack

HOUR = 3_600
ANY, NONE = 2**256 - 1, -(2**255)
PERP_BIT = 8


@pytest.fixture(scope="module")
def stack(accounts, chain):
    return deploy_stack(brownie.project.get_loaded_projects()[0], accounts[0], chain)


@pytest.fixture(scope="module")
def trader(accounts):
    return accounts.add()


@pytest.fixture(scope="module")
def solver(accounts):
    return accounts.add()


@pytest.fixture(scope="module")
def relayer(accounts):
    return accounts[5]


@pytest.fixture(scope="module")
def solver_id(stack, solver):
    return stack.open(solver, 500_000)


@pytest.fixture(scope="module")
def account_id(stack, trader, solver_id):
    """Long 20 perpetuals at 1,900 on 20,000 of cash."""
    made = stack.open(trader, 20_000)
    stack.trade(made, solver_id, 20, 1_900)
    stack.accounts.setApprovalForAll(stack.intents, True, {"from": trader})
    return made


class Intent:
    """Fields of an intent by name; tests change one each, sign, and fill."""

    def __init__(self, stack: Any, key: Any, relayer: Any, fill: Any, fields: dict[str, Any]) -> None:
        self.stack, self.key, self.relayer, self._fill, self.fields = stack, key, relayer, fill, fields

    def change(self, **changed: Any) -> Intent:
        assert set(changed) <= set(self.fields)
        self.fields |= changed
        return self

    @property
    def values(self) -> tuple[Any, ...]:
        return tuple(self.fields.values())

    def sign(self, chain_id: int = 0) -> bytes:
        return sign_intent(self.stack.intents, self.key, self.values, chain_id)

    def fill(self, quote: tuple[tuple[Any, ...], bytes], signature: bytes | None = None) -> Any:
        return self._fill(self.values, signature or self.sign(), *quote, {"from": self.relayer})


@pytest.fixture
def delta(stack, trader, relayer, account_id, chain):
    """Bring delta to between 4 and 6 with perpetuals."""
    fields = {
        "accountId": account_id,
        "underlyingId": 1,
        "kinds": PERP_BIT,
        "minDeltaWad": 4 * WAD,
        "maxDeltaWad": 6 * WAD,
        "maxCostWad": 0,
        "minExcessWad": NONE,
        "transferCount": 0,
        "nonce": 7,
        "expiryTs": chain[-1].timestamp + HOUR,
        "signer": trader.address,
    }
    return Intent(stack, trader, relayer, stack.intents.fillDelta, fields)


@pytest.fixture
def close(stack, trader, relayer, account_id, chain):
    """Close until equity is above the initial margin."""
    fields = {
        "accountId": account_id,
        "minExcessWad": 0,
        "maxCostWad": 0,
        "transferCount": 0,
        "nonce": 7,
        "expiryTs": chain[-1].timestamp + HOUR,
        "signer": trader.address,
    }
    return Intent(stack, trader, relayer, stack.intents.fillClose, fields)


@pytest.fixture
def quote(stack, solver, solver_id, account_id, chain):
    """A quote of the solver for the account: quantities positive where the solver buys."""
    state = {"nonce": 100}

    def make(quantity=15, price=1_900, instrument=PERP, legs=None, by=None, maker_id=None):
        state["nonce"] += 1
        listed = legs or [(instrument, quantity > 0, abs(int(quantity * WAD)), price * WAD)]
        key, until = by or solver, chain[-1].timestamp + HOUR
        terms = (maker_id or solver_id, account_id, listed, state["nonce"], until, key.address, ANY, 0)
        return terms, sign_quote(stack.exchange, key, terms)

    return make


@pytest.fixture
def contracts(stack):
    return [stack.accounts, stack.exchange, stack.intents, stack.delegation]
