"""Morpho Blue on Brownie's test chain: markets of a base and cash, either way round, and positions in them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import brownie
from brownie import Contract, web3

from tests.chain.helpers.published import morpho_contracts
from tests.chain.helpers.swift import rpc

LLTV = 86 * 10**16
BUFFER, COST = 2 * 10**16, 10**16
NOBODY = "0x" + "00" * 20
#: Of Morpho's prices, beside the decimals of both tokens.
SCALE = 36


def create_of_morpho(admin: Any, name: str, *arguments: Any) -> Any:
    """Deploy a contract of Morpho's package."""
    found = morpho_contracts()[name]
    code = web3.eth.contract(abi=found["abi"], bytecode=found["bytecode"])
    data = code.constructor(*arguments).data_in_transaction
    made = rpc("eth_sendTransactionSync", {"from": admin.address, "data": data, "gas": hex(20_000_000)})
    return Contract.from_abi(name, made["contractAddress"], found["abi"])


class Market(SimpleNamespace):
    """One market; ``is_long`` when the base is its collateral and cash is lent."""

    @property
    def collateral(self) -> Any:
        """Token of the collateral."""
        return self.base if self.is_long else self.cash

    @property
    def debt(self) -> Any:
        """Token that is lent."""
        return self.cash if self.is_long else self.base

    @property
    def params(self) -> tuple[Any, ...]:
        """What makes the market, as Morpho takes it."""
        return (self.debt, self.collateral, self.oracle, self.irm, LLTV)

    def fund(self, owner: Any, *spenders: Any, amount: int = 10**7) -> None:
        """Give whole units of both tokens, and let Morpho and the spenders take them."""
        for token in (self.base, self.cash):
            token.mint(owner, amount * 10 ** token.decimals(), {"from": owner})
            for spender in (self.morpho, *spenders):
                token.approve(spender, 2**256 - 1, {"from": owner})

    def price(self, price: float) -> None:
        """Set what the market's own oracle says the base is worth."""
        decimals = self.base.decimals() - self.cash.decimals()
        raw = price * 10.0 ** (SCALE - decimals) if self.is_long else 10.0 ** (SCALE + decimals) / price
        self.oracle.setPrice(int(raw), {"from": self.admin})

    def lend(self, lender: Any, amount: int) -> None:
        """Let somebody lend whole units."""
        raw = amount * 10 ** self.debt.decimals()
        self.morpho.supply(self.params, raw, 0, lender, b"", {"from": lender})

    def add(self, by: Any, position: Any, collateral_raw: int) -> None:
        """Let somebody add collateral to a position."""
        self.morpho.supplyCollateral(self.params, collateral_raw, position, b"", {"from": by})

    def repay(self, by: Any, position: Any, debt_raw: int) -> None:
        """Let somebody repay debt of a position."""
        self.morpho.repay(self.params, debt_raw, 0, position, b"", {"from": by})

    def liquidate(self, by: Any, position: Any, shares: int = 0) -> Any:
        """Let somebody repay all of a position's debt, or shares of it, and take collateral; or all collateral."""
        _, owed, held = self.morpho.position(self.id, position)
        chosen = shares or owed
        try:
            return self.morpho.liquidate(self.params, position, 0, chosen, b"", {"from": by})
        except brownie.exceptions.VirtualMachineError:
            # The collateral is worth less than that.
            return self.morpho.liquidate(self.params, position, held, 0, b"", {"from": by})

    def booked(self, position: Any) -> tuple[int, int]:
        """Collateral and debt as Morpho has them booked, the debt rounded up."""
        _, shares, held = self.morpho.position(self.id, position)
        sums = self.morpho.market(self.id)
        return int(held), -(-int(shares) * (int(sums[2]) + 1) // (int(sums[3]) + 10**6))


def create_market(admin: Any, base: Any, cash: Any, price: float, *, is_long: bool, irm: Any = None) -> Market:
    """Deploy Morpho with one market at a price, in which the deployer lends."""
    morpho = create_of_morpho(admin, "Morpho", admin.address)
    irm = irm or create_of_morpho(admin, "IrmMock")
    oracle = create_of_morpho(admin, "OracleMock")
    morpho.enableIrm(irm, {"from": admin})
    morpho.enableLltv(LLTV, {"from": admin})
    found = Market(admin=admin, morpho=morpho, oracle=oracle, irm=irm, base=base, cash=cash, is_long=is_long)
    found.price(price)
    morpho.createMarket(found.params, {"from": admin})
    words = [getattr(word, "address", word) for word in found.params]
    found.id = web3.keccak(web3.codec.encode(["address", "address", "address", "address", "uint256"], words))
    found.fund(admin)
    found.lend(admin, 10**6)
    return found


def deploy_position(
    market: Market,
    stack: Any,
    holder: Any,
    cap: int = 10**6,
    *,
    terms: tuple[int, int] = (BUFFER, COST),
) -> Any:
    """Deploy a position of a market on a stack; all its shares are the holder's. The cap is in whole units."""
    project = brownie.project.get_loaded_projects()[0]
    protocol = (stack.accounts, stack.vault, stack.engine)
    cap_raw = cap * 10 ** market.collateral.decimals()
    words = ((market.morpho, market.id), (market.cash, *terms, cap_raw), protocol, holder)
    return market.admin.deploy(project.MorphoPosition, "Loan of ether and dollars", "LOAN", *words)
