"""What a person reads about intents: one line each, one below the other, in a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from plimsoll.decide import AccountView
from plimsoll.feeds.post import Post
from plimsoll.keeper.performer import Deed, kind_of
from plimsoll.transact.intent import COIN_DECIMALS, Result

#: Intents about one account, whose id is the second part of their key.
OF_ACCOUNTS: Final = frozenset({"start", "touch", "end", "write-off", "bid", "margin-call"})
#: Why the rest is due.
REASONS: Final = {
    "settlement": "the series has expired, and the oracle has no final price of it",
    "settle": "the series has its final price, and these accounts still hold it",
    "funding": "a round stands that the funding rate has not seen",
    "rate": "a new observation of the rate is due",
    "range": "a round stands that the price range has not seen",
    "requests": "withdrawals wait, and the vault may pay them again",
    "header": "something waits that no known header shows",
    "claim": "tokens are locked on the other chain, and not claimed yet",
    "unlock": "claims were redeemed, and their tokens have not left the escrow yet",
    "release": "the loss is over, and a share of it is still held back",
    "strategy": "requests of the strategy vault wait, and a later round stands",
    "strategy-stop": "a share of the strategy vault is below its floor, or a redemption has waited for a week",
}
#: Decimals of a cost that is shown: a millionth of a coin is less than anybody cares for.
SHOWN_DECIMALS: Final = 6


def line_of(deed: Deed) -> str:
    """Return one line about a deed: key, result, gas, cost, and why it was not done.

    Parameters
    ----------
    deed : Deed

    Returns
    -------
    str
    """
    figures = ""
    if deed.gas or deed.cost_wei:
        gas = f"{deed.gas:>11,} gas" if deed.gas else " " * 15
        figures = f" {gas} {_coins(deed.cost_wei):>10} coin"
    reason = f" {deed.reason}" if deed.reason else ""
    return f"{deed.key:<32} {deed.result:<12}{figures}{reason}".rstrip()


def why_of(key: str, accounts: Mapping[int, AccountView], posts: Sequence[Post] = ()) -> str:
    """Return why an intent is due.

    Parameters
    ----------
    key : str
        Of the intent.
    accounts : mapping of int to AccountView
        As the decision saw them.
    posts : sequence of Post
        What the feeds made.

    Returns
    -------
    str
        Empty where the key says it all.
    """
    for post in posts:
        if post.key == key and post.why is not None:
            return f"posted because: {post.why.value}"
    kind = kind_of(key)
    if kind not in OF_ACCOUNTS:
        return REASONS.get(kind, "")
    view = accounts.get(int(key.split(":")[1]))
    if view is None:
        return ""
    return f"equity {view.equity:,.2f}, initial margin {view.initial:,.2f}, maintenance {view.maintenance:,.2f}"


def total_of(deeds: Iterable[Deed]) -> str:
    """Return the last line of a dry run.

    Parameters
    ----------
    deeds : iterable of Deed
        All of them.

    Returns
    -------
    str
    """
    every = tuple(deeds)
    if not every:
        return "nothing to do"
    good = [deed for deed in every if deed.result == Result.DONE.value]
    gas, cost_wei = sum(deed.gas for deed in good), sum(deed.cost_wei for deed in good)
    return line_of(Deed("dry run, nothing was sent", "", f"{len(good)} of {len(every)}", "", gas, cost_wei))


def _coins(amount_wei: int) -> str:
    """Return an amount in whole coins of the chain, rounded up so that nothing that costs is shown as free."""
    step = 10 ** (COIN_DECIMALS - SHOWN_DECIMALS)
    return f"{-(-amount_wei // step) / 10**SHOWN_DECIMALS:.{SHOWN_DECIMALS}f}"
