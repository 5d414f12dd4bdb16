"""Margins by the contract, for the accounts of which the mirror cannot say: one batch of calls at one block.

Each account is asked for by itself, so one that reverts (a stale round, an expiry that no round lists) leaves itself
out, with its reason, and nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from plimsoll.chain.revert import RevertError
from plimsoll.decide import AccountView
from plimsoll.deployment.record import Deployment
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Block, Question, Request
from plimsoll.units import wad_to_float

#: Values an account as its auction would: a token at a stale price counts, at a haircut that rises with time.
AUCTION_MARGIN: Final = "auctionMarginOf"


@dataclass(frozen=True, slots=True)
class ChainMargins:
    """What the contract answered.

    Parameters
    ----------
    views : dict[int, AccountView]
        Accounts with a margin number.
    refused : dict[int, str]
        Accounts without one on chain, with the reason: nothing can be done about them until it is gone.
    failed : dict[int, str]
        Accounts whose answer the node owes still; they are asked for again.
    """

    views: dict[int, AccountView]
    refused: dict[int, str]
    failed: dict[int, str]


def margin_requests(deployment: Deployment, account_ids: Sequence[int], block: Block) -> list[Request]:
    """Return the questions of one batch.

    Parameters
    ----------
    deployment : Deployment
        Addresses.
    account_ids : sequence of int
        Accounts.
    block : Block
        Where all of them are asked.

    Returns
    -------
    list of tuple
        One for each account, in order.
    """
    return [_question(account_id).request(deployment, block) for account_id in account_ids]


def read_margins(account_ids: Sequence[int], answers: Sequence[Any]) -> ChainMargins:
    """Read the answers of a batch.

    Parameters
    ----------
    account_ids : sequence of int
        As asked.
    answers : sequence
        One for each: return data, or the error that stands for it.

    Returns
    -------
    ChainMargins
        Accounts whose answer is missing count as failed.
    """
    found = ChainMargins({}, {}, {})
    for place, account_id in enumerate(account_ids):
        answer = answers[place] if place < len(answers) else None
        try:
            state = _question(account_id).read(answer)
        except RevertError as reverted:
            found.refused[account_id] = reverted.message
            continue
        except PlimsollError as problem:
            found.failed[account_id] = problem.message
            continue
        found.views[account_id] = _view(account_id, state)
    return found


def _question(account_id: int) -> Question:
    return Question("MarginEngine", AUCTION_MARGIN, (account_id,))


def _view(account_id: int, state: Any) -> AccountView:
    figures = (state.equityWad, state.marketEquityWad, state.initialWad, state.maintenanceWad)
    equity, market_equity, initial, maintenance = map(wad_to_float, figures)
    return AccountView(account_id, equity, market_equity, initial, maintenance)
