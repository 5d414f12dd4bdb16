"""What the owners of accounts do."""

from __future__ import annotations

from plimsoll.chain.anvil import wallet
from plimsoll.chain.revert import RevertError
from plimsoll.model import Kind
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.orders import fill, signed_fill
from tests.chain.audit.rules.registry import (
    CASH,
    MAX_ACCOUNTS,
    NO_MARGIN,
    SHORT,
    any_amount,
    held_raw,
    is_above_cash,
    is_free,
    owner_of,
    refill_raw,
    rule,
)
from tests.chain.helpers.delegation import terms
from tests.chain.invariants.world import MAKER, RAW_PER_CASH, STRANGER, TRADERS, WAD


@rule("user", 10)
def deposit_cash(m: Machine) -> None:
    account = m.rng.choice(m.traders)
    amount = any_amount(m, 20_000 * RAW_PER_CASH)
    m.call(owner_of(m, account), "Vault", "deposit", account, m.at["USDC"].address, amount, bystanders=True)


@rule("user", 2)
def deposit_for_another(m: Machine) -> None:
    """Nobody puts anything into an account of another."""
    account = m.rng.choice(m.traders)
    if owner_of(m, account) is not MAKER:
        for token in ("USDC", "WETH"):
            m.call(MAKER, "Vault", "deposit", account, m.at[token].address, 1, must="Vault__NotAuthorised")


@rule("user", 8)
def deposit_collateral(m: Machine) -> None:
    account = m.rng.choice(m.traders)
    m.call(owner_of(m, account), "Vault", "deposit", account, m.at["WETH"].address, any_amount(m, 2 * WAD))


@rule("user", 8)
def withdraw_some(m: Machine) -> None:
    account, token = m.rng.choice(m.traders), m.rng.choice(["USDC", "WETH"])
    held = held_raw(m, account, token)
    if held <= 0:
        return
    amount = m.rng.randint(1, held)
    owner, address = owner_of(m, account), m.at[token].address
    if is_above_cash(m, account, token, amount):
        values = (account, address, amount, owner.address)
        m.call(owner, "Vault", "withdraw", *values, must="Accounts__InsufficientCash")
        return
    free = is_free(m, account)
    may = {"Vault__AboveOutflow"} | (set() if free else SHORT)
    m.call(owner, "Vault", "withdraw", account, address, amount, owner.address, may=may, own=[account], bystanders=True)


@rule("user", 10)
def withdraw_to_the_unit(m: Machine) -> None:
    """What the preview calls the largest amount passes, one unit more does not; a bucket refills until the call."""
    account, token = m.rng.choice(m.traders), m.rng.choice(["USDC", "WETH"])
    owner, address = owner_of(m, account), m.at[token].address
    try:
        most = m.at["ActionPreview"].call("maxWithdraw", account, address)
    except RevertError as unknown:
        m.call(owner, "Vault", "withdraw", account, address, 1, owner.address, must=unknown.name)
        return
    above = "Accounts__InsufficientCash" if token == CASH else "Accounts__InsufficientCollateral"
    held, more = held_raw(m, account, token), most + 1
    if most < held and not is_above_cash(m, account, token, most + 1):
        token_id = m.base.deployment.tokens[token].token_id
        limit = m.at["Vault"].call("limitOf", account, token_id)
        above = "Vault__AboveOutflow" if most == limit else "MarginEngine__BelowInitial"
        if most == limit:
            more += refill_raw(m, token)
    if more <= held or above != "Vault__AboveOutflow":
        m.call(owner, "Vault", "withdraw", account, address, more, owner.address, must=above)
    # Asked again for the block of its own: lines that run out have counted less since.
    most = m.ask_next("ActionPreview", "maxWithdraw", account, address)
    if not isinstance(most, RevertError) and most:
        m.call(owner, "Vault", "withdraw", account, address, most, owner.address, own=[account], bystanders=True)
    m.checks["I-15"] += 1


