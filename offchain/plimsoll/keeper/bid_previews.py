"""Bids as the chain sees them before they are made: one batch of previews at one block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plimsoll.constants import WAD
from plimsoll.decide import BidPreview, BidWish
from plimsoll.deployment.record import Deployment
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Block, Question, Request
from plimsoll.units import wad_to_float


def preview_requests(deployment: Deployment, wishes: Sequence[BidWish], bidder_id: int, block: Block) -> list[Request]:
    """Return the questions of one batch: each bid at its full size.

    Parameters
    ----------
    deployment : Deployment
        Addresses.
    wishes : sequence of BidWish
        Bids that may pay.
    bidder_id : int
        Account that would take the slices.
    block : Block
        Where all of them are asked.

    Returns
    -------
    list of tuple
        One for each bid, in order.
    """
    return [_question(wish, bidder_id).request(deployment, block) for wish in wishes]


def read_previews(
    wishes: Sequence[BidWish], bidder_id: int, answers: Sequence[Any]
) -> tuple[dict[int, BidPreview], dict[int, str]]:
    """Read the answers of a batch.

    Parameters
    ----------
    wishes : sequence of BidWish
        As asked.
    bidder_id : int
        As asked.
    answers : sequence
        One for each: return data, or the error that stands for it.

    Returns
    -------
    tuple of dict and dict
        Previews by account, and the reasons of those that the chain refused or a node failed to answer.
    """
    previews: dict[int, BidPreview] = {}
    refused: dict[int, str] = {}
    for place, wish in enumerate(wishes):
        answer = answers[place] if place < len(answers) else None
        try:
            previews[wish.account.account_id] = _preview(_question(wish, bidder_id).read(answer))
        except PlimsollError as problem:
            refused[wish.account.account_id] = problem.message
    return previews, refused


def _question(wish: BidWish, bidder_id: int) -> Question:
    return Question("ActionPreview", "previewLiquidation", (wish.account.account_id, bidder_id, WAD))


def _preview(seen: Any) -> BidPreview:
    quote, before, after = seen.quote, seen.bidderBefore, seen.bidderAfter
    cash_wad = quote.cashWad + quote.feeWad if quote.isSolvent else quote.cashWad
    gross_wad = sum(risk.grossNotionalWad for risk in seen.accountBefore.underlyings)
    return BidPreview(
        is_solvent=quote.isSolvent,
        fraction=wad_to_float(quote.fractionWad),
        cash=wad_to_float(cash_wad),
        profit=wad_to_float(seen.profitWad),
        equity_before=wad_to_float(before.equityWad),
        initial_before=wad_to_float(before.initialWad),
        equity_after=wad_to_float(after.equityWad),
        initial_after=wad_to_float(after.initialWad),
        gross=wad_to_float(gross_wad),
    )
