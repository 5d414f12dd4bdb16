"""Accounts as the contracts show them, and what drafts would do, by the contracts' own previews."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import structlog

from plimsoll.chain.client import Client
from plimsoll.chain.revert import RevertError
from plimsoll.client.schema.account import (
    AccountIds,
    AccountView,
    CollateralView,
    Draft,
    MarginView,
    OpenOrdersPreview,
    PreviewView,
)
from plimsoll.client.schema.problem import RefusalError
from plimsoll.client.schema.stream import MarginChange
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Question
from plimsoll.keeper.names import name_of as symbol_of
from plimsoll.mirror.scenario_book import Book, scenario_book
from plimsoll.model import Kind
from plimsoll.protocol.parameters import chain_params
from plimsoll.venue.chain.world import World
from plimsoll.venue.gate.margin import Leg, bundled
from plimsoll.venue.gate.terms import FIRST_USER_ACCOUNT
from plimsoll.venue.service.margins import MODES, changes_of, margin_of, position_of
from plimsoll.venue.service.orders import OrderService

log = structlog.get_logger()


class AccountService:
    """Reads accounts.

    Parameters
    ----------
    world : World
        Head, reads, the index.
    orders : OrderService
        For open orders, and who owns what.
    address : str
        Node that scenario books are read from when they change.
    """

    def __init__(self, world: World, orders: OrderService, address: str) -> None:
        self._world, self._orders, self._address = world, orders, address
        self._books: dict[int, Book] = {}
        self._version: int | None = None

    async def refresh_books(self) -> None:
        """Read the scenario books again when governance or the range rule has changed them."""
        version = await self._world.reads.one("ScenarioBook", "version")
        if version == self._version:
            return
        deployment = self._world.deployment
        try:
            params = await asyncio.to_thread(chain_params, Client(self._address), deployment)
        except PlimsollError as problem:
            # Rows of governance's own have no labels; margins are shown without them.
            log.warning("scenario rows cannot be labelled", reason=str(problem))
            self._books, self._version = {}, version
            return
        self._books = {
            number: scenario_book(params.book_of(symbol), params.for_underlying(symbol).price_range)
            for symbol, number in deployment.underlyings.items()
        }
        self._version = version

    def _margin(self, answer: tuple[Any, Any]) -> MarginView:
        return margin_of(answer[0], answer[1], self._world.deployment.underlyings, self._books)

    async def accounts_of(self, owner: str) -> AccountIds:
        """Return the accounts of an owner, as the index knows them."""
        accounts = self._world.chain.accounts
        found = sorted(number for number, account in accounts.items() if account.owner == owner)
        return AccountIds(owner=owner, accountIds=found)

    async def account(self, account_id: int) -> AccountView:
        """Return one account at the newest block."""
        known = self._world.head
        owner, count, snapshot, auctioned = await self._world.reads.ask(
            [
                Question("Accounts", "ownerOf", (account_id,)),
                Question("Accounts", "transferCountOf", (account_id,)),
                Question("Accounts", "snapshotOf", (account_id,)),
                Question("Auction", "isUnderAuction", (account_id,)),
            ]
        )
        if isinstance(owner, RevertError) or isinstance(snapshot, RevertError):
            text = f"accountId: there is no account {account_id}"
            raise RefusalError("unknownAccount", text, field="accountId", value=account_id)
        for answer in (owner, count, snapshot, auctioned):
            if isinstance(answer, PlimsollError):
                raise answer
        (margin,) = await self._world.reads.ask([Question("MarginEngine", "evaluateDetailed", (snapshot,))])
        view, problem = self._margin_or_problem(margin)
        tokens = {record.token_id: symbol for symbol, record in self._world.deployment.tokens.items()}
        return AccountView(
            accountId=account_id,
            owner=owner,
            mode=MODES[snapshot.mode],
            transferCount=count,
            cashWad=snapshot.cashWad,
            collateral=[
                CollateralView(tokenId=token_id, symbol=tokens.get(token_id, f"#{token_id}"), amountWad=amount_wad)
                for token_id, amount_wad in zip(snapshot.tokenIds, snapshot.amountsWad, strict=True)
            ],
            positions=[position_of(word, self._world.deployment.underlyings) for word in snapshot.positions],
            margin=view,
            marginProblem=problem,
            isUnderAuction=auctioned,
            blockNumber=known.number,
            blockTs=known.ts,
        )

    def _margin_or_problem(self, answer: Any) -> tuple[MarginView | None, str | None]:
        """Return a margin, or the contracts' reason for there being none."""
        if isinstance(answer, RevertError):
            return None, answer.message
        if isinstance(answer, PlimsollError):
            raise answer
        return self._margin(answer), None

    async def margins(self, account_ids: Iterable[int]) -> list[MarginChange]:
        """Return the margins of accounts, for the stream."""
        ids, number = list(account_ids), self._world.head.number
        snapshots = await self._world.reads.ask([Question("Accounts", "snapshotOf", (one,)) for one in ids])
        known = [
            (one, found) for one, found in zip(ids, snapshots, strict=True) if not isinstance(found, PlimsollError)
        ]
        answers = await self._world.reads.ask(
            [Question("MarginEngine", "evaluateDetailed", (snapshot,)) for _, snapshot in known]
        )
        changes = []
        for (account_id, _), answer in zip(known, answers, strict=True):
            view, problem = self._margin_or_problem(answer)
            changes.append(MarginChange(accountId=account_id, margin=view, marginProblem=problem, blockNumber=number))
        return changes

    async def preview(self, account_id: int, draft: Draft) -> PreviewView:
        """Ask the chain for a draft."""
        self._check_words(draft)
        question = Question("MarginEngine", "preview", (account_id, changes_of(draft)))
        (answer,) = await self._world.reads.ask([question])
        if isinstance(answer, RevertError):
            raise self._refusal(answer, "the draft")
        if isinstance(answer, PlimsollError):
            raise answer
        before, after, details_before, details_after = answer
        return PreviewView(
            before=self._margin((before, details_before)),
            after=self._margin((after, details_after)),
            blockNumber=self._world.head.number,
        )

    def _check_words(self, draft: Draft) -> None:
        """Refuse legs that name no instrument at all; what is listed is the contracts' business."""
        for place, leg in enumerate(draft.legs):
            number, kind = leg.instrument >> 248, (leg.instrument >> 240) & 0xFF
            if number not in self._world.symbols or kind > max(Kind) or leg.instrument & ((1 << 128) - 1):
                name = f"legs.{place}.instrument"
                text = f"{name}: {symbol_of(self._world.deployment.underlyings, number)} kind {kind} is no instrument"
                raise RefusalError("unknownInstrument", text, field=name, value=leg.instrument)

    def _refusal(self, reverted: RevertError, what: str) -> RefusalError:
        """Say in a sentence what the contracts found wrong."""
        if reverted.name in ("Oracle__Stale", "Oracle__NoRound"):
            return RefusalError("roundStale", f"{what} cannot be margined now: the chain {reverted.message}")
        return RefusalError("badField", f"{what} is not possible: the chain {reverted.message}")

    async def open_orders_preview(self, caller: str, account_id: int) -> OpenOrdersPreview:
        """Ask the chain for the worst case of the open orders of an own account."""
        await self._orders.require_owner(caller, account_id)
        legs: Sequence[Leg] = list(self._orders.open_legs(account_id))
        count = await self._world.reads.one("Accounts", "transferCountOf", account_id)
        orders = bundled(account_id, count, legs)
        (answer,) = await self._world.reads.ask([Question("OrderPreview", "previewOrders", (account_id, orders))])
        if isinstance(answer, RevertError):
            raise self._refusal(answer, f"account {account_id}")
        if isinstance(answer, PlimsollError):
            raise answer
        return OpenOrdersPreview(
            before=self._margin((answer.before_, answer.detailsBefore)),
            worst=self._margin((answer.worst, answer.detailsWorst)),
            blockNumber=self._world.head.number,
        )

    def users(self) -> list[int]:
        """Return the accounts of users."""
        return [number for number in self._world.chain.accounts if number >= FIRST_USER_ACCOUNT]
