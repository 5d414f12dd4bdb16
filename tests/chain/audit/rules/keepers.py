"""What relayers of prices and settlements do."""

from __future__ import annotations

from plimsoll.model import Kind
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.market import bare_round, market, post
from tests.chain.audit.rules.orders import fill
from tests.chain.audit.rules.registry import HIGH, LOW, MAX_ACCOUNTS, rule
from tests.chain.invariants.world import ETH, STRANGER, TRADERS


@rule("keeper", 14)
def round_(m: Machine) -> None:
    move = m.rng.choice([-0.22, -0.1, -0.02, -0.001, 0.001, 0.02, 0.1, 0.22])
    post(m, min(max(m.world.spot * (1 + move), LOW), HIGH))


@rule("keeper", 3)
def round_again(m: Machine) -> None:
    """A racing relayer changes nothing and is not refused."""
    market(m, m.world.spot)
    done = m.send(
        STRANGER, m.world.poster.address, m.world.poster.round_call(bare_round(m, m.world.round_ts)), "Oracle.postRound"
    )
    assert not done.named("RoundPosted")


@rule("keeper", 4)
def pass_time(m: Machine) -> None:
    m.world.pass_time(m.rng.choice([60, 600, 3_000]))


@rule("keeper", 6)
def settle(m: Machine) -> None:
    world = m.world
    for expiry in world.expiries:
        if expiry in world.settled or world.now < expiry:
            continue
        samples = [(expiry - 1_800 + 300 * n, world.spot + n) for n in range(1, 7)]
        data = world.poster.settlement_call("ETH", expiry, samples)
        m.send(STRANGER, world.poster.address, data, "Oracle.postSettlement")
        m.call(STRANGER, "Settlement", "settle", ETH, expiry, m.ids)
        world.settled.add(expiry)
        m.send(STRANGER, world.poster.address, data, "Oracle.postSettlement", must="Oracle__AlreadySettled")


@rule("keeper", 3)
def settle_early(m: Machine) -> None:
    later = [e for e in m.world.expiries if e not in m.world.settled]
    if later:
        m.call(STRANGER, "Settlement", "settle", ETH, later[-1], m.ids, must="Oracle__NotSettled")


@rule("keeper", 4)
def bankrupt(m: Machine) -> None:
    """A future settles far beyond the cash of its account, before anybody liquidates: the debt left over is cleared."""
    world, expiry = m.world, m.world.expiries[0]
    if expiry in world.settled or expiry <= world.now + 300 or len(m.ids) >= MAX_ACCOUNTS:
        return
    owner, usdc = m.rng.choice(TRADERS), m.at["USDC"].address
    opened = m.call(owner, "Vault", "openAndDeposit", 0, usdc, m.rng.randint(10**9, 3 * 10**9), bystanders=True)
    account = opened.named("AccountOpened")[0].values["accountId"]
    world.owners[account] = owner
    if not fill(m, (account, m.maker), Kind.FUTURE, 1, expiry):
        return
    for _ in range(2):
        post(m, max(world.spot * 0.78, LOW))
    world.pass_time(max(expiry - world.now, 1))
    settle(m)
    snapshot = m.snapshot(account)
    if snapshot.cashWad < 0:
        m.call(STRANGER, "Auction", "writeOff", account)
