"""From intents to calls: the one place that knows which contract does what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from plimsoll.constants import WAD
from plimsoll.decide import (
    Bid,
    CallMargin,
    EndAuction,
    Intent,
    PayRequests,
    PostRound,
    PostTokenPrices,
    Recalibrate,
    ReleaseShare,
    Settle,
    SettleStrategy,
    StartAuction,
    StopStrategy,
    TouchAuction,
    UpdateFunding,
    UpdateRate,
    WriteOff,
)
from plimsoll.deployment.record import Deployment
from plimsoll.errors import InputError
from plimsoll.keeper.calls import call_data
from plimsoll.keeper.names import id_of
from plimsoll.transact import Transaction
from plimsoll.units import float_to_wad

# What another keeper's earlier transaction makes of ours.
DONE_SETTLEMENT = frozenset({"Oracle__AlreadySettled"})
DONE_RATE = frozenset({"RateFeed__TooEarly", "RateFeed__NoSource"})
DONE_START = frozenset({"Auction__AlreadyOpen", "Auction__NotLiquidatable"})
DONE_END = frozenset({"Auction__NotOpen"})
DONE_BID = frozenset({"Auction__NotOpen", "Auction__NotLiquidatable"})
DONE_RANGE = frozenset({"RangeRule__NothingNew", "RangeRule__NoTerms"})
DONE_RELEASE = frozenset({"Vault__NothingLeft"})
DONE_STRATEGY = frozenset({"StrategyVault__NothingToSettle", "StrategyVault__NoNewRound"})
DONE_STOP = frozenset({"StrategyVault__IsStopped", "StrategyVault__NotDue"})
#: Function of the auction, and what "done" looks like, for each step that names an account alone.
AUCTION_STEPS: Final[Mapping[type, tuple[str, frozenset[str]]]] = {
    StartAuction: ("start", DONE_START),
    TouchAuction: ("touch", DONE_END),
    EndAuction: ("end", DONE_END),
    WriteOff: ("writeOff", frozenset({"Auction__NotPureDebt"})),
    CallMargin: ("callMargin", frozenset({"Auction__CallUnchanged"})),
}
#: Requests that one payment looks at; each is a withdrawal with a margin check.
MAX_REQUESTS: Final = 10

Action = (
    Settle
    | UpdateFunding
    | UpdateRate
    | StartAuction
    | TouchAuction
    | Bid
    | EndAuction
    | WriteOff
    | CallMargin
    | Recalibrate
    | PayRequests
    | ReleaseShare
    | SettleStrategy
    | StopStrategy
)


def action_call(deployment: Deployment, intent: Action) -> Transaction:
    """Encode what anybody may do: no key and no node is needed for it.

    Parameters
    ----------
    deployment : Deployment
        Addresses and ids.
    intent : Action
        Anything but posts of the oracle and signed intents.

    Returns
    -------
    Transaction

    Raises
    ------
    InputError
        When the intent names an underlying or a token that the deployment does not know.
    """
    name, function, values, done = _action(deployment, intent)
    return Transaction(intent.key, deployment.contracts[name], call_data(name, function, *values), done)


def budget_of(intent: Intent) -> str:
    """Return what failures of an intent count against besides its own key: its account, or its series.

    Parameters
    ----------
    intent : Intent

    Returns
    -------
    str
        Empty where the key says all.
    """
    if isinstance(intent, Settle):
        return f"series:{intent.underlying}:{intent.expiry_ts}"
    account_id = getattr(intent, "account_id", None)
    return "" if account_id is None else f"account:{account_id}"


def group_of(intent: Intent) -> str:
    """Return the group of intents of which only the newest matters, so that it may replace an older one.

    Parameters
    ----------
    intent : Intent

    Returns
    -------
    str
        Empty where each intent matters.
    """
    if isinstance(intent, PostTokenPrices):
        return "tokens"
    if isinstance(intent, PostRound | UpdateFunding | Recalibrate):
        return f"{intent.key.split(':', 1)[0]}:{intent.underlying}"
    return ""


def _action(deployment: Deployment, intent: Action) -> tuple[str, str, tuple[object, ...], frozenset[str]]:
    """Return contract, function, arguments and the errors that mean "done"."""
    if isinstance(intent, Settle | UpdateFunding | Recalibrate):
        return _of_underlying(id_of(deployment.underlyings, intent.underlying), intent)
    if isinstance(intent, UpdateRate | PayRequests):
        return _of_token(deployment, intent)
    if isinstance(intent, SettleStrategy):
        return "StrategyVault", "settle", (), DONE_STRATEGY
    if isinstance(intent, StopStrategy):
        return "StrategyVault", "stop", (), DONE_STOP
    if isinstance(intent, ReleaseShare):
        return "Vault", "releaseShare", (intent.account_id,), DONE_RELEASE
    if isinstance(intent, Bid):
        limit_wad = max(0, float_to_wad(intent.limit))
        fraction_wad = min(WAD, float_to_wad(intent.fraction))
        bid = (intent.account_id, intent.bidder_id, fraction_wad, intent.is_solvent, limit_wad)
        return "Auction", "bid", bid, DONE_BID
    function, done = AUCTION_STEPS[type(intent)]
    return "Auction", function, (intent.account_id,), done


def _of_underlying(
    number: int, intent: Settle | UpdateFunding | Recalibrate
) -> tuple[str, str, tuple[object, ...], frozenset[str]]:
    """Encode what concerns an underlying."""
    if isinstance(intent, Settle):
        return "Settlement", "settle", (number, intent.expiry_ts, list(intent.account_ids)), frozenset()
    if isinstance(intent, UpdateFunding):
        return "PerpMarket", "update", (number,), frozenset({"Oracle__Stale"})
    return "RangeRule", "recalibrate", (number,), DONE_RANGE


def _of_token(
    deployment: Deployment, intent: UpdateRate | PayRequests
) -> tuple[str, str, tuple[object, ...], frozenset[str]]:
    """Encode what concerns a token."""
    token_id = id_of({symbol: record.token_id for symbol, record in deployment.tokens.items()}, intent.token)
    if isinstance(intent, UpdateRate):
        return "RateFeed", "update", (token_id,), DONE_RATE
    if intent.token not in deployment.tokens:
        raise InputError("deployment", f"the address of token {intent.token} is not known")
    return "Vault", "payRequests", (deployment.tokens[intent.token].address, MAX_REQUESTS), frozenset()
