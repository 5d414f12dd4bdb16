"""Bad input as cases: each prepares, so that nothing but the bad input can stand in the way, and then acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from brownie import chain
from eth_account import Account

from tests.chain.helpers.ledger import WAD, option, perp
from tests.chain.helpers.orders import PLAIN, sign_order, sign_quote
from tests.chain.helpers.untouched import refused

HOUR = 3_600
MAX_WAD = 2**127 - 1
MAX_PRICE_WAD = (2**71 - 1) * 10**10
CURVE = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
NOBODY = "0x" + "0" * 40
STRIKE_STEP_E8 = 50 * 10**8
INSTRUMENT, QUANTITY, PRICE, UNTIL = 1, 3, 4, 6


def flipped(signature: bytes) -> bytes:
    """The other signature of the same key over the same message."""
    s = (CURVE - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    return signature[:32] + s + bytes([55 - signature[64]])


@dataclass(frozen=True)
class Case:
    """One bad input; ``args`` of the error are made from the world, None accepts any."""

    label: str
    error: str
    act: Callable[[Any], Any]
    args: Callable[[Any], Sequence[object]] | None = None
    prepare: Callable[[Any], Any] = field(default=lambda _: None)


def cases(*entries: Case) -> Any:
    return pytest.mark.parametrize("case", entries, ids=[entry.label for entry in entries])


def check(case: Case, world: Any) -> None:
    case.prepare(world)
    with refused(world.contracts, case.error, *(case.args(world) if case.args else ())):
        case.act(world)


class World(SimpleNamespace):
    """Contracts and people, a pair of orders that cross, and a quote of two legs; cases change one thing each."""

    def orders(self, **changed: Any) -> list[list[Any]]:
        end = chain[-1].timestamp + HOUR
        named = {"instrument": option(self.expiry, 2_000), "quantity": 4 * WAD, "price": 50 * WAD, "until": end}
        named |= {"ids": (self.buyer, self.seller)} | changed
        return [
            [
                ids,
                named["instrument"],
                side,
                named["quantity"],
                named["price"],
                1,
                named["until"],
                who.address,
                *PLAIN,
            ]
            for ids, side, who in zip(named["ids"], (True, False), (self.trader, self.maker), strict=True)
        ]

    def settle(self, part: int = WAD, bend: Callable[[bytes], bytes] = bytes, chain_id: int = 0, **changed: Any) -> Any:
        """Settle the pair; ``bend`` turns the maker's signature."""
        buy, sell = self.orders(**changed)
        signatures = [
            bend(sign_order(self.exchange, self.trader, tuple(buy), chain_id)),
            sign_order(self.exchange, self.maker, tuple(sell)),
        ]
        return self.exchange.settle(buy, signatures[0], sell, signatures[1], part, {"from": self.stranger})

    def leg(self, strike: int = 2_000, quantity: int = WAD, price: int = 50 * WAD) -> tuple[Any, ...]:
        return (option(self.expiry, strike), False, quantity, price)

    def quote(
        self,
        *legs: tuple[Any, ...],
        bend: Callable[[bytes], bytes] = bytes,
        chain_id: int = 0,
        life: int = HOUR,
        taker: int = 0,
        nonce: int = 3,
    ) -> Any:
        """Take a quote of the seller's account."""
        terms = (self.seller, 0, list(legs or (self.leg(),)), nonce, self.start + life, self.maker.address, 0, 0)
        signature = bend(sign_quote(self.exchange, self.maker, terms, chain_id))
        taker = taker or self.buyer
        caller = self.maker if taker == self.seller else self.trader
        return self.exchange.fillQuote(terms, signature, taker, 0, {"from": caller})

    def fund(self, token: Any, amount: int = 10**9) -> Any:
        """List a token where that is still to be done, and let the trader pay with it."""
        token.mint(self.trader, amount, {"from": self.trader})
        token.approve(self.vault, 2**256 - 1, {"from": self.trader})
        return token

    def permit(self, bend: Callable[[bytes], bytes] = bytes, chain_id: int = 0, life: int = HOUR) -> tuple[Any, ...]:
        """Deadline and signature of the trader over 1,000 units for the vault."""
        token, deadline = self.usdc, self.start + life
        _, name, version, own_id, verifying, _, _ = token.eip712Domain()
        fields = {
            "owner": "address",
            "spender": "address",
            "value": "uint256",
            "nonce": "uint256",
            "deadline": "uint256",
        }
        values = (self.trader.address, self.vault.address, 1_000, token.nonces(self.trader), deadline)
        signature = bend(
            bytes(
                Account.sign_typed_data(
                    self.trader.private_key,
                    {"name": name, "version": version, "chainId": chain_id or own_id, "verifyingContract": verifying},
                    {"Permit": [{"name": key, "type": kind} for key, kind in fields.items()]},
                    dict(zip(fields, values, strict=True)),
                ).signature
            )
        )
        return deadline, signature[64], signature[:32], signature[32:64]

    def by_permit(self, signed: tuple[Any, ...]) -> Any:
        return self.vault.depositWithPermit(self.buyer, self.usdc, 1_000, *signed, {"from": self.trader})

    def deposit(self, token: Any, amount: int) -> Any:
        return self.vault.deposit(self.buyer, token, amount, {"from": self.trader})

    def withdraw(self, token: Any, amount: int) -> Any:
        return self.vault.withdraw(self.buyer, token, amount, self.trader, {"from": self.trader})


def trade(world: World, **changed: Any) -> Any:
    terms = {"buyer": world.buyer, "seller": world.seller, "instrument": perp(), "quantity": WAD, "price": WAD}
    return world.ledger.applyTrade(tuple((terms | changed).values()), {"from": world.module})


def pay_in(world: World) -> None:
    world.deposit(world.fund(world.usdc), 1_000)
