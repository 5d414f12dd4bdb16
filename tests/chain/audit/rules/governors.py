"""What governors and guardians do."""

from __future__ import annotations

from plimsoll.chain.anvil import wallet
from plimsoll.chain.revert import RevertError
from plimsoll.model import Kind
from plimsoll.protocol.rounds import RoundPoster
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.liquidators import liquidate_account
from tests.chain.audit.rules.market import bare_round, post
from tests.chain.audit.rules.orders import fill, signed_fill
from tests.chain.audit.rules.registry import any_amount, held_raw, is_in_need, owner_of, rule
from tests.chain.invariants.world import ADMIN, ETH, FUND, MAKER, RAW_PER_CASH, SIGNERS, STRANGER, WAD


@rule("governor", 4)
def change_parameters(m: Machine) -> None:
    """A new price range, requirement or haircut; now and then with a grace."""
    book, pick = m.at["ScenarioBook"], m.rng.random()
    if pick < 0.4:
        params = book.call("bookOf", ETH).params
        params.priceRangeWad = m.rng.choice([9, 18, 27, 32]) * WAD // 100
        m.call(ADMIN, "ScenarioBook", "setBook", ETH, params, book.call("bookOf", ETH).rows)
    elif pick < 0.6:
        params = book.call("accountParams")
        params.imFactorWad = m.rng.choice([10, 12]) * WAD // 10
        params.mmFactorWad = m.rng.choice([6, 8, 10]) * WAD // 10
        m.call(ADMIN, "ScenarioBook", "setAccountParams", params)
    elif pick < 0.8:
        params = book.call("collateralOf", 1)
        params.haircutWad = m.rng.choice([10, 20, 50]) * WAD // 100
        m.call(ADMIN, "ScenarioBook", "setCollateral", 1, params)
    else:
        m.call(ADMIN, "ScenarioBook", "setGrace", m.rng.choice([0, 600, 86_400]))


@rule("governor", 4)
def raise_within_a_grace(m: Machine) -> None:
    """Whoever is short by the raise alone is left alone until the grace is over, and not a second longer."""
    book, account = m.at["ScenarioBook"], m.rng.choice(m.traders)
    params = book.call("bookOf", ETH).params
    fill(m, (account, m.maker), Kind.PERP, 1)
    m.call(ADMIN, "ScenarioBook", "setGrace", 3_600)
    params.priceRangeWad = 32 * WAD // 100
    m.call(ADMIN, "ScenarioBook", "setBook", ETH, params, book.call("bookOf", ETH).rows)
    margin = m.margin(account)
    liquidate_account(m, account)
    if m.rng.random() < 0.5 and not isinstance(margin, RevertError):
        m.world.pass_time(3_600)
        post(m, m.world.spot)
        liquidate_account(m, account)
    m.call(ADMIN, "ScenarioBook", "setGrace", 0)


@rule("governor", 3)
def preview_parameters(m: Machine) -> None:
    """Sent as a transaction it passes and changes nothing; the book would refuse what it refuses."""
    book = m.at["ScenarioBook"]
    params = book.call("accountParams")
    params.imFactorWad = 3 * WAD
    calls = [book.encode("setAccountParams", params)]
    m.call(STRANGER, "ParameterPreview", "previewParameters", calls, m.ids, bystanders=True)
    params.imFactorWad = 11 * WAD
    refused = [book.encode("setAccountParams", params)]
    refusal = "ScenarioBook__ParameterOutOfRange"
    m.call(STRANGER, "ParameterPreview", "previewParameters", refused, m.ids, must=refusal)
    m.call(STRANGER, "ParameterPreview", "simulate", calls, m.ids, must="ParameterPreview__Result")


