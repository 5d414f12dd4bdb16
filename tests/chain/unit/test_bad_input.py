"""Every kind of bad input, each refused by its one named error, all storage as it was (docs/audit.md has the table).

A case prepares, so that nothing but the bad input can stand in the way, and then acts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from brownie import FalseToken, FeeToken, Oracle, RebasingToken, ReenteringToken, SilentToken, chain
from eth_account import Account

from tests.chain.helpers.ledger import WAD, option, perp, shown, stored_total
from tests.chain.helpers.orders import sign_order, sign_quote
from tests.chain.helpers.signed import SIGNERS, market_round, plain, post, sign
from tests.chain.helpers.untouched import refused, roots
from tests.chain.unit.conftest import CAP_RAW

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
                0,
                False,
                0,
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
        terms = (self.seller, 0, list(legs or (self.leg(),)), nonce, self.start + life, self.maker.address, 0)
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


@pytest.fixture
def world(
    governor, module, stranger, trader, maker, ledger, vault, exchange, delegation, usdc, weth, buyer, seller, expiry
):
    made = World(**{k: v for k, v in locals().items() if k != "expiry"}, expiry=expiry // HOUR * HOUR)
    made.start = chain[-1].timestamp
    made.contracts = [ledger, vault, exchange, delegation, usdc, weth]
    return made


def list_token(world: World, artifact: Any) -> None:
    world.token = world.governor.deploy(artifact)
    world.contracts.append(world.token)
    world.vault.listToken(world.token, CAP_RAW, {"from": world.governor})
    if artifact is not FalseToken:
        world.fund(world.token)


def rebasing(held: int, then_e6: int) -> Callable[[World], None]:
    """A rebasing token of which the vault holds something when all balances move."""

    def prepare(world: World) -> None:
        list_token(world, RebasingToken)
        if held:
            world.deposit(world.token, held)
        world.token.rebase(then_e6, {"from": world.stranger})

    return prepare


def reentering(name: str, *args: Any) -> Callable[[World], None]:
    """A token that calls the vault again from within a transfer."""

    def prepare(world: World) -> None:
        list_token(world, ReenteringToken)
        world.deposit(world.token, 1_000)
        values = [world.token if value == "token" else value for value in (world.buyer, *args)]
        world.token.arm(world.vault, getattr(world.vault, name).encode_input(*values), {"from": world.stranger})

    return prepare


def listed_in_steps(world: World) -> None:
    world.exchange.setRules(1, (15, HOUR, 126_144_000, STRIKE_STEP_E8), {"from": world.governor})


def pay_in(world: World) -> None:
    world.deposit(world.fund(world.usdc), 1_000)


def mint(world: World) -> None:
    world.usdc.mint(world.trader, 10**6, {"from": world.trader})


def use_permit(world: World) -> None:
    mint(world)
    world.signed = world.permit()
    world.by_permit(world.signed)


ORDERS = (
    Case("zero", "Exchange__ZeroQuantity", lambda w: w.settle(0), lambda _: (0, 1)),
    Case("dust", "Exchange__Dust", lambda w: w.settle(10**12 - 1), lambda _: (10**12 - 1, 10**12)),
    Case("self", "Exchange__SelfTrade", lambda w: w.settle(ids=(w.buyer, w.buyer)), lambda w: (w.buyer, w.buyer)),
    Case("expired", "Exchange__OrderExpired", lambda w: w.settle(until=w.start - 1)),
    Case(
        "replayed",
        "Exchange__Overfilled",
        lambda w: w.settle(4 * WAD, until=w.start + HOUR),
        lambda _: (4 * WAD, 0),
        lambda w: w.settle(4 * WAD, until=w.start + HOUR),
    ),
    Case(
        "cancelled",
        "Exchange__Cancelled",
        lambda w: w.settle(),
        lambda w: (shown(w.trader), 1),
        lambda w: w.exchange.cancel(1, {"from": w.trader}),
    ),
    Case("other chain", "Exchange__BadSignature", lambda w: w.settle(chain_id=5)),
    Case("malleable", "Exchange__BadSignature", lambda w: w.settle(bend=flipped), lambda w: (NOBODY, w.buyer)),
    Case(
        "strike",
        "Exchange__StrikeNotListed",
        lambda w: w.settle(instrument=option(w.expiry, 2_001)),
        lambda _: (2_001 * 10**8, STRIKE_STEP_E8),
        listed_in_steps,
    ),
    Case(
        "quantity beyond a position",
        "Exchange__QuantityTooLarge",
        lambda w: w.settle(2**256 - 1, quantity=2**256 - 1),
        lambda _: (2**256 - 1, MAX_WAD),
    ),
    Case(
        "price beyond a position",
        "Exchange__PriceOutOfRange",
        lambda w: w.settle(price=2**256 - 1),
        lambda _: (2**256 - 1, MAX_PRICE_WAD),
    ),
    Case("premium beyond cash", "Accounts__Overflow", lambda w: w.settle(MAX_WAD, quantity=MAX_WAD)),
    Case(
        "position beyond its word",
        "PositionWord__QuantityOverflow",
        lambda w: w.settle(2**126, instrument=perp(), quantity=2**127, price=10**10, until=w.start + HOUR),
        lambda _: (2**127, MAX_WAD),
        lambda w: w.settle(2**126, instrument=perp(), quantity=2**127, price=10**10, until=w.start + HOUR),
    ),
    Case(
        "paused",
        "EnforcedPause",
        lambda w: w.settle(),
        prepare=lambda w: w.exchange.pause({"from": w.governor}),
    ),
    Case(
        "instrument paused",
        "Exchange__InstrumentPaused",
        lambda w: w.settle(),
        lambda w: (option(w.expiry, 2_000),),
        lambda w: w.exchange.pauseInstrument(option(w.expiry, 2_000), {"from": w.governor}),
    ),
)

QUOTES = (
    Case("zero", "Exchange__ZeroQuantity", lambda w: w.quote(w.leg(), w.leg(2_100, 0)), lambda _: (0, 1)),
    Case("self", "Exchange__SelfTrade", lambda w: w.quote(taker=w.seller), lambda w: (w.seller, w.seller)),
    Case("expired", "Exchange__OrderExpired", lambda w: w.quote(life=-1)),
    Case("replayed", "Exchange__Overfilled", lambda w: w.quote(), lambda _: (1, 0), lambda w: w.quote()),
    Case("other chain", "Exchange__BadSignature", lambda w: w.quote(chain_id=5)),
    Case("malleable", "Exchange__BadSignature", lambda w: w.quote(bend=flipped), lambda w: (NOBODY, w.seller)),
    Case("legs twice", "Exchange__DuplicateLeg", lambda w: w.quote(w.leg(), w.leg()), lambda _: (0, 1)),
    Case(
        "strike",
        "Exchange__StrikeNotListed",
        lambda w: w.quote(w.leg(), w.leg(2_001)),
        lambda _: (2_001 * 10**8, STRIKE_STEP_E8),
        listed_in_steps,
    ),
    Case(
        "overflow",
        "Exchange__QuantityTooLarge",
        lambda w: w.quote(w.leg(), w.leg(2_100, MAX_WAD + 1)),
        lambda _: (MAX_WAD + 1, MAX_WAD),
    ),
    Case("paused", "EnforcedPause", lambda w: w.quote(), prepare=lambda w: w.exchange.pause({"from": w.governor})),
    Case(
        "instrument paused",
        "Exchange__InstrumentPaused",
        lambda w: w.quote(w.leg(2_100), w.leg()),
        lambda w: (option(w.expiry, 2_000),),
        lambda w: w.exchange.pauseInstrument(option(w.expiry, 2_000), {"from": w.governor}),
    ),
)

VAULT = (
    Case("zero deposit", "Vault__ZeroAmount", lambda w: w.deposit(w.usdc, 0), lambda _: (0, 1)),
    Case("zero withdrawal", "Vault__ZeroAmount", lambda w: w.withdraw(w.usdc, 0), lambda _: (0, 1)),
    Case(
        "zero loan",
        "Vault__ZeroAmount",
        lambda w: w.vault.borrow(w.buyer, 0, w.trader, {"from": w.trader}),
        lambda _: (0, 1),
    ),
    Case("deposit beyond the cap", "Vault__CapExceeded", lambda w: w.deposit(w.usdc, 2**256 - 1), prepare=pay_in),
    Case(
        "withdrawal beyond a word",
        "Vault__AmountTooLarge",
        lambda w: w.withdraw(w.usdc, 2**256 - 1),
        lambda _: (2**256 - 1, 2**128 - 1),
        pay_in,
    ),
    Case(
        "withdrawal beyond the ledger",
        "Accounts__Overflow",
        lambda w: w.withdraw(w.usdc, 2**128 - 1),
        lambda _: ((2**128 - 1) * 10**12, MAX_WAD),
        pay_in,
    ),
    Case(
        "loan beyond a word",
        "Vault__AmountTooLarge",
        lambda w: w.vault.borrow(w.buyer, 2**256 - 1, w.trader, {"from": w.trader}),
        lambda _: (2**256 - 1, 2**128 - 1),
        pay_in,
    ),
    Case(
        "fee on transfer",
        "Vault__InexactTransfer",
        lambda w: w.deposit(w.token, 1_000),
        lambda _: (990, 1_000),
        lambda w: list_token(w, FeeToken),
    ),
    Case(
        "rebasing, rounded in the transfer",
        "Vault__InexactTransfer",
        lambda w: w.deposit(w.token, 1_000),
        lambda _: (999, 1_000),
        rebasing(0, 1_300_000),
    ),
    Case(
        "rebasing, deposit after a loss",
        "Vault__Shortfall",
        lambda w: w.deposit(w.token, 1_000),
        lambda _: (500, 1_000),
        rebasing(1_000, 500_000),
    ),
    Case(
        "rebasing, withdrawal after a loss",
        "Vault__Shortfall",
        lambda w: w.withdraw(w.token, 1_000),
        lambda _: (500, 1_000),
        rebasing(1_000, 500_000),
    ),
    Case(
        "returns false",
        "SafeERC20FailedOperation",
        lambda w: w.deposit(w.token, 1_000),
        lambda w: (shown(w.token),),
        lambda w: list_token(w, FalseToken),
    ),
    Case(
        "deposit within a deposit",
        "ReentrancyGuardReentrantCall",
        lambda w: w.deposit(w.token, 1_000),
        prepare=reentering("deposit", "token", 1),
    ),
    Case(
        "withdrawal within a deposit",
        "ReentrancyGuardReentrantCall",
        lambda w: w.deposit(w.token, 1_000),
        prepare=reentering("withdraw", "token", 1, "0x" + "11" * 20),
    ),
    Case(
        "withdrawal within a withdrawal",
        "ReentrancyGuardReentrantCall",
        lambda w: w.withdraw(w.token, 1_000),
        prepare=reentering("withdraw", "token", 1, "0x" + "11" * 20),
    ),
    Case(
        "loan within a withdrawal",
        "ReentrancyGuardReentrantCall",
        lambda w: w.withdraw(w.token, 1_000),
        prepare=reentering("borrow", 1, "0x" + "11" * 20),
    ),
    Case(
        "permit expired",
        "ERC2612ExpiredSignature",
        lambda w: w.by_permit(w.permit(life=-1)),
        lambda w: (w.start - 1,),
        mint,
    ),
    Case("permit replayed", "ERC2612InvalidSigner", lambda w: w.by_permit(w.signed), prepare=use_permit),
    Case("permit of another chain", "ERC2612InvalidSigner", lambda w: w.by_permit(w.permit(chain_id=5)), prepare=mint),
    Case("permit malleable", "ECDSAInvalidSignatureS", lambda w: w.by_permit(w.permit(bend=flipped)), prepare=mint),
    Case(
        "paused",
        "EnforcedPause",
        lambda w: w.deposit(w.usdc, 1),
        prepare=lambda w: (pay_in(w), w.vault.pause({"from": w.governor})),
    ),
)


def trade(world: World, **changed: Any) -> Any:
    terms = {"buyer": world.buyer, "seller": world.seller, "instrument": perp(), "quantity": WAD, "price": WAD}
    return world.ledger.applyTrade(tuple((terms | changed).values()), {"from": world.module})


LEDGER = (
    Case("zero trade", "Accounts__ZeroAmount", lambda w: trade(w, quantity=0), lambda _: (0, 1)),
    Case(
        "zero credit",
        "Accounts__ZeroAmount",
        lambda w: w.ledger.creditToken(w.buyer, 0, 0, {"from": w.module}),
        lambda _: (0, 1),
    ),
    Case(
        "zero debit",
        "Accounts__ZeroAmount",
        lambda w: w.ledger.debitToken(w.buyer, 0, 0, {"from": w.module}),
        lambda _: (0, 1),
    ),
    Case(
        "zero slice",
        "Accounts__ZeroAmount",
        lambda w: w.ledger.transferSlice(w.buyer, w.seller, 0, 0, {"from": w.module}),
        lambda _: (0, 1),
    ),
    Case("self", "Accounts__SelfTrade", lambda w: trade(w, seller=w.buyer), lambda w: (w.buyer,)),
    Case(
        "slice to itself",
        "Accounts__SelfTrade",
        lambda w: w.ledger.transferSlice(w.buyer, w.buyer, WAD, 0, {"from": w.module}),
        lambda w: (w.buyer,),
    ),
    Case(
        "slice above the whole",
        "Accounts__BadFraction",
        lambda w: w.ledger.transferSlice(w.buyer, w.seller, WAD + 1, 0, {"from": w.module}),
        lambda _: (WAD + 1, WAD),
    ),
    Case(
        "quantity beyond a position",
        "Accounts__Overflow",
        lambda w: trade(w, quantity=MAX_WAD + 1),
        lambda _: (MAX_WAD + 1, MAX_WAD),
    ),
    Case(
        "collateral beyond a word",
        "Accounts__Overflow",
        lambda w: w.ledger.creditToken(w.buyer, 1, 2**256 - 1, {"from": w.module}),
        lambda _: (2**256 - 1, MAX_WAD),
    ),
    Case(
        "collateral beyond it together",
        "Accounts__Overflow",
        lambda w: w.ledger.creditToken(w.buyer, 1, 1, {"from": w.module}),
        lambda _: (MAX_WAD + 1, MAX_WAD),
        lambda w: w.ledger.creditToken(w.buyer, 1, MAX_WAD, {"from": w.module}),
    ),
    Case(
        "isolated cash beyond a word",
        "Accounts__Overflow",
        lambda w: w.ledger.isolate(w.buyer, perp(), 1, 0, 2**256 - 1, {"from": w.trader}),
        lambda _: (2**256 - 1, MAX_WAD),
        trade,
    ),
    Case(
        "isolated collateral beyond a word",
        "Accounts__Overflow",
        lambda w: w.ledger.isolate(w.buyer, perp(), 1, 2**256 - 1, 0, {"from": w.trader}),
        lambda _: (2**256 - 1, MAX_WAD),
        trade,
    ),
)


@cases(*ORDERS)
def test_order__bad__reverts_by_name_and_changes_nothing(world, case):
    check(case, world)


@cases(*QUOTES)
def test_quote__bad__reverts_by_name_and_changes_nothing(world, case):
    check(case, world)


@cases(*VAULT)
def test_vault__bad__reverts_by_name_and_changes_nothing(world, case):
    check(case, world)


@cases(*LEDGER)
def test_ledger__bad__reverts_by_name_and_changes_nothing(world, case):
    check(case, world)


def test_account_at_the_position_limit__order_and_quote__revert_TooManyPositions(world):
    for i in range(128):
        trade(world, seller=1, instrument=option(world.expiry, 2_001 + i))
    for act in (world.settle, world.quote):
        with refused(world.contracts, "Accounts__TooManyPositions", 129, 128):
            act()


def test_good_input__same_roots_would_show_a_change(world):
    """The yardstick itself: a call that passes moves the root of what it writes to, and only of that."""
    before = roots(world.contracts)
    world.settle()
    after = roots(world.contracts)
    assert [a != b for a, b in zip(before, after, strict=True)] == [True, False, True, False, False, False]


def test_token_that_returns_nothing__comes_and_goes(world):
    """Silence is consent: the oldest tokens return nothing, and balances are measured anyway."""
    list_token(world, SilentToken)
    world.deposit(world.token, 1_000)
    assert world.token.balanceOf(world.vault) == world.vault.tokenOf(3)["heldRaw"] == 1_000
    world.withdraw(world.token, 1_000)
    assert world.token.balanceOf(world.trader) == 10**9


def test_token_that_shrank__leaves_as_far_as_it_is_there(world):
    """Nobody's exit waits for what is missing, but what is missing cannot be paid out of a deposit either."""
    rebasing(1_000, 500_000)(world)
    world.withdraw(world.token, 500)
    with refused(world.contracts, "Vault__Shortfall", 0, 1):
        world.withdraw(world.token, 1)
    with refused(world.contracts, "Vault__Shortfall", 0, 500):
        world.deposit(world.token, 1)


