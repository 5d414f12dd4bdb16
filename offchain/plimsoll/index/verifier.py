"""A rolling check that the folded state is the chain's: what differs is read from the chain, counted and reported."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from plimsoll.chain.abi import decode_values, load_artifact
from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.head import Head, read_header
from plimsoll.chain.node import Node
from plimsoll.chain.problem import NodeProblem
from plimsoll.chain.revert import RevertError
from plimsoll.deployment.record import Deployment
from plimsoll.index.archive import Difference
from plimsoll.index.compare import (
    account_differences,
    account_from,
    auction_differences,
    auction_from,
    seen_of,
)
from plimsoll.index.follow import Index
from plimsoll.index.pages import Page, page_call
from plimsoll.index.snapshot import bytes_of, call_request, page_of, read_page
from plimsoll.index.touches import ABSENT
from plimsoll.index.views import View, round_of_view, views_of

#: Accounts that one pass compares: a round over 100,000 takes 400 passes, over a demo's market one.
SLICE_ACCOUNTS: Final = 250
#: Views of other things in one pass; settled series add up over the years.
SLICE_VIEWS: Final = 100
#: Longest text of a value in a report.
_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Checked:
    """What one pass compared.

    Parameters
    ----------
    head : Head
        At which block.
    accounts, views : int
        How many.
    differences : tuple[Difference, ...]
        What differed; the state was put right by the chain, except for what ``unrepaired`` names.
    unrepaired : tuple[str, ...]
        Subjects that no view gives whole, such as a round that is stale.
    is_round : bool
        Whether this pass ended a round over all accounts.
    """

    head: Head
    accounts: int
    views: int
    differences: tuple[Difference, ...] = ()
    unrepaired: tuple[str, ...] = ()
    is_round: bool = False


class Verifier:
    """Compares an index with the chain, a slice in each pass.

    Parameters
    ----------
    index : Index
        Synced before each pass.
    endpoints : Endpoints
        Nodes.
    deployment : Deployment
        With Lens, Accounts and Oracle.
    slice_accounts : int
        Accounts in a pass.
    """

    def __init__(
        self, index: Index, endpoints: Endpoints, deployment: Deployment, *, slice_accounts: int = SLICE_ACCOUNTS
    ) -> None:
        self._index, self._endpoints, self._deployment = index, endpoints, deployment
        self._slice_accounts = slice_accounts
        self._next_account = self._next_view = 0
        #: Differences since the start.
        self.found = 0

    async def check(self) -> Checked:
        """Compare the next slice, and every account whose events did not fit.

        Returns
        -------
        Checked
            The loop turns differences into an alert and a metric.

        Raises
        ------
        NodeProblem
            When the node fails or has left the block of the index; nothing was changed.
        HeadError
            When no node has shown the block of the index: sync first.
        StorageError
            When the report cannot be kept; the state was put right all the same.
        """
        head = self._index.head
        node = self._endpoints.node_at(head)
        tokens = [record.token_id for record in self._deployment.tokens.values()]
        every = list(views_of(self._index.state, self._deployment.underlyings.values(), tokens))
        views = self._some(every)
        lens = self._deployment.contracts["Lens"]
        count = load_artifact("Accounts").functions["nextAccountId"]
        calls = [(self._deployment.contracts[view.contract], view.data) for view in views]
        first = self._next_account
        header = ("eth_getBlockByNumber", [hex(head.number), False])
        before, total, page, *answers, after = await node.batch(
            [
                header,
                call_request(self._deployment.contracts["Accounts"], "0x" + count.selector.hex(), head.number),
                call_request(lens, page_call(first, self._slice_accounts), head.number),
                *(call_request(to, data, head.number) for to, data in calls),
                header,
            ]
        )
        if any(read_header(node.url, answer, head.number).hash != head.hash for answer in (before, after)):
            raise NodeProblem(node.url, f"no longer has block {head.number} {head.hash}", "malformed")
        end = int(decode_values(count.outputs, bytes_of(node, total)))
        pages = await self._pages(node, page, first, end, head)
        suspects = [number for number in sorted(self._index.ledger.suspects) if 0 <= number < end]
        for account_id in suspects:
            pages += await read_page(node, lens, head.number, account_id, 1)
        differences: list[Difference] = []
        unrepaired: list[str] = []
        # Totals first: the cash of accounts is compared, and put right, by the indices that they hold.
        for view, answer in zip(views, answers, strict=True):
            wrong, is_repaired = await self._compare_view(node, view, answer, head)
            differences += wrong
            unrepaired += [] if is_repaired else [view.subject]
        for found in pages:
            differences += self._compare_page(found, head)
        self._index.ledger.suspects.clear()
        self._advance(end, len(every))
        self.found += len(differences)
        await asyncio.to_thread(self._index.archive.note, differences, head.ts)
        is_round = self._next_account == 0
        checked = sum(found.count for found in pages)
        return Checked(head, checked, len(views), tuple(differences), tuple(unrepaired), is_round)

    async def check_all(self) -> list[Checked]:
        """Compare every account and everything else once.

        Returns
        -------
        list[Checked]
            One for each slice.

        Raises
        ------
        NodeProblem, HeadError, StorageError
            As :meth:`check`.
        """
        self._next_account = self._next_view = 0
        passes: list[Checked] = []
        is_left = {"accounts", "views"}
        while is_left:
            passes.append(await self.check())
            is_left -= {name for name, at in (("accounts", self._next_account), ("views", self._next_view)) if at == 0}
        return passes

    def _some(self, every: Sequence[View]) -> list[View]:
        """Return the views of this pass."""
        return list(islice(every, self._next_view, self._next_view + SLICE_VIEWS))

    def _advance(self, end: int, views: int) -> None:
        """Move to the next slice, from the last back to the first."""
        self._next_account += self._slice_accounts
        if self._next_account >= end:
            self._next_account = 0
        self._next_view += SLICE_VIEWS
        if self._next_view >= views:
            self._next_view = 0

    async def _pages(self, node: Node, answer: Any, first: int, end: int, head: Head) -> list[Page]:
        """Read the answer to the page of this slice; what is too much for the node is asked for in parts."""
        if first >= end:
            return []
        if isinstance(answer, RevertError | NodeProblem):
            lens = self._deployment.contracts["Lens"]
            return await read_page(node, lens, head.number, first, min(self._slice_accounts, end - first))
        return [page_of(node, answer, first)]

    def _compare_page(self, page: Page, head: Head) -> Iterable[Difference]:
        """Compare accounts and put right what differs."""
        state, ledger = self._index.state, self._index.ledger
        differences: list[Difference] = []
        open_ids = set()
        for account_id, seen in seen_of(page):
            open_ids.add(account_id)
            wrong = account_differences(state, account_id, seen)
            if wrong:
                ledger.put(head.number, ("accounts", account_id), account_from(state, account_id, seen))
            its_auction = auction_differences(state, account_id, seen)
            if its_auction:
                found = auction_from(state, account_id, seen) if seen.auction[0] else ABSENT
                ledger.put(head.number, ("auctions", account_id), found)
            subject = f"account {account_id}"
            differences += [_difference(head, subject, *item) for item in (*wrong, *its_auction)]
        for account_id in range(page.first, page.first + page.count):
            if account_id in state.accounts and account_id not in open_ids:
                ledger.put(head.number, ("accounts", account_id), ABSENT)
                differences.append(_difference(head, f"account {account_id}", "account", "open", "closed"))
        return differences

    async def _compare_view(self, node: Node, view: View, answer: Any, head: Head) -> tuple[list[Difference], bool]:
        """Compare one view and put right what differs; say whether that was possible."""
        if isinstance(answer, RevertError) and view.entry[0] == "settled":
            value: Any = ABSENT
            theirs: Sequence[Any] = [f"reverts with {answer.name}"] * len(view.names)
        else:
            found = view.decode(bytes_of(node, answer))
            theirs = view.fields(found)
            if tuple(theirs) == view.ours:
                return [], True
            value = view.value(found)
        wrong = [
            _difference(head, view.subject, name, ours, their)
            for name, ours, their in zip(view.names, view.ours, theirs, strict=True)
            if ours != their
        ]
        if view.entry[0] == "rounds":
            value = await self._round(node, int(view.arguments[0]), head)
        if value is None:
            return wrong, False
        self._index.ledger.put(head.number, view.entry, value)
        return wrong, True

    async def _round(self, node: Node, number: int, head: Head) -> Any:
        """Read a whole round; ``None`` when it is stale, because the view refuses it then."""
        view = View("round", "Lens", "latestRound", (number,), ("rounds", number), (), (), tuple, tuple)
        (answer,) = await node.batch([call_request(self._deployment.contracts["Lens"], view.data, head.number)])
        if isinstance(answer, RevertError):
            return None
        return round_of_view(number, *view.decode(bytes_of(node, answer)))


def _difference(head: Head, subject: str, field: str, ours: Any, theirs: Any) -> Difference:
    return Difference(head.number, subject, field, str(ours)[:_SHOWN], str(theirs)[:_SHOWN])
