"""Bad deposits, withdrawals, loans and tokens, each refused by its one named error, all storage as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brownie import FalseToken, FeeToken, RebasingToken, ReenteringToken, SilentToken

from tests.chain.helpers.bad_input import MAX_WAD, Case, World, cases, check, flipped, pay_in
from tests.chain.helpers.ledger import WAD, option, shown, stored_total
from tests.chain.helpers.orders import sign_order
from tests.chain.helpers.untouched import refused
from tests.chain.unit.conftest import CAP_RAW


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


def mint(world: World) -> None:
    world.usdc.mint(world.trader, 10**6, {"from": world.trader})


def use_permit(world: World) -> None:
    mint(world)
    world.signed = world.permit()
    world.by_permit(world.signed)


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
        "ExpiringPause__Paused",
        lambda w: w.deposit(w.usdc, 1),
        prepare=lambda w: (pay_in(w), w.vault.pause({"from": w.governor})),
    ),
)


@cases(*VAULT)
def test_vault__bad__reverts_by_name_and_changes_nothing(world, case):
    check(case, world)


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
