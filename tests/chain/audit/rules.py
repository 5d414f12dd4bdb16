"""What users, keepers, governors and attackers do; a rule is drawn by its weight and decides what its calls must do.

An error is asked for by name (`must`) where the state decides it, and allowed (`may`) where the rule cannot know the
margin number beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from offchain.chain.client import RevertError, wallet
from offchain.chain.rounds import RoundPoster
from offchain.model import Kind, Round
from tests.chain.audit.machine import Machine
from tests.chain.helpers.delegation import terms
from tests.chain.invariants.world import (
    ADMIN,
    ETH,
    FAR,
    FUND,
    MAKER,
    RAW_PER_CASH,
    SIGNERS,
    STRANGER,
    TRADERS,
    WAD,
    WAD_PER_RAW,
)

#: What stands in the way of a margin number when the market is stale or a position has expired.
NO_MARGIN = frozenset({"Oracle__Stale", "Oracle__ExpiryNotInRound"})
SHORT = frozenset({"MarginEngine__BelowInitial"}) | NO_MARGIN
CASH = "USDC"
MAX_ACCOUNTS = 10
LOW, HIGH = 500.0, 8_000.0
#: What the preview calls by a name of its own.
PREVIEWED = {"ActionPreview__LossTooLarge": "Accounts__LossTooLarge"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of action."""

    name: str
    role: str
    weight: int
    run: Callable[[Machine], None]


RULES: list[Rule] = []


def rule(role: str, weight: int) -> Callable[[Callable[[Machine], None]], Callable[[Machine], None]]:
    """Register a rule under the name of its function."""

    def add(run: Callable[[Machine], None]) -> Callable[[Machine], None]:
        RULES.append(Rule(run.__name__.replace("_", " ").strip(), role, weight, run))
        return run

    return add


def excess(margin: Any, requirement: str) -> int:
    return int(margin.equityWad) - int(getattr(margin, requirement))


def owner_of(m: Machine, account_id: int) -> Any:
    return m.world.owners[account_id]


def any_amount(m: Machine, most: int) -> int:
    """Between 1 and ``most``, every magnitude alike: dust and odd wei included."""
    return max(1, int(most * 10 ** -m.rng.uniform(0, 6))) if m.rng.random() < 0.8 else m.rng.randint(1, max(1, most))


# --- users


@rule("user", 10)
def deposit_cash(m: Machine) -> None:
    account = m.rng.choice(m.traders)
    amount = any_amount(m, 20_000 * RAW_PER_CASH)
    m.call(owner_of(m, account), "Vault", "deposit", account, m.at["USDC"].address, amount, bystanders=True)


@rule("user", 2)
def deposit_for_another(m: Machine) -> None:
    """Cash is welcome from anybody; collateral only from the owner."""
    account = m.rng.choice(m.traders)
    m.call(MAKER, "Vault", "deposit", account, m.at["USDC"].address, any_amount(m, 10**9), bystanders=True)
    if owner_of(m, account) is not MAKER:
        m.call(MAKER, "Vault", "deposit", account, m.at["WETH"].address, 1, must="Vault__NotAuthorised")


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
    free = is_free(m, account)
    may = () if free else SHORT
    m.call(owner, "Vault", "withdraw", account, address, amount, owner.address, may=may, own=[account], bystanders=True)


@rule("user", 10)
def withdraw_to_the_unit(m: Machine) -> None:
    """What the preview calls the largest amount passes, one unit more does not."""
    account, token = m.rng.choice(m.traders), m.rng.choice(["USDC", "WETH"])
    owner, address = owner_of(m, account), m.at[token].address
    try:
        most = m.at["ActionPreview"].call("maxWithdraw", account, address)
    except RevertError as unknown:
        m.call(owner, "Vault", "withdraw", account, address, 1, owner.address, must=unknown.name)
        return
    above = "Accounts__InsufficientCash" if token == CASH else "Accounts__InsufficientCollateral"
    if most < held_raw(m, account, token):
        above = "MarginEngine__BelowInitial"
    m.call(owner, "Vault", "withdraw", account, address, most + 1, owner.address, must=above)
    if most:
        m.call(owner, "Vault", "withdraw", account, address, most, owner.address, own=[account], bystanders=True)
    m.checks["I-15"] += 1