@rule("user", 24)
def trade(m: Machine) -> None:
    pair = m.rng.choice([(t, m.maker) for t in m.traders] + [(m.maker, t) for t in m.traders])
    fill(
        m,
        pair,
        m.rng.choice([Kind.PERP, Kind.PERP, Kind.FUTURE, Kind.CALL, Kind.PUT]),
        m.rng.choice([0.05, 0.3, 0.7, 1]),
    )


@rule("user", 4)
def trade_among_traders(m: Machine) -> None:
    fill(m, tuple(m.rng.sample(m.traders, 2)), Kind.PERP, m.rng.choice([0.1, 0.5]))


@rule("user", 3)
def cancel_then_fill(m: Machine) -> None:
    found = signed_fill(m, (m.rng.choice(m.traders), m.maker), Kind.PERP, 0.1)
    assert found is not None
    buy = found[0]
    m.call(owner_of(m, buy[0]), "Exchange", "cancel", buy[5])
    m.call(STRANGER, "Exchange", "settle", *found, must="Exchange__Cancelled")


@rule("user", 4)
def change_mode(m: Machine) -> None:
    account = m.rng.choice(m.traders)
    may = {"Accounts__Unhealthy"} | NO_MARGIN
    m.call(
        owner_of(m, account),
        "Accounts",
        "setMode",
        account,
        m.rng.randint(0, 2),
        may=may,
        own=[account],
        bystanders=True,
    )


@rule("user", 4)
def isolate(m: Machine) -> None:
    account = m.rng.choice(m.traders)
    snapshot = m.snapshot(account)
    if not snapshot.positions or len(m.ids) >= MAX_ACCOUNTS:
        return
    owner = owner_of(m, account)
    cash = max(snapshot.cashWad, 0) * m.rng.choice([0, 3, 7, 11]) // 10
    may = {"Accounts__Unhealthy", "Accounts__InsufficientCash"} | SHORT
    done = m.call(
        owner, "Accounts", "isolate", account, m.rng.choice(snapshot.positions), 1, 0, cash, may=may, own=[account]
    )
    for event in done.named("AccountOpened"):
        m.world.owners[event.values["accountId"]] = owner


@rule("user", 2)
def open_account(m: Machine) -> None:
    if len(m.ids) >= MAX_ACCOUNTS:
        return
    owner = m.rng.choice(TRADERS)
    done = m.call(owner, "Accounts", "open", owner.address, m.rng.randint(0, 2), bystanders=True)
    m.world.owners[done.named("AccountOpened")[0].values["accountId"]] = owner


@rule("user", 2)
def transfer_account(m: Machine) -> None:
    account, to = m.rng.choice(m.traders), m.rng.choice(TRADERS)
    owner = owner_of(m, account)
    m.call(owner, "Accounts", "transferFrom", owner.address, to.address, account, bystanders=True)
    m.world.owners[account] = to


@rule("user", 3)
def trader_key(m: Machine) -> None:
    """Grant, sign with the key, revoke; revoked, the key counts for nothing."""
    account, key = m.rng.choice(m.traders), wallet("trader key")
    owner, world = owner_of(m, account), m.world
    m.call(owner, "Delegation", "grant", account, key.address, terms(world.now + 7_200))
    owners, world.owners = world.owners, {**world.owners, account: key}
    first = signed_fill(m, (account, m.maker), Kind.PERP, 0.05)
    second = signed_fill(m, (account, m.maker), Kind.PERP, 0.05)
    world.owners = owners
    assert first is not None
    assert second is not None
    m.call(STRANGER, "Exchange", "settle", *first, may=SHORT, own=[account, m.maker], bystanders=True)
    m.call(owner, "Delegation", "revoke", account, key.address)
    m.call(STRANGER, "Exchange", "settle", *second, must="Delegation__NotDelegate")


@rule("user", 3)
def accrue(m: Machine) -> None:
    m.call(STRANGER, "Accounts", "accrue", list(range(len(m.page))), bystanders=True)
