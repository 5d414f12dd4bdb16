"""Who enters and leaves a strategy vault, who settles it, and what its trader key tries."""

from __future__ import annotations

from typing import Any

from plimsoll.chain.revert import RevertError
from plimsoll.chain.signing import sign
from plimsoll.model import Kind
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.market import post
from tests.chain.audit.rules.registry import NO_MARGIN, SHORT, any_amount, owner_of, rule
from tests.chain.audit.strategy import KEY, MANAGER
from tests.chain.helpers.orders import LIMIT, UNCONDITIONAL
from tests.chain.invariants.world import MAX_FEE, STRANGER, WAD, WAD_PER_RAW

VAULT = "StrategyVault"
VIRTUAL = 10**6
MOST_RAW = 100_000 * 10**6
#: What rounding leaves in the vault for each claim.
DUST = 10_000
#: More than the clock of a signer may be ahead.
LATER_SEC = 20
PENDING = {"StrategyVault__RequestPending"}
NOT_YET = {"StrategyVault__NothingToSettle", "StrategyVault__NoNewRound"} | NO_MARGIN
NOT_WITHIN = {
    *("Delegation__DeltaLimit", "Delegation__GammaLimit", "Delegation__VegaLimit", "Delegation__LossLimit"),
    *("Delegation__Expired", "Delegation__NotDelegate", "ExpiringPause__Paused", "Exchange__InstrumentPaused"),
    *("Accounts__OpenInterestAboveCap", "Accounts__UtilisationAboveCap", "Exchange__FeeAboveLimit"),
}


def _covered(m: Machine) -> None:
    """What the vault owes for requests and claims is what it holds."""
    vault = m.at[VAULT]
    raw, shares = int(vault.call("idleRaw")), 0
    # Whoever sold its last account may still have handed something in.
    for who in {owner.address for owner in (*m.base.owners.values(), *m.world.owners.values())}:
        entry, exit_ = vault.call("requestsOf", who)
        raw += entry.pendingRaw + exit_.claimRaw
        shares += entry.claimShares + exit_.shares - exit_.seenShares
    spare = m.at["USDC"].call("balanceOf", vault.address) - raw
    kept = vault.call("balanceOf", vault.address) - shares
    m.require(0 <= spare <= DUST and 0 <= kept <= DUST, "I-20", f"{spare} raw and {kept} shares beyond what is owed")


def _person(m: Machine) -> Any:
    return owner_of(m, m.rng.choice(m.traders))


@rule("user", 6)
def strategy_enters(m: Machine) -> None:
    """For oneself, and for nobody else."""
    who, amount = _person(m), any_amount(m, MOST_RAW)
    m.call(who, VAULT, "requestDeposit", amount, who.address, who.address, may=PENDING)
    m.call(STRANGER, VAULT, "requestDeposit", amount, who.address, who.address, must="StrategyVault__NotOperator")
    m.call(who, VAULT, "previewDeposit", amount, must="StrategyVault__Asynchronous")
    _covered(m)


@rule("user", 5)
def strategy_leaves(m: Machine) -> None:
    """With some of the shares; a stranger with none of them."""
    who = _person(m)
    held = m.at[VAULT].call("balanceOf", who.address)
    if not held:
        return
    m.call(
        who, VAULT, "requestRedeem", m.rng.choice([held, any_amount(m, held)]), who.address, who.address, may=PENDING
    )
    m.call(STRANGER, VAULT, "requestRedeem", 1, STRANGER.address, who.address, must="ERC20InsufficientAllowance")
    _covered(m)


@rule("user", 3)
def strategy_claims(m: Machine) -> None:
    """What is settled, and not a unit more."""
    _claim(m, _person(m))


def _claim(m: Machine, who: Any) -> None:
    vault = m.at[VAULT]
    for most, claim in (("maxDeposit", "deposit(uint256,address,address)"), ("maxRedeem", "redeem")):
        limit = vault.call(most, who.address)
        m.call(who, VAULT, claim, limit + 1, who.address, who.address, must="StrategyVault__AboveClaimable")
        if limit:
            m.call(who, VAULT, claim, m.rng.choice([limit, any_amount(m, limit)]), who.address, who.address)
    _covered(m)


@rule("keeper", 8)
def strategy_settles(m: Machine) -> None:
    """Neither an entry nor an exit lowers what a share is worth; mostly at a round that is new enough."""
    vault = m.at[VAULT]
    if m.rng.random() < 0.8:
        m.world.pass_time(LATER_SEC)
        post(m, m.world.spot)
    before = m.ask_next(VAULT, "valueNow")
    supply, fee = vault.call("totalSupply"), vault.call("balanceOf", MANAGER.address)
    done = m.call(STRANGER, VAULT, "settle", may=NOT_YET)
    _covered(m)
    if not done.passed or isinstance(before, RevertError):
        return
    after = m.ask_next(VAULT, "valueNow")
    supply += vault.call("balanceOf", MANAGER.address) - fee
    left, right = (
        (after.valueWad + WAD_PER_RAW) * (supply + VIRTUAL),
        (before.valueWad + WAD_PER_RAW) * (vault.call("totalSupply") + VIRTUAL),
    )
    m.require(left >= right or before.valueWad < 0, "I-20", f"value {before.valueWad} to {after.valueWad}")
    for account in m.traders:
        if m.rng.random() < 0.7:
            _claim(m, owner_of(m, account))


@rule("attacker", 4)
def strategy_key_trades(m: Machine) -> None:
    """Within its mandate at any price; it takes nothing else."""
    world, vault = m.world, m.at[VAULT]
    account = int(vault.call("accountId"))
    m.call(KEY, VAULT, "renew", may=NO_MARGIN | {"StrategyVault__IsStopped"})
    price = round(world.spot * m.rng.choice([0.9, 1.0, 1.0, 1.0, 1.1]) * 100) * WAD // 100
    quantity, is_buy = any_amount(m, 200 * WAD), m.rng.random() < 0.5
    quantity = max(quantity, 10**12)
    instrument = world.instrument(Kind.PERP, 0, 0)
    made = world.order(m.maker, instrument, not is_buy, quantity, price)
    world.nonce += 1
    tail = (world.nonce, world.now + 3_600, KEY.address, LIMIT, False, MAX_FEE, world.transfers(account))
    taken = (account, instrument, is_buy, quantity, price, *tail, *UNCONDITIONAL)
    primary, types = world.order_types
    message = dict(zip((entry["name"] for entry in types[primary]), taken, strict=True))
    signature = sign(KEY, world.order_domain, primary, types, message)
    values = (made, world.signed(made), taken, signature, quantity)
    m.call(STRANGER, "Exchange", "settle", *values, may=NOT_WITHIN | SHORT)
    m.call(KEY, "Accounts", "setMode", account, 1, must="Accounts__NotOwner")
    m.call(KEY, VAULT, "setTrader", KEY.address, must="AccessManagedUnauthorized")
    _covered(m)