def test_token_that_calls_others__finds_the_ledger_whole(world):
    """From within a withdrawal a token may call what is open to anyone: the amount has left the ledger by then."""
    list_token(world, ReenteringToken)
    world.deposit(world.token, 1_000)
    buy, sell = world.orders()
    signatures = [sign_order(world.exchange, k, tuple(o)) for k, o in ((world.trader, buy), (world.maker, sell))]
    call = world.exchange.settle.encode_input(buy, signatures[0], sell, signatures[1], WAD)
    world.token.arm(world.exchange, call, {"from": world.stranger})
    total = stored_total(world.ledger)
    world.withdraw(world.token, 400)
    assert list(world.ledger.snapshotOf(world.buyer)["positions"]) == [option(world.expiry, 2_000, quantity_wad=WAD)]
    assert list(world.ledger.snapshotOf(world.buyer)["amountsWad"]) == [600]
    assert stored_total(world.ledger) == total


@pytest.fixture
def oracle(authority, governor):
    made = governor.deploy(Oracle, authority, HOUR, WAD // 2)
    made.setSigners([signer.address for signer in SIGNERS], 2, {"from": governor})
    chain.mine()
    return made


@pytest.mark.parametrize(
    ("error", "how", "when"),
    [
        ("Oracle__BadSigner", {"chainId": 5}, 0),
        ("Oracle__BadSigner", {"signers": (SIGNERS[0], SIGNERS[0])}, 0),
        ("Oracle__FromFuture", {}, HOUR),
        ("Oracle__Stale", {}, -HOUR - 100),
    ],
    ids=["other chain", "one signer twice", "from the future", "expired"],
)
def test_round__bad__reverts_by_name_and_changes_nothing(oracle, stranger, error, how, when):
    with refused([oracle], error):
        post(oracle, "postRound", market_round(chain[-1].timestamp + when), stranger, **how)


def test_round__malleable__reverts_by_name_and_changes_nothing(oracle, stranger):
    message = market_round(chain[-1].timestamp)
    first, second = sign(oracle, "Round", message)
    with refused([oracle], "ECDSAInvalidSignatureS"):
        oracle.postRound(plain(message), [flipped(first), second], {"from": stranger})


def test_round__replayed__changes_nothing(oracle, stranger):
    """Relayers race: the second of them is no attacker, and his transaction does nothing."""
    message = market_round(chain[-1].timestamp)
    post(oracle, "postRound", message, stranger)
    before = roots([oracle])
    assert len(post(oracle, "postRound", message, stranger).events) == 0
    assert roots([oracle]) == before
