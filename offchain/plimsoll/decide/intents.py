"""What the keeper may want to do.

Every intent has a ``key`` that tells one effect on chain from every other: the same effect has the same key after a
restart and on another machine, so that the journal can refuse to do it twice, send a lost one again and count its
failures. A key holds what the chain counts (which auction, which look at it, which request) and never the time at which
somebody looked, because that names a new effect in every pass. After a reorganisation the counts go back, and so do the
keys.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PostRound:
    """Post the offered round of ``underlying``."""

    underlying: str
    ts: int

    @property
    def key(self) -> str:
        """One round of an underlying, told by its time: it is posted once."""
        return f"round:{self.underlying}:{self.ts}"


@dataclass(frozen=True, slots=True)
class PostTokenPrices:
    """Post the offered token prices."""

    ts: int

    @property
    def key(self) -> str:
        """One message of token prices, told by its time."""
        return f"tokens:{self.ts}"


@dataclass(frozen=True, slots=True)
class PostSettlement:
    """Post the spot samples of an expiry."""

    underlying: str
    expiry_ts: int

    @property
    def key(self) -> str:
        """One expiry's settlement price: it is final, so there is one for ever."""
        return f"settlement:{self.underlying}:{self.expiry_ts}"


@dataclass(frozen=True, slots=True)
class Settle:
    """Move the expired positions of ``account_ids`` to cash."""

    underlying: str
    expiry_ts: int
    account_ids: tuple[int, ...]

    @property
    def key(self) -> str:
        """One batch of accounts at one expiry; other accounts are another effect."""
        ids = ",".join(str(i) for i in self.account_ids)
        return f"settle:{self.underlying}:{self.expiry_ts}:{ids}"


@dataclass(frozen=True, slots=True)
class UpdateFunding:
    """Let the posted round of ``ts`` set the funding rate of ``underlying``."""

    underlying: str
    ts: int

    @property
    def key(self) -> str:
        """The funding rate that follows one round."""
        return f"funding:{self.underlying}:{self.ts}"


@dataclass(frozen=True, slots=True)
class UpdateRate:
    """Observe the rate of ``token``, which may be done from ``due_ts`` on.

    Before the gap is over ``stated`` is the rate that is worth an observation all the same.
    """

    token: str
    due_ts: int
    stated: float = 0.0

    @property
    def key(self) -> str:
        """One observation of a token's rate, told by when it came due, and before that by what it finds."""
        return f"rate:{self.token}:{self.due_ts}" + (f":{self.stated!r}" if self.stated else "")


@dataclass(frozen=True, slots=True)
class StartAuction:
    """Start the auction of an account below its maintenance requirement; ``number`` auctions of it started before."""

    account_id: int
    number: int

    @property
    def key(self) -> str:
        """One start of an account's auction; a later start, after a recovery, is another."""
        return f"start:{self.account_id}:{self.number}"


@dataclass(frozen=True, slots=True)
class Bid:
    """Take a slice of an account under auction.

    ``fraction`` is the most to take; ``limit`` the most the bidder pays, fee included (solvent), or the least it is
    paid (insolvent), in cash units. ``number`` says which of the account's auctions it is, and ``bid_count`` how many
    bids it has had.
    """

    account_id: int
    bidder_id: int
    is_solvent: bool
    fraction: float
    limit: float
    number: int
    bid_count: int

    @property
    def key(self) -> str:
        """One bid on what earlier bids have left of an auction."""
        return f"bid:{self.account_id}:{self.number}:{self.bidder_id}:{self.bid_count}"


@dataclass(frozen=True, slots=True)
class EndAuction:
    """End the auction of an account that has recovered, or was closed; ``number`` says which of its auctions."""

    account_id: int
    number: int

    @property
    def key(self) -> str:
        """The end of one auction."""
        return f"end:{self.account_id}:{self.number}"


@dataclass(frozen=True, slots=True)
class TouchAuction:
    """Vouch for an auction, or note that its account recovered or changed its branch.

    ``number`` says which of the account's auctions it is, and ``look_count`` how often the chain has looked at it.
    """

    account_id: int
    number: int
    look_count: int

    @property
    def key(self) -> str:
        """The next look at an auction; somebody else's look or bid makes the one after it another."""
        return f"touch:{self.account_id}:{self.number}:{self.look_count}"


@dataclass(frozen=True, slots=True)
class WriteOff:
    """Clear the debt of an account that holds nothing else; ``end_count`` auctions and debts of it have ended."""

    account_id: int
    end_count: int

    @property
    def key(self) -> str:
        """One clearing of an account's debt; a debt that comes back later is another."""
        return f"write-off:{self.account_id}:{self.end_count}"


@dataclass(frozen=True, slots=True)
class CallMargin:
    """Note on chain that an account fell below its initial requirement (``is_short``), or has it again.

    ``note_count`` notes of the account were made before.
    """

    account_id: int
    is_short: bool
    note_count: int

    @property
    def key(self) -> str:
        """One note of an account: calls and their ends take turns, so the count tells which of both it is."""
        return f"margin-call:{self.account_id}:{self.note_count}"


@dataclass(frozen=True, slots=True)
class Recalibrate:
    """Show the rule of ranges the round of ``ts``."""

    underlying: str
    ts: int

    @property
    def key(self) -> str:
        """One round that the rule has seen; it takes each once."""
        return f"range:{self.underlying}:{self.ts}"


@dataclass(frozen=True, slots=True)
class PayRequests:
    """Pay the withdrawals that wait for ``token``, of which ``amount_raw`` of request ``first_id`` are next."""

    token: str
    first_id: int
    amount_raw: int

    @property
    def key(self) -> str:
        """One state of the queue; a request that is paid in parts is shorter after each of them."""
        return f"requests:{self.token}:{self.first_id}:{self.amount_raw}"


@dataclass(frozen=True, slots=True)
class ReleaseShare:
    """Give an account back what its shares of a loss were too large by; it was given back ``release_count`` times."""

    account_id: int
    release_count: int

    @property
    def key(self) -> str:
        """One release of an account; shares that it leaves later are another."""
        return f"release:{self.account_id}:{self.release_count}"


@dataclass(frozen=True, slots=True)
class SettleStrategy:
    """Settle the requests of the strategy vault; so its epochs stood after the settlement of ``settled_ts``."""

    open_id: int
    next_id: int
    unpaid_id: int
    settled_ts: int

    @property
    def key(self) -> str:
        """One state of its epochs; every settlement makes another, and a closed epoch does."""
        return f"strategy:{self.open_id}:{self.next_id}:{self.unpaid_id}:{self.settled_ts}"


@dataclass(frozen=True, slots=True)
class StopStrategy:
    """End the grant of the strategy vault's key: the last settlement was that of ``settled_ts``, the floor this one."""

    settled_ts: int
    floor_wad: int

    @property
    def key(self) -> str:
        """One stop between two settlements, and one at each floor that trading was resumed from."""
        return f"strategy-stop:{self.settled_ts}:{self.floor_wad}"


@dataclass(frozen=True, slots=True)
class FillIntent:
    """Fill what an owner has signed (``Intents``); ``digest`` is its EIP-712 digest, hexadecimal."""

    digest: str

    @property
    def key(self) -> str:
        """One signed intent: it is filled once and whole, whoever does it."""
        return f"intent:{self.digest}"


Intent = (
    PostRound
    | PostTokenPrices
    | PostSettlement
    | Settle
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
    | FillIntent
)
