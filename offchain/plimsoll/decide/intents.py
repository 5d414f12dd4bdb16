"""What the keeper may want to do.

Every intent has a ``key`` that tells one effect on chain from every other: the same effect has the same key after a
restart and on another machine, so that the journal can refuse to do it twice.
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
    """Observe the rate of ``token``, which may be done from ``due_ts`` on."""

    token: str
    due_ts: int

    @property
    def key(self) -> str:
        """One observation of a token's rate, told by when it came due."""
        return f"rate:{self.token}:{self.due_ts}"


@dataclass(frozen=True, slots=True)
class StartAuction:
    """Start the auction of an account below its maintenance requirement."""

    account_id: int
    ts: int

    @property
    def key(self) -> str:
        """One start of an account's auction; a later start, after a recovery, is another."""
        return f"start:{self.account_id}:{self.ts}"


@dataclass(frozen=True, slots=True)
class Bid:
    """Take a slice of an account under auction.

    ``fraction`` is the most to take; ``limit`` the most the bidder pays, fee included (solvent), or the least it is
    paid (insolvent), in cash units.
    """

    account_id: int
    bidder_id: int
    is_solvent: bool
    fraction: float
    limit: float
    started_ts: int
    bid_count: int

    @property
    def key(self) -> str:
        """One bid on what earlier bids have left of an auction."""
        return f"bid:{self.account_id}:{self.started_ts}:{self.bidder_id}:{self.bid_count}"


@dataclass(frozen=True, slots=True)
class EndAuction:
    """End the auction of an account that is back above its initial requirement."""

    account_id: int
    started_ts: int

    @property
    def key(self) -> str:
        """The end of one auction, told by when it began."""
        return f"end:{self.account_id}:{self.started_ts}"


@dataclass(frozen=True, slots=True)
class TouchAuction:
    """Vouch for an auction, or note that its account recovered or changed its branch."""

    account_id: int
    is_solvent: bool
    ts: int

    @property
    def key(self) -> str:
        """One report of an auction's branch, told by the time the keeper saw it."""
        return f"touch:{self.account_id}:{self.is_solvent}:{self.ts}"


@dataclass(frozen=True, slots=True)
class WriteOff:
    """Clear the debt of an account that holds nothing else."""

    account_id: int
    ts: int

    @property
    def key(self) -> str:
        """One clearing of an account's debt; a debt that comes back later is another."""
        return f"write-off:{self.account_id}:{self.ts}"


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
)
