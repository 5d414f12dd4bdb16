"""How an account comes to be liquidated: a position on little more than its initial margin, and a fall of the price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from plimsoll.model import Mode, Portfolio
from plimsoll.protocol.account import AccountOnChain
from plimsoll.protocol.margin_engine import snapshot_of
from plimsoll.session.custody import account_with, open_account
from plimsoll.session.report import look
from plimsoll.session.rounds import post_round
from plimsoll.session.session import Holder, Session
from plimsoll.session.trades import instrument, mark, trade
from plimsoll.units import wad_to_float

MAKER: Final = "market maker"
MAKER_CASH: Final = 1_000_000.0
UNDERLYING: Final = "ETH"
#: Equity of the new account, as a multiple of its initial margin.
CUSHION: Final = 1.05


@dataclass(frozen=True, slots=True)
class Fallen:
    """An account and the fall that it went through.

    Parameters
    ----------
    holder : Holder
        Wallet and account.
    before : AccountOnChain
        After its trade, before the fall.
    price : float
        Of the trade, in cash.
    spot : float
        After the fall, in cash.
    """

    holder: Holder
    before: AccountOnChain
    price: float
    spot: float


def fall(session: Session, name: str, units: float, share: float) -> Fallen:
    """Open an account, trade perpetuals with the market maker, and post a round against it.

    Parameters
    ----------
    session : Session
        On a local chain.
    name : str
        Wallet of the new account.
    units : float
        Perpetuals; a negative number is sold, and the price then rises.
    share : float
        Size of the move of spot, in (0, 1).

    Returns
    -------
    Fallen

    Raises
    ------
    InputError
        When the move is beyond the oracle's speed limit; nothing is left of account and trade then.
    """
    with session.all_or_nothing():
        spot = post_round(session, UNDERLYING, None)
        found = instrument(session, f"{UNDERLYING}-PERP", units)
        price = mark(session, found)
        alone = snapshot_of(Portfolio(Mode.SINGLE, 0.0, {}, (found,)), session.deployment)
        initial = wad_to_float(session.contract("MarginEngine").call("evaluate", alone).initialWad)
        holder = open_account(session, name, round(CUSHION * initial, 2), "USDC")
        trade(session, holder, account_with(session, MAKER, MAKER_CASH), found, price)
        before = look(session, holder.account_id)
        moved = post_round(session, UNDERLYING, spot * (1.0 - share if units > 0.0 else 1.0 + share))
    return Fallen(holder, before, price, moved)