def held_raw(m: Machine, account: int, token: str) -> int:
    snapshot = m.snapshot(account)
    if token == CASH:
        return max(snapshot.cashWad, 0) // WAD_PER_RAW
    return dict(zip(snapshot.tokenIds, snapshot.amountsWad, strict=True)).get(1, 0)


def is_free(m: Machine, account: int) -> bool:
    """Whether the account needs no margin number."""
    return not m.snapshot(account).positions and m.snapshot(account).cashWad >= 0


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


def fill(m: Machine, pair: Any, kind: Kind, load: float, expiry: int = 0) -> bool:
    """Both sign; a stranger settles."""
    found = signed_fill(m, pair, kind, load, expiry)
    if found is None:
        return False
    return m.call(STRANGER, "Exchange", "settle", *found, may=SHORT, own=pair, bystanders=True).passed


def signed_fill(m: Machine, pair: Any, kind: Kind, load: float, expiry: int = 0) -> tuple[Any, ...] | None:
    world, (buyer, seller) = m.world, pair
    if kind is not Kind.PERP and not expiry:
        expiry = m.rng.choice(world.expiries)
    if kind is not Kind.PERP and expiry <= world.now + 60:
        return None
    is_option = kind in (Kind.CALL, Kind.PUT)
    instrument = world.instrument(kind, expiry, m.rng.choice([1_800, 2_000, 2_200]) if is_option else 0)
    trader = seller if buyer == m.maker else buyer
    quantity = int(load * max(m.snapshot(trader).cashWad, WAD) / (0.25 * world.spot)) + m.rng.randint(1, 10**9)
    price = int(world.spot * (0.03 if is_option else 1)) * WAD + m.rng.randint(0, 10**7) * 10**10
    return world.fill(buyer, seller, instrument, quantity, price)


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


# --- keepers


def post(m: Machine, spot: float, **judged: Any) -> None:
    """A round and token prices a second later."""
    m.world.pass_time(1)
    market(m, spot, **judged)


def market(m: Machine, spot: float, **judged: Any) -> None:
    """Post what `World.post_market` would, as judged calls; no funding, see `Machine.begin`."""
    world, sent = m.world, []
    keep, world.poster.send = world.poster.send, lambda _, data: sent.append(data)  # type: ignore[method-assign,assign,misc]
    send, world.send = world.send, lambda *_: None  # type: ignore[method-assign,assign,misc,return-value]
    old = (world.spot, world.round_ts)
    world.post_market(spot)
    world.poster.send = keep  # type: ignore[method-assign]
    world.send = send  # type: ignore[method-assign]
    if judged:
        (world.spot, world.round_ts) = old
    for data, function in zip(sent, ("postRound", "postTokenPrices"), strict=True):
        m.send(ADMIN, world.poster.address, data, f"Oracle.{function}", **judged)


@rule("keeper", 14)
def round_(m: Machine) -> None:
    move = m.rng.choice([-0.22, -0.1, -0.02, -0.001, 0.001, 0.02, 0.1, 0.22])
    post(m, min(max(m.world.spot * (1 + move), LOW), HIGH))


@rule("keeper", 3)
def round_again(m: Machine) -> None:
    """A racing relayer changes nothing and is not refused."""
    market(m, m.world.spot)
    done = m.send(
        STRANGER, m.world.poster.address, m.world.poster.round_call(_round(m, m.world.round_ts)), "Oracle.postRound"
    )
    assert not done.named("RoundPosted")


def _round(m: Machine, ts: int, spot: float = 0.0) -> Round:
    return Round("ETH", ts, spot or m.world.spot, spot or m.world.spot, 1.0, ())


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


@rule("keeper", 8)
def liquidate(m: Machine) -> None:
    account = m.rng.choice(m.traders)
    _liquidate(m, account)


def in_grace(m: Machine, account: int, margin: Any) -> bool:
    """Whether only a change of parameters put the account below maintenance, and its grace runs."""
    if margin.marketEquityWad < 0 or m.world.now + 1 >= m.at["ScenarioBook"].call("graceEndTs"):
        return False
    prior = m.at["PriorMarginEngine"].call("marginOf", account)
    return excess(prior, "maintenanceWad") >= 0