@rule("governor", 3)
def rotate_signers(m: Machine) -> None:
    """Former signers count for nothing at once; a signature of the new ones does."""
    fresh = sorted((wallet(f"fresh signer {n}") for n in range(2)), key=lambda s: int(s.address, 16))
    world, now = m.world, sorted((s.address for s in SIGNERS), key=lambda a: int(a, 16))
    m.call(ADMIN, "Oracle", "setSigners", [s.address for s in fresh], 2)
    post(m, world.spot, must="Oracle__BadSigner")
    keep, world.poster = world.poster, RoundPoster(world.client, world.deployment, fresh)
    post(m, world.spot)
    world.poster = keep
    m.call(ADMIN, "Oracle", "setSigners", now, 2)


@rule("governor", 3)
def caps(m: Machine) -> None:
    account, usdc = m.rng.choice(m.traders), m.at["USDC"].address
    was = m.at["Vault"].call("tokenOf", 0).capRaw
    m.call(ADMIN, "Vault", "setCap", 0, 1)
    must = "" if is_in_need(m, account) else "Vault__CapExceeded"
    m.call(owner_of(m, account), "Vault", "deposit", account, usdc, 1, must=must)
    m.call(ADMIN, "Vault", "setCap", 0, was)


@rule("governor", 5)
def pause(m: Machine) -> None:
    """The guardian stops one contract; what stays open stays open."""
    name = m.rng.choice(["Oracle", "Vault", "Exchange", "Auction"])
    if m.world.now + 60 < m.at[name].call("pauseTimes")[1]:
        m.call(ADMIN, name, "pause", must="ExpiringPause__TooSoon")
        return
    m.world.pass_time(60)
    m.call(ADMIN, name, "pause")
    account, usdc, weth = m.rng.choice(m.traders), m.at["USDC"].address, m.at["WETH"].address
    owner = owner_of(m, account)
    if name == "Oracle":
        post(m, m.world.spot, must="ExpiringPause__Paused")
    elif name == "Exchange":
        found = signed_fill(m, (account, m.maker), Kind.PERP, 0.1)
        assert found is not None
        m.call(STRANGER, "Exchange", "settle", *found, must="ExpiringPause__Paused")
        m.call(owner, "Exchange", "cancel", found[0][5])
    elif name == "Auction":
        m.call(STRANGER, "Auction", "start", account, must="ExpiringPause__Paused")
    else:
        must = "" if is_in_need(m, account) else "ExpiringPause__Paused"
        m.call(owner, "Vault", "deposit", account, usdc, 1, must=must)
        m.call(owner, "Vault", "withdraw", account, weth, 1, owner.address, must="Vault__OnlyIdleCash")
        busy = bool(m.snapshot(account).positions)
        enough = held_raw(m, account, "USDC") > 0
        must = "Vault__OnlyIdleCash" if busy else "" if enough else "Accounts__InsufficientCash"
        m.call(owner, "Vault", "withdraw", account, usdc, 1, owner.address, must=must)
    m.call(ADMIN, name, "unpause")


@rule("governor", 3)
def fund(m: Machine) -> None:
    held = m.at["InsuranceFund"].call("balanceWad")
    amount = m.rng.choice([max(held, 0) // 2, max(held, 0) + 1])
    must = "InsuranceFund__InsufficientCash" if amount > held else ""
    m.call(ADMIN, "InsuranceFund", "withdraw", m.maker, amount, must=must)
    m.call(MAKER, "Vault", "deposit", FUND, m.at["USDC"].address, any_amount(m, 300 * RAW_PER_CASH))


@rule("governor", 2)
def limits(m: Machine) -> None:
    """A tighter limit refuses a jump; the old one is put back."""
    oracle = m.at["Oracle"]
    heartbeat, *most = (oracle.call(name) for name in ("heartbeatSec", "maxMoveWad", "maxVarianceMoveWad"))
    m.call(ADMIN, "Oracle", "setLimits", heartbeat, WAD // 100, WAD)
    if m.world.now < m.world.round_ts + heartbeat - 10:
        m.world.pass_time(1)
        data = m.world.poster.round_call(bare_round(m, m.world.now, m.world.spot * 100))
        m.send(ADMIN, m.world.poster.address, data, "Oracle.postRound", must="Oracle__TooFast")
    m.call(ADMIN, "Oracle", "setLimits", heartbeat, *most)
