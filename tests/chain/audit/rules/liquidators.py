"""What liquidators do, and what brings them work."""

from __future__ import annotations

from typing import Any

from plimsoll.chain.revert import RevertError
from plimsoll.model import Kind
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.market import post
from tests.chain.audit.rules.orders import fill
from tests.chain.audit.rules.registry import HIGH, LOW, excess, owner_of, rule
from tests.chain.invariants.world import FAR, STRANGER, WAD, WAD_PER_RAW

#: What the preview calls by a name of its own.
PREVIEWED = {"ActionPreview__LossTooLarge": "Accounts__LossTooLarge"}


@rule("keeper", 8)
def liquidate(m: Machine) -> None:
    account = m.rng.choice(m.traders)
    liquidate_account(m, account)


def lines_of(m: Machine, account: int) -> int:
    """What guarantee lines of an account hold."""
    return int(m.at["Guarantees"].call("backingOf", account)[1])


def in_grace(m: Machine, account: int, margin: Any) -> bool:
    """Whether only a change of parameters put the account below maintenance, and its grace runs."""
    if margin.marketEquityWad + lines_of(m, account) < 0 or m.world.now + 1 >= m.at["ScenarioBook"].call("graceEndTs"):
        return False
    prior = m.at["PriorMarginEngine"].call("marginOf", account)
    return excess(prior, "maintenanceWad") >= 0


def liquidate_account(m: Machine, account: int) -> None:
    margin = m.margin(account)
    if isinstance(margin, RevertError):
        error = "Auction__AlreadyOpen" if m.auction(account).isOpen else margin.name
        m.call(STRANGER, "Auction", "start", account, must=error)
        return
    if not m.auction(account).isOpen:
        if excess(margin, "maintenanceWad") >= 0:
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
    bidder = m.maker
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
    must = "" if preview.isAllowed else "Auction__BidderBelowInitial"
    limit = FAR if quote.isSolvent else 0
    done = m.call(*bid, quote.isSolvent, limit, must=must, own=[bidder])
    if not done.passed:
        return
    m.check_liquidation(account)
    filled = done.named("BidFilled")[0].values
    seen = tuple(filled[name] for name in ("isSolvent", "fractionWad", "priceWad", "cashWad", "feeWad"))
    wanted = tuple(getattr(quote, name) for name in ("isSolvent", "fractionWad", "priceWad", "cashWad", "feeWad"))
    m.require(seen == wanted, "I-14", f"account {account}: {seen}, foreseen {wanted}")
    # What n lines count after they have paid, while they run out, is known to 2n - 1 wei.
    lines = len(m.at["Guarantees"].call("linesOf", account))
    _left_as_foreseen(m, account, preview.accountAfter, max(2 * lines - 1, 0))
    _left_as_foreseen(m, bidder, preview.bidderAfter, 0)


def _left_as_foreseen(m: Machine, account: int, foreseen: Any, near_wad: int) -> None:
    now = m.margin(account)
    same = now.marketEquityWad == foreseen.marketEquityWad and abs(now.equityWad - foreseen.equityWad) <= near_wad
    m.require(same, "I-14", f"account {account}: {now}, foreseen {foreseen}")


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
        liquidate_account(m, account)


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


@rule("user", 3)
def meet_margin_call(m: Machine) -> None:
    """Whoever is called brings what is missing, and the call ends."""
    since = m.at["Auction"].call_many("marginCallTsOf", [[account] for account in m.traders])
    called = [account for account, ts in zip(m.traders, since, strict=True) if ts]
    margins = {account: m.margin(account) for account in called}
    known = [account for account, margin in margins.items() if not isinstance(margin, RevertError)]
    if not known:
        return
    account = m.rng.choice(known)
    missing = -excess(margins[account], "initialWad")
    if missing > 0:
        usdc, amount = m.at["USDC"].address, missing * 5 // 4 // WAD_PER_RAW + 1
        m.call(owner_of(m, account), "Vault", "deposit", account, usdc, amount, bystanders=True)
    m.call(STRANGER, "Auction", "callMargin", account, bystanders=True)


@rule("keeper", 3)
def write_off(m: Machine) -> None:
    account = m.rng.choice(m.traders)
    snapshot = m.snapshot(account)
    pure = not snapshot.positions and not snapshot.tokenIds and snapshot.cashWad < 0
    may = {"Auction__NotLiquidatable"} if lines_of(m, account) else set()
    m.call(STRANGER, "Auction", "writeOff", account, must="" if pure else "Auction__NotPureDebt", may=may)