def _liquidate(m: Machine, account: int) -> None:
    margin = m.margin(account)
    if isinstance(margin, RevertError):
        error = "Auction__AlreadyOpen" if m.auction(account).isOpen else margin.name
        m.call(STRANGER, "Auction", "start", account, must=error)
        return
    if not m.auction(account).isOpen:
        if excess(margin, "maintenanceWad") >= 0 and margin.marketEquityWad >= 0:
            m.call(STRANGER, "Auction", "start", account, must="Auction__NotLiquidatable")
            return
        must = "Auction__InGrace" if in_grace(m, account, margin) else ""
        if not m.call(STRANGER, "Auction", "start", account, must=must, bystanders=True).passed:
            return
    elif m.rng.random() < 0.3:
        m.call(STRANGER, "Auction", "start", account, must="Auction__AlreadyOpen")
    if excess(margin, "initialWad") >= 0:
        m.call(STRANGER, "Auction", "end", account, bystanders=True)
        return
    if m.rng.random() < 0.3:
        m.call(STRANGER, "Auction", "touch", account, bystanders=True)
    _bid(m, account, m.rng.choice([WAD // 100, WAD // 3, WAD, WAD]))


def _bid(m: Machine, account: int, fraction: int) -> None:
    """A bid by the maker: refused as the preview says, or done as the preview says, to the wei."""
    bidder, margin = m.maker, m.margin(account)
    bid = (owner_of(m, bidder), "Auction", "bid", account, bidder, fraction)
    quote = m.ask_next("Auction", "previewBid", account, fraction)
    solvent = isinstance(quote, RevertError) or quote.isSolvent
    if not isinstance(quote, RevertError) and m.rng.random() < 0.2:
        m.call(*bid, not solvent, FAR, must="Auction__WrongBranch")
    preview = m.ask_next("ActionPreview", "previewLiquidation", account, bidder, fraction)
    if isinstance(preview, RevertError):
        m.call(*bid, solvent, FAR if solvent else 0, must=PREVIEWED.get(preview.name, preview.name))
        return
    quote = preview.quote
    # Late in an auction a slice of an account above maintenance can cost more than it relieves.
    may = {"Auction__HarmfulBid"} if excess(margin, "maintenanceWad") >= 0 else set()
    must = "" if preview.isAllowed else "Auction__BidderBelowInitial"
    limit = FAR if quote.isSolvent else 0
    done = m.call(*bid, quote.isSolvent, limit, must=must, may=may, own=[bidder])
    if not done.passed:
        return
    m.check_liquidation(account)
    filled = done.named("BidFilled")[0].values
    seen = tuple(filled[name] for name in ("isSolvent", "fractionWad", "priceWad", "cashWad", "feeWad"))
    wanted = tuple(getattr(quote, name) for name in ("isSolvent", "fractionWad", "priceWad", "cashWad", "feeWad"))
    for account_id, foreseen in ((account, preview.accountAfter), (bidder, preview.bidderAfter)):
        now = m.margin(account_id)
        seen += (now.equityWad, now.marketEquityWad)
        wanted += (foreseen.equityWad, foreseen.marketEquityWad)
    m.require(seen == wanted, "I-14", f"account {account}: {seen}, foreseen {wanted}")


@rule("keeper", 10)
def crash(m: Machine) -> None:
    """Load a trader to the brim, move the price against him and liquidate: chance alone rarely gets there."""
    account = m.rng.choice(m.traders)
    is_long = m.rng.random() < 0.5
    fill(m, (account, m.maker) if is_long else (m.maker, account), Kind.PERP, 1)
    for _ in range(m.rng.choice([1, 1, 2])):
        spot = m.world.spot * (0.78 if is_long else 1.22)
        post(m, min(max(spot, LOW), HIGH))
    for _ in range(m.rng.choice([1, 3])):
        _liquidate(m, account)


@rule("keeper", 3)
def call_margin(m: Machine) -> None:
    """Whoever is called is looked at first: the end of a call is rarer than its start."""
    since = m.at["Auction"].call_many("marginCallTsOf", [[account] for account in m.traders])
    called = [account for account, ts in zip(m.traders, since, strict=True) if ts]
    account = m.rng.choice(called or m.traders)
    margin = m.margin(account)
    if isinstance(margin, RevertError):
        m.call(STRANGER, "Auction", "callMargin", account, must=margin.name)
        return
    same = (account in called) == (excess(margin, "initialWad") < 0)
    m.call(STRANGER, "Auction", "callMargin", account, must="Auction__CallUnchanged" if same else "", bystanders=True)


@rule("keeper", 3)
def write_off(m: Machine) -> None:
    account = m.rng.choice(m.traders)
    snapshot = m.snapshot(account)
    pure = not snapshot.positions and not snapshot.tokenIds and snapshot.cashWad < 0
    m.call(STRANGER, "Auction", "writeOff", account, must="" if pure else "Auction__NotPureDebt")


# --- governors


@rule("governor", 4)
def change_parameters(m: Machine) -> None:
    """A new price range, requirement or haircut; now and then with a grace."""
    book, pick = m.at["ScenarioBook"], m.rng.random()
    if pick < 0.4:
        params = book.call("bookOf", ETH).params
        params.priceRangeWad = m.rng.choice([9, 18, 27, 32]) * WAD // 100
        m.call(ADMIN, "ScenarioBook", "setBook", ETH, params, book.call("defaultRows", params.priceRangeWad))
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
    m.call(ADMIN, "ScenarioBook", "setBook", ETH, params, book.call("defaultRows", params.priceRangeWad))
    margin = m.margin(account)
    _liquidate(m, account)
    if m.rng.random() < 0.5 and not isinstance(margin, RevertError):
        m.world.pass_time(3_600)
        post(m, m.world.spot)
        _liquidate(m, account)
    m.call(ADMIN, "ScenarioBook", "setGrace", 0)


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
    m.call(owner_of(m, account), "Vault", "deposit", account, usdc, 1, must="Vault__CapExceeded")
    m.call(ADMIN, "Vault", "setCap", 0, was)


@rule("governor", 5)
def pause(m: Machine) -> None:
    """The guardian stops one contract; what stays open stays open."""
    name = m.rng.choice(["Oracle", "Vault", "Exchange", "Auction"])
    m.call(ADMIN, name, "pause")
    account, usdc, weth = m.rng.choice(m.traders), m.at["USDC"].address, m.at["WETH"].address
    owner = owner_of(m, account)
    if name == "Oracle":
        post(m, m.world.spot, must="EnforcedPause")
    elif name == "Exchange":
        found = signed_fill(m, (account, m.maker), Kind.PERP, 0.1)
        assert found is not None
        m.call(STRANGER, "Exchange", "settle", *found, must="EnforcedPause")
        m.call(owner, "Exchange", "cancel", found[0][5])
    elif name == "Auction":
        m.call(STRANGER, "Auction", "start", account, must="EnforcedPause")
    else:
        m.call(owner, "Vault", "deposit", account, usdc, 1, must="EnforcedPause")
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
    """A tighter deviation refuses a jump; the old one is put back."""
    oracle = m.at["Oracle"]
    heartbeat, most = oracle.call("heartbeatSec"), oracle.call("maxDeviationWad")
    m.call(ADMIN, "Oracle", "setLimits", heartbeat, WAD // 100)
    if m.world.now < m.world.round_ts + heartbeat - 10:
        # The token prices that follow a round know no deviation.
        m.world.pass_time(1)
        data = m.world.poster.round_call(_round(m, m.world.now, m.world.spot * 1.02))
        m.send(ADMIN, m.world.poster.address, data, "Oracle.postRound", must="Oracle__Deviation")
    m.call(ADMIN, "Oracle", "setLimits", heartbeat, most)


# --- attackers


@rule("attacker", 5)
def rob_an_account(m: Machine) -> None:
    account, usdc = m.rng.choice(m.ids), m.at["USDC"].address
    m.call(STRANGER, "Vault", "withdraw", account, usdc, 1, STRANGER.address, must="Vault__NotAuthorised")
    m.call(STRANGER, "Accounts", "setMode", account, 1, must="Accounts__NotOwner")
    m.call(STRANGER, "Accounts", "isolate", account, 0, 1, 0, 0, must="Accounts__NotOwner")
    m.call(STRANGER, "Delegation", "grant", account, STRANGER.address, terms(FAR % 2**40), must="Delegation__NotOwner")
    owner = owner_of(m, account).address
    m.call(STRANGER, "Accounts", "transferFrom", owner, STRANGER.address, account, must="ERC721InsufficientApproval")


@rule("attacker", 5)
def play_module(m: Machine) -> None:
    """Everything that only a module may do."""
    account = m.rng.choice(m.ids)
    word = m.world.instrument(Kind.PERP, 0, 0)
    calls: dict[str, tuple[Any, ...]] = {
        "applyTrade": ((account, m.maker, word, WAD, 2_000 * WAD),),
        "creditToken": (account, 0, WAD),
        "debitToken": (account, 0, 1),
        "moveCash": (m.maker, account, WAD),
        "transferSlice": (m.maker, account, WAD, 0),
        "settlePositions": (account, ETH, m.world.expiries[0], WAD),
        "socialise": (account, WAD),
    }
    name = m.rng.choice(sorted(calls))
    m.call(STRANGER, "Accounts", name, *calls[name], must="Accounts__NotModule")
    m.call(STRANGER, "InsuranceFund", "draw", account, account, 1, must="InsuranceFund__NotAuction")


@rule("attacker", 5)
def play_governor(m: Machine) -> None:
    """Every setter behind the access manager."""
    here, params = STRANGER.address, m.at["ScenarioBook"].call("accountParams")
    calls: list[tuple[Any, ...]] = [
        *(("Accounts", "setModule", here, True), ("Accounts", "setMarginEngine", here)),
        *(("Vault", "listToken", here, 1), ("Vault", "setCap", 0, 1), ("Vault", "pause"), ("Vault", "unpause")),
        *(("Oracle", "setSigners", [here], 1), ("Oracle", "setLimits", 1, 1), ("Oracle", "setSequencer", here, 0)),
        *(("Oracle", "setAggregator", 1, here, 1, 1), ("Oracle", "pause"), ("Oracle", "unpause")),
        *(("ScenarioBook", "setAccountParams", params), ("ScenarioBook", "setGrace", 0)),
        *(("Auction", "setPriorMargin", here), ("Auction", "pause"), ("Auction", "unpause")),
        *(("Exchange", "pause"), ("Exchange", "unpause")),
        *(("InsuranceFund", "setAuction", here), ("InsuranceFund", "withdraw", m.maker, 1)),
    ]
    for call in m.rng.sample(calls, 3):
        m.call(STRANGER, *call, must="AccessManagedUnauthorized")
    m.call(STRANGER, "Authority", "grantRole", 0, here, 0, must="AccessManagerUnauthorizedAccount")


@rule("attacker", 5)
def forge_an_order(m: Machine) -> None:
    pair = (m.rng.choice(m.traders), m.maker)
    found = signed_fill(m, pair, Kind.PERP, 0.05)
    assert found is not None
    buy, good, sell, other, quantity, *price = found
    settle = (STRANGER, "Exchange", "settle")
    m.call(*settle, buy, other, sell, good, quantity, *price, must="Exchange__BadSignature")
    m.call(*settle, buy, good, sell, other, quantity + 1, *price, must="Exchange__Overfilled")
    m.call(*settle, buy, good, sell, other, 0, *price, must="Exchange__ZeroQuantity")
    if m.call(*settle, *found, may=SHORT, own=pair, bystanders=True).passed:
        m.call(*settle, *found, must="Exchange__Overfilled")


@rule("attacker", 3)
def trade_with_oneself(m: Machine) -> None:
    account = m.rng.choice(m.traders)
    found = m.world.fill(account, account, m.world.instrument(Kind.PERP, 0, 0), WAD, int(m.world.spot) * WAD)
    m.call(STRANGER, "Exchange", "settle", *found, must="Exchange__SelfTrade")


@rule("attacker", 3)
def expired_order(m: Machine) -> None:
    found = signed_fill(m, (m.rng.choice(m.traders), m.maker), Kind.PERP, 0.05)
    assert found is not None
    m.world.pass_time(3_700)
    m.call(STRANGER, "Exchange", "settle", *found, must="Exchange__OrderExpired")
    post(m, m.world.spot)


@rule("attacker", 5)
def forge_a_round(m: Machine) -> None:
    world, oracle = m.world, m.at["Oracle"].address
    alone = RoundPoster(world.client, world.deployment, SIGNERS[:1])
    strangers = RoundPoster(world.client, world.deployment, [STRANGER, SIGNERS[0]])
    heartbeat = m.at["Oracle"].call("heartbeatSec")
    world.pass_time(2)
    now = world.now
    for data, error in (
        (alone.round_call(_round(m, now)), "Oracle__TooFewSignatures"),
        (strangers.round_call(_round(m, now)), "Oracle__BadSigner"),
        (world.poster.round_call(_round(m, now + 3_600)), "Oracle__FromFuture"),
        (world.poster.round_call(_round(m, now, world.spot * 1.4)), "Oracle__Deviation"),
    ):
        # After an outage the last round is no yardstick.
        if error == "Oracle__Deviation" and now > world.round_ts + heartbeat:
            continue
        m.send(STRANGER, oracle, data, "Oracle.postRound", must=error)


@rule("attacker", 4)
def bid_without_right(m: Machine) -> None:
    account, maker = m.rng.choice(m.traders), m.maker
    m.call(STRANGER, "Auction", "bid", account, maker, WAD, True, FAR, must="Auction__NotBidder")
    if m.auction(account).isOpen or isinstance(m.margin(account), RevertError):
        return
    m.call(MAKER, "Auction", "bid", account, maker, WAD, True, FAR, must="Auction__NotOpen")
    m.call(STRANGER, "Auction", "end", account, must="Auction__NotOpen")
    m.call(STRANGER, "Auction", "touch", account, must="Auction__NotOpen")


@rule("attacker", 3)
def bid_for_oneself(m: Machine) -> None:
    open_ = [account for account in m.traders if m.auction(account).isOpen]
    if not open_:
        return
    account = m.rng.choice(open_)
    quote = m.at["Auction"].call_many("previewBid", [[account, WAD]])[0]
    must = quote.name if isinstance(quote, RevertError) else "Accounts__SelfTrade"
    solvent = isinstance(quote, RevertError) or quote.isSolvent
    m.call(owner_of(m, account), "Auction", "bid", account, account, WAD, solvent, FAR if solvent else 0, must=must)


@rule("attacker", 3)
def bad_amounts(m: Machine) -> None:
    account = m.rng.choice(m.traders)
    owner, vault, usdc = owner_of(m, account), m.at["Vault"].address, m.at["USDC"].address
    m.call(owner, "Vault", "deposit", account, usdc, 0, must="Vault__ZeroAmount")
    m.call(owner, "Vault", "deposit", account, owner.address, 1, must="Vault__UnknownToken")
    m.call(owner, "Vault", "deposit", account, usdc, 2**256 - 1, must="Vault__CapExceeded")
    m.call(owner, "Vault", "deposit", 10**9, usdc, 1, must="Accounts__UnknownAccount")
    m.call(owner, "Vault", "deposit", 0, usdc, 1, must="Accounts__Reserved")
    m.call(owner, "Vault", "withdraw", account, usdc, 0, owner.address, must="Vault__ZeroAmount")
    m.call(owner, "Vault", "withdraw", account, usdc, 1, vault, must="Vault__BadReceiver")


@rule("attacker", 3)
def send_tokens_past_the_vault(m: Machine) -> None:
    """They belong to nobody and count for nothing."""
    symbol = m.rng.choice(["USDC", "WETH"])
    record = m.base.deployment.tokens[symbol]
    amount = any_amount(m, 10**9)
    m.donated[record.token_id] += amount * 10 ** (18 - record.decimals)
    m.call(MAKER, symbol, "transfer", m.at["Vault"].address, amount, bystanders=True)


@rule("attacker", 4)
def live_on_a_stale_price(m: Machine) -> None:
    """Past the heartbeat nothing that needs a margin number goes on; cash without debt and deposits do."""
    world = m.world
    world.pass_time(int(m.at["Oracle"].call("heartbeatSec")) + 60)
    usdc = m.at["USDC"].address
    for account in m.rng.sample(m.traders, 2):
        owner, snapshot = owner_of(m, account), m.snapshot(account)
        m.call(owner, "Vault", "deposit", account, usdc, 1)
        if snapshot.cashWad >= WAD_PER_RAW:
            must = "Oracle__Stale" if snapshot.positions else ""
            m.call(owner, "Vault", "withdraw", account, usdc, 1, owner.address, must=must)
        if snapshot.positions:
            open_ = m.auction(account).isOpen
            error = "Auction__AlreadyOpen" if open_ else "Oracle__Stale"
            m.call(STRANGER, "Auction", "start", account, must=error)
            m.call(owner, "Accounts", "setMode", account, 0, must="Oracle__Stale")
    found = signed_fill(m, (m.rng.choice(m.traders), m.maker), Kind.PERP, 0.05)
    assert found is not None
    m.call(STRANGER, "Exchange", "settle", *found, must="Oracle__Stale")
    post(m, world.spot)
