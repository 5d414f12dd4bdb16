"""Liquidation of one account: start its auction, wait, preview a bid and make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from plimsoll.errors import InputError
from plimsoll.session.session import Holder, Session
from plimsoll.units import float_to_wad, wad_to_float

#: Prices move between the preview of a bid and the block that holds it.
SLACK: Final = 0.01
#: What a bidder's new account gets on a local chain.
BIDDER_CASH: Final = 100_000.0


@dataclass(frozen=True, slots=True)
class Taken:
    """What a bid did, in cash.

    Parameters
    ----------
    is_solvent : bool
        Whether the bidder paid, or was paid for taking a loss over.
    fraction : float
        Part of the account that changed hands.
    cash : float
        Paid by the bidder, or to it.
    fee : float
        Of the insurance fund, on top.
    profit : float
        What the slice is worth to the bidder, less what it paid.
    """

    is_solvent: bool
    fraction: float
    cash: float
    fee: float
    profit: float

    def __str__(self) -> str:
        paid = "paid" if self.is_solvent else "was paid"
        worth = f"the slice is worth {self.profit:,.2f} more to it than that"
        return f"took {self.fraction:.2%} and {paid} {self.cash:,.2f}, fee {self.fee:,.2f};\n{worth}"


def start_auction(session: Session, account_id: int, starter: str) -> None:
    """Start the auction of an account; any wallet may, when it is below its maintenance margin.

    Raises
    ------
    InputError
        When it is not; names equity and maintenance margin.
    RevertError
        When the auction refuses for another reason.
    """
    state = session.contract("MarginEngine").call("marginOf", account_id)
    if state.equityWad >= state.maintenanceWad:
        equity, maintenance = wad_to_float(state.equityWad), wad_to_float(state.maintenanceWad)
        figures = f"equity {equity:,.2f} is not below its maintenance margin {maintenance:,.2f}"
        raise InputError("account", f"{account_id} cannot be liquidated: {figures}")
    session.send(session.wallet(starter), session.contract("Auction"), "start", account_id)


def bid(session: Session, account_id: int, bidder: Holder, fraction: float, wait_sec: int) -> Taken:
    """Bid for a fraction of an account under auction.

    Parameters
    ----------
    session : Session
    account_id : int
        Account under auction.
    bidder : Holder
        Takes the slice; it has to keep its own initial margin.
    fraction : float
        Most that is wanted, in (0, 1]; the auction gives no more than restores the account.
    wait_sec : int
        Seconds that a local clock is moved first: the price of a slice falls with time.

    Returns
    -------
    Taken
        As the chain reports it.

    Raises
    ------
    InputError
        When no auction runs, or the bidder's margin does not carry the slice; names both figures.
    RevertError
        When the auction refuses for another reason.
    """
    auction = session.contract("Auction")
    if not auction.call("isUnderAuction", account_id):
        raise InputError("account", f"no auction of {account_id} runs; start one first")
    if session.is_local and wait_sec:
        session.sleep(wait_sec)
    values = (account_id, bidder.account_id, float_to_wad(fraction))
    seen = session.contract("ActionPreview").call("previewLiquidation", *values)
    if not seen.isAllowed:
        equity, initial = wad_to_float(seen.bidderAfter.equityWad), wad_to_float(seen.bidderAfter.initialWad)
        figures = f"equity {equity:,.2f} after the bid is below its initial margin {initial:,.2f}"
        raise InputError("bidder", f"account {bidder.account_id}: {figures}; deposit, or bid for less")
    quote = seen.quote
    cash = wad_to_float(quote.cashWad + quote.feeWad) if quote.isSolvent else wad_to_float(quote.cashWad)
    limit = cash * (1.0 + SLACK) if quote.isSolvent else cash * (1.0 - SLACK)
    receipt = session.send(bidder.wallet, auction, "bid", *values, quote.isSolvent, float_to_wad(limit))
    filled = next(values for name, values in auction.events(receipt) if name == "BidFilled")
    figures_wad = (filled.fractionWad, filled.cashWad, filled.feeWad, seen.profitWad)
    return Taken(filled.isSolvent, *map(wad_to_float, figures_wad))
