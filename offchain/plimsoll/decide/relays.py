"""Duty: what waits on one chain is proven on the other: locks become claims here, redemptions are released there.

Both ways are alike. Sums since the beginning are proven, so nothing can be carried twice, and what is carried late is
carried whole. A header is posted only for something that waits, because it costs gas and by itself moves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sum that is final where it is counted, and not yet carried.

    Parameters
    ----------
    token : str
        Token of the other chain, its address.
    to : str
        Receiver.
    total_raw : int
        Counted since the beginning.
    done_raw : int
        Carried of it since the beginning.
    block : int
        Block of the source in which it was counted last.
    """

    token: str
    to: str
    total_raw: int
    done_raw: int
    block: int

    @property
    def left_raw(self) -> int:
        """What is not carried yet; 0 where others were faster."""
        return max(0, self.total_raw - self.done_raw)


@dataclass(frozen=True, slots=True)
class RelayView:
    """One way, from the chain that counts to the chain that takes proofs.

    Parameters
    ----------
    waiting : tuple of Waiting
    newest : int
        Newest header that the taking chain knows; 0 for none.
    final : int
        Newest final block of the source.
    is_provable : bool
        Whether nodes of the source still prove on that header: they forget old states.
    is_frozen : bool
        Whether the taking chain was shown two headers of one height.
    missing_signatures : int
        Signatures of a header that this keeper cannot give.
    room_raw : Mapping of str to int
        What still fits under the cap, by token; tokens without a cap are missing.
    least_raw : Mapping of str to int
        Smallest amount that is worth its gas, by token; 0 where missing.
    names : Mapping of str to str
        Tokens as people call them.
    """

    waiting: tuple[Waiting, ...]
    newest: int
    final: int
    is_provable: bool = True
    is_frozen: bool = False
    missing_signatures: int = 0
    room_raw: Mapping[str, int] = field(default_factory=dict)
    least_raw: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RelayPlan:
    """What to do about one way.

    Parameters
    ----------
    waiting : int
        Sums that are worth their gas and not carried yet.
    carry : tuple of Waiting
        To be proven on the newest header that is known, oldest first.
    needs_header : bool
        Post the newest final header first; the rest is proven on it.
    held : tuple of str
        Why something stays where it is, a line for each reason.
    """

    waiting: int = 0
    carry: tuple[Waiting, ...] = ()
    needs_header: bool = False
    held: tuple[str, ...] = ()


def decide_relay(view: RelayView) -> RelayPlan:
    """Say what is carried now, and whether that needs a header.

    Parameters
    ----------
    view : RelayView

    Returns
    -------
    RelayPlan
    """
    worth = [entry for entry in view.waiting if _is_worth(entry, entry.left_raw, view)]
    if not worth:
        return RelayPlan()
    if view.is_frozen:
        return RelayPlan(
            len(worth), held=(f"{len(worth)} sums wait: the feed is frozen until its signers are set anew",)
        )
    fits = sorted(
        (entry for entry in worth if _is_worth(entry, min(entry.left_raw, _room(entry, view)), view)),
        key=lambda entry: (entry.block, entry.token, entry.to),
    )
    held = _capped(worth, fits, view)
    carry = tuple(entry for entry in fits if view.is_provable and entry.block <= view.newest)
    late = len(fits) - len(carry)
    if late and view.missing_signatures:
        needed = max(entry.block for entry in fits)
        text = f"{late} sums wait for a header of block {needed} or later: {view.missing_signatures} signatures missing"
        return RelayPlan(len(worth), carry, held=(*held, text))
    return RelayPlan(len(worth), carry, needs_header=late > 0 and view.final > view.newest, held=held)


def _room(entry: Waiting, view: RelayView) -> int:
    return view.room_raw.get(entry.token, entry.left_raw)


def _is_worth(entry: Waiting, amount_raw: int, view: RelayView) -> bool:
    """Whether an amount is worth its gas; nothing never is."""
    return amount_raw >= max(1, view.least_raw.get(entry.token, 0))


def _capped(worth: list[Waiting], fits: list[Waiting], view: RelayView) -> tuple[str, ...]:
    """Name the tokens whose cap keeps something back."""
    tokens = sorted({entry.token for entry in worth} - {entry.token for entry in fits})
    return tuple(
        f"{view.names.get(token, token)}: {sum(entry.left_raw for entry in worth if entry.token == token)} "
        f"of the smallest unit wait, and the cap leaves room for {view.room_raw[token]}"
        for token in tokens
    )
