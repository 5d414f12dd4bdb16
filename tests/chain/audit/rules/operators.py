"""What operators with roles do, and what they try beyond their roles."""

from __future__ import annotations

from typing import Any

from plimsoll.chain.anvil import wallet
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.registry import (
    MAX_ACCOUNTS,
    NO_MARGIN,
    SHORT,
    any_amount,
    held_raw,
    is_above_cash,
    is_free,
    owner_of,
    rule,
)
from tests.chain.helpers.delegation import terms as trading_terms
from tests.chain.helpers.operators import ALL_ROLES, ISOLATE, MODE, WITHDRAW, terms
from tests.chain.invariants.world import FAR

BOT = wallet("operator")
LIFE_SEC = 3_600


def _grant(m: Machine, account: int, roles: int, token_id: int = 0, limit: int = 1) -> None:
    """The owner approves the contract and names the roles."""
    owner, allowances = owner_of(m, account), [(token_id, limit)] if roles & WITHDRAW else []
    m.call(owner, "Accounts", "approve", m.at["Operators"].address, account, bystanders=True)
    m.call(owner, "Operators", "grant", account, BOT.address, terms(m.world.now + LIFE_SEC, roles, *allowances))


def _left(m: Machine, account: int, token_id: int) -> int:
    """What is left of the day, as the chain and as the events have it."""
    left = int(m.ask_next("Operators", "allowanceOf", account, BOT.address, token_id)[0])
    found = {who.lower(): grant for (of, who), grant in m.world.state.operators.items() if of == account}
    rebuilt = found[BOT.address.lower()].left_of(token_id, m.client.block_ts() + 1)
    m.require(rebuilt == left, "I-09", f"allowance of {account}: {left}, rebuilt {rebuilt}")
    return left


@rule("user", 4)
def operator_withdraws(m: Machine) -> None:
    """To the owner, up to the day's limit, within the margin; revoked, no more."""
    account, symbol = m.rng.choice(m.traders), m.rng.choice(["USDC", "WETH"])
    held, token, token_id = held_raw(m, account, symbol), m.at[symbol], m.base.deployment.tokens[symbol].token_id
    if held <= 0:
        return
    owner, may = owner_of(m, account), {"Vault__AboveOutflow"} | (set() if is_free(m, account) else SHORT)
    _grant(m, account, ALL_ROLES, token_id, any_amount(m, held))
    before = token.call("balanceOf", owner.address)
    amount = m.rng.randint(1, _left(m, account, token_id))
    withdraw = (BOT, "Operators", "withdraw", account, token.address)
    if is_above_cash(m, account, symbol, amount):
        may = {"Accounts__InsufficientCash"}
    done = m.call(*withdraw, amount, may=may, own=[account], bystanders=True)
    gained, kept = token.call("balanceOf", owner.address) - before, token.call("balanceOf", BOT.address)
    m.require(gained == (amount if done.passed else 0) and kept == 0, "I-16", f"owner {gained}, operator {kept}")
    m.call(*withdraw, _left(m, account, token_id) + 1, must="Operators__AboveAllowance")
    m.call(m.rng.choice([owner, BOT]), "Operators", "revoke", account, BOT.address)
    m.call(*withdraw, 1, must="Operators__NotOperator")


@rule("user", 3)
def operator_acts(m: Machine) -> None:
    """Mode and isolation, as the owner could."""
    account = m.rng.choice(m.traders)
    owner, snapshot = owner_of(m, account), m.snapshot(account)
    _grant(m, account, MODE | ISOLATE)
    weak = {"Accounts__Unhealthy"} | NO_MARGIN
    mode = m.rng.randint(0, 2)
    m.call(BOT, "Operators", "setMode", account, mode, may=weak, own=[account], bystanders=True)
    if snapshot.positions and len(m.ids) < MAX_ACCOUNTS:
        cash = max(snapshot.cashWad, 0) * m.rng.choice([0, 3, 7]) // 10
        may = weak | {"Accounts__InsufficientCash"} | SHORT
        word = m.rng.choice(snapshot.positions)
        done = m.call(BOT, "Operators", "isolate", account, word, 1, 0, cash, may=may, own=[account])
        for event in done.named("AccountOpened"):
            m.world.owners[event.values["accountId"]] = owner
            m.require(event.values["owner"].lower() == owner.address.lower(), "I-16", f"isolated to {event.values}")
    m.call(owner, "Operators", "revoke", account, BOT.address)


@rule("attacker", 5)
def operator_beyond_its_roles(m: Machine) -> None:
    """Every role that is missing, every other door, another account, and what is left when the grant has ended."""
    account, usdc = m.rng.choice(m.traders), m.at["USDC"].address
    owner, here, roles = owner_of(m, account), BOT.address, m.rng.randint(1, ALL_ROLES - 1)
    _grant(m, account, roles)
    role_calls: dict[int, tuple[Any, ...]] = {
        WITHDRAW: ("withdraw", account, usdc, 1),
        MODE: ("setMode", account, 1),
        ISOLATE: ("isolate", account, 0, 1, 0, 0),
    }
    for role, call in role_calls.items():
        if not roles & role:
            m.call(BOT, "Operators", *call, must="Operators__RoleMissing")
    if roles & WITHDRAW:
        m.call(BOT, "Operators", "withdraw", account, m.at["WETH"].address, 1, must="Operators__AboveAllowance")
        m.call(BOT, "Operators", "withdraw", account, usdc, 2**256 - 1, must="Operators__AboveAllowance")
    more = terms(m.world.now + LIFE_SEC, ALL_ROLES, (0, FAR))
    doors: list[tuple[tuple[Any, ...], str]] = [
        (("Vault", "withdraw", account, usdc, 1, here), "Vault__NotAuthorised"),
        (("Vault", "borrow", account, 1, here), "Vault__NotAuthorised"),
        (("Accounts", "setMode", account, 1), "Accounts__NotOwner"),
        (("Accounts", "close", account), "Accounts__NotOwner"),
        (("Accounts", "transferFrom", owner.address, here, account), "ERC721InsufficientApproval"),
        (("Operators", "grant", account, here, more), "Operators__NotOwner"),
        (("Delegation", "grant", account, here, trading_terms(FAR % 2**40)), "Delegation__NotOwner"),
    ]
    for call, error in m.rng.sample(doors, 3):
        m.call(BOT, *call, must=error)
    other = m.rng.choice([of for of in m.ids if of != account])
    m.call(BOT, "Operators", "withdraw", other, usdc, 1, must="Operators__NotOperator")
    held = role_calls[roles & -roles]
    m.call(owner, "Accounts", "approve", "0x" + "0" * 40, account)
    m.call(BOT, "Operators", *held, must="Operators__NotApproved")
    # A transfer ends the grant for good, one to oneself too.
    m.call(owner, "Accounts", "transferFrom", owner.address, owner.address, account)
    m.call(owner, "Accounts", "approve", m.at["Operators"].address, account)
    m.call(BOT, "Operators", *held, must="Operators__NotOperator")
