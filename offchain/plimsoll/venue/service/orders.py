"""Orders: checked in the order of what it costs, accepted when the disk has them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from plimsoll.client.schema.orders import (
    AmendOrder,
    CancelResult,
    FillPage,
    MassCancel,
    OrderPage,
    OrderView,
    PlaceOrder,
    PlaceResult,
    Protection,
    ProtectionView,
)
from plimsoll.client.schema.problem import Problem, RefusalError
from plimsoll.errors import UnavailableError
from plimsoll.venue.book import events as ev
from plimsoll.venue.book.engine import Engine, NewOrder
from plimsoll.venue.book.orders import ALIVE, BARRED, BookOrder
from plimsoll.venue.chain.digests import OrderDigest
from plimsoll.venue.chain.follower import Follower
from plimsoll.venue.chain.world import World
from plimsoll.venue.gate.authority import Authority
from plimsoll.venue.gate.margin import Leg, MarginGate
from plimsoll.venue.gate.terms import Steps, check_nonce, check_terms, message_of
from plimsoll.venue.journal.desk import Desk
from plimsoll.venue.service.history import History
from plimsoll.venue.service.views import fills_of, match_of, order_of, protection_of

_TEXTS: Final = {
    "wouldCross": "the order is post only and would trade at once",
    "notFilled": "the order is fill or kill and no single order of the book fills it whole",
}


@dataclass(slots=True)
class _Candidate:
    """An order on its way through the gate."""

    wanted: PlaceOrder
    digest: bytes = b""
    order_hash: str = ""
    message: dict[str, Any] = field(default_factory=dict)
    #: The same order, when it was here before.
    known: BookOrder | None = None
    problem: Problem | None = None

    def refuse(self, refusal: RefusalError) -> None:
        """Note the first reason."""
        if self.problem is None:
            self.problem = refusal.problem

    @property
    def leg(self) -> Leg:
        """What may fill of it."""
        order = self.wanted.order
        return Leg(order.instrument, order.isBuy, order.quantityWad, order.priceWad)


class OrderService:
    """Takes orders in and out.

    Parameters
    ----------
    desk : Desk
        The book and its log.
    world : World
        Rules, rounds, fees.
    history : History
        Orders and trades, those that are over too.
    follower : Follower
        Knows fills and nonces of the chain.
    authority : Authority
        Signatures and grants.
    margin : MarginGate
        Margin with open orders.
    digest : OrderDigest
        EIP-712.
    steps : Steps
        Of the venue.
    max_open : int
        Most orders alive of one account.
    ready : Callable[[], None]
        Raises when the venue accepts nothing now.
    """

    def __init__(
        self,
        desk: Desk,
        world: World,
        history: History,
        follower: Follower,
        authority: Authority,
        margin: MarginGate,
        digest: OrderDigest,
        steps: Steps,
        max_open: int,
        ready: Callable[[], None],
    ) -> None:
        self._desk, self._world, self._history, self._follower = desk, world, history, follower
        self._authority, self._margin, self._digest = authority, margin, digest
        self._steps, self._max_open, self._ready = steps, max_open, ready
        margin.open_legs = self.open_legs

    def open_legs(self, account_id: int) -> Iterator[Leg]:
        """Yield what may still fill of an account: open, waiting, and on its way to the chain."""
        for order in self._desk.state.alive.get(account_id, {}).values():
            quantity_wad = order.leaves_wad + order.pending_wad
            if quantity_wad:
                yield Leg(order.instrument, order.is_buy, quantity_wad, order.price_wad)

    async def place(self, wanted: Sequence[PlaceOrder]) -> list[PlaceResult]:
        """Accept or refuse each order; see the API."""
        self._ready()
        candidates = await self._examine(wanted)
        try:
            return await self._desk.run(lambda engine: [self._place(engine, one) for one in candidates])
        finally:
            self._release(candidates)

    async def amend(self, caller: str, wanted: AmendOrder) -> PlaceResult:
        """Replace an order by another; when that is refused the old one stays."""
        self._ready()
        old = await self._own(caller, wanted.orderHash)
        if old.account_id != wanted.replacement.order.accountId:
            text = f"replacement.order.accountId: is {wanted.replacement.order.accountId}, the order to replace is of "
            raise RefusalError("badField", f"{text}{old.account_id}", field="replacement.order.accountId")
        (candidate,) = await self._examine([wanted.replacement])

        def work(engine: Engine) -> PlaceResult:
            if candidate.problem is None and old.state not in ALIVE:
                text = f"order {old.order_hash} is {old.state}: nothing of it can be amended"
                candidate.refuse(RefusalError("unknownOrder", text, field="orderHash", value=old.order_hash))
            order, traded_wad = wanted.replacement.order, old.filled_wad + old.pending_wad
            if old.message["exclusive"] and order.exclusive and traded_wad and order.nonce == old.nonce:
                candidate.refuse(_other_filled(old.nonce, bytes.fromhex(old.order_hash[2:])))
            return self._place(engine, candidate, instead_of=old.order_hash)

        try:
            return await self._desk.run(work)
        finally:
            self._release([candidate])

    async def cancel(self, caller: str, hashes: Sequence[str]) -> list[CancelResult]:
        """Take orders out of the book."""
        found: list[BookOrder | Problem] = []
        for order_hash in hashes:
            try:
                found.append(await self._own(caller, order_hash))
            except RefusalError as refusal:
                found.append(refusal.problem)

        def work(engine: Engine) -> list[CancelResult]:
            results = []
            for order_hash, one in zip(hashes, found, strict=True):
                open_wad = 0 if isinstance(one, Problem) else engine.cancel(order_hash, "by its owner")
                results.append(_cancelled(order_hash, one, open_wad))
            return results

        return await self._desk.run(work)

    async def mass_cancel(self, caller: str, wanted: MassCancel) -> list[CancelResult]:
        """Take all orders out that match what is named."""
        await self.require_owner(caller, wanted.accountId)

        def work(engine: Engine) -> list[CancelResult]:
            mine = [one for one in engine.state.alive.get(wanted.accountId, {}).values() if _matches(one, wanted)]
            return [_cancelled(one.order_hash, one, engine.cancel(one.order_hash, "by its owner")) for one in mine]

        return await self._desk.run(work)

    async def order(self, caller: str, order_hash: str) -> OrderView:
        """Return one own order."""
        found = await self._own(caller, order_hash)
        await self._desk.durable()
        return order_of(found)

    async def orders_of(self, caller: str, account_id: int, state: str | None, limit: int) -> OrderPage:
        """Return orders of an own account, newest first."""
        await self.require_owner(caller, account_id)
        seq = self._desk.state.seq
        orders = await self._history.orders_of(account_id, state, limit)
        await self._desk.durable()
        return OrderPage(orders=[order_of(order) for order in orders], seq=seq)

    async def fills_of(self, caller: str, account_id: int, before: int | None, limit: int) -> FillPage:
        """Return fills of an own account, newest first."""
        await self.require_owner(caller, account_id)
        seq = self._desk.state.seq
        trades = await self._history.trades(limit, before=before, account_id=account_id)
        await self._desk.durable()
        found = [fill for trade in trades for fill in fills_of(trade, account_id)]
        return FillPage(fills=found[:limit], seq=seq)

    async def protection(self, caller: str, account_id: int) -> ProtectionView | None:
        """Return the protection of an own account."""
        await self.require_owner(caller, account_id)
        guard = self._desk.state.guards.get(account_id)
        return None if guard is None else protection_of(account_id, guard)

    async def protect(self, caller: str, wanted: Protection) -> ProtectionView:
        """Set the protection of an own account."""
        await self.require_owner(caller, wanted.accountId)
        bounds = (wanted.windowMs, wanted.maxFills, wanted.maxDeltaWad, wanted.maxVegaWad)
        await self._desk.run(lambda engine: engine.note(ev.Protected(wanted.accountId, *bounds)))
        return protection_of(wanted.accountId, self._desk.state.guards[wanted.accountId])

    # The gate.

    async def _examine(self, wanted: Sequence[PlaceOrder]) -> list[_Candidate]:
        """Check orders, the cheap questions first; whoever is refused is asked nothing more."""
        candidates = [_Candidate(one) for one in wanted]
        self._check_each(candidates, self._check_terms)
        good = [one for one in candidates if one.problem is None]
        await self._look_up(good)
        self._check_each(good, self._check_history)
        good = [one for one in good if one.problem is None]
        try:
            await self._check_signers(good)
            await self._check_pairs([one for one in good if one.problem is None])
            await self._check_margins([one for one in good if one.problem is None])
        except UnavailableError as problem:
            raise RefusalError("chainDown", f"orders cannot be checked now: {problem}", retry_after_sec=1.0) from None
        return candidates

    @staticmethod
    def _check_each(candidates: Sequence[_Candidate], check: Callable[[_Candidate], None]) -> None:
        """Check orders one by one, and note how each is refused."""
        for one in candidates:
            try:
                check(one)
            except RefusalError as refusal:
                one.refuse(refusal)

    def _check_terms(self, one: _Candidate) -> None:
        """Check what needs no question, and compute the digest."""
        check_terms(one.wanted, self._world, self._steps)
        one.message = message_of(one.wanted.order)
        one.digest = self._digest.fast(one.message)
        one.order_hash = "0x" + one.digest.hex()

    async def _look_up(self, candidates: Sequence[_Candidate]) -> None:
        """Find out what disk and chain say of orders, all of them at once."""
        hashes = [one.order_hash for one in candidates]
        found = await self._history.orders(hashes)
        for one in candidates:
            one.known = found.get(one.order_hash)
        nonces = [(one.wanted.order.signer, one.wanted.order.nonce) for one in candidates]
        await self._follower.ledger.know(hashes, nonces)

    def _check_history(self, one: _Candidate) -> None:
        """Check against what was before: the order itself, its nonce, its fills; and against the account's bounds."""
        order = one.wanted.order
        _refuse_known(one.known)
        if self._follower.ledger.is_paused(order.instrument, self._world.now_ts()):
            text = "order.instrument: its fills are stopped by the guardian"
            raise RefusalError("instrumentPaused", text, field="order.instrument", value=order.instrument)
        check_nonce(order.signer, order.nonce, self._follower.ledger, "order.nonce")
        filled_wad = self._follower.ledger.filled_wad(one.order_hash)
        if filled_wad >= order.quantityWad:
            text = f"order.quantityWad: {filled_wad} of {order.quantityWad} is filled on chain already"
            raise RefusalError("overfilled", text, field="order.quantityWad", value=filled_wad, limit=order.quantityWad)
        guard = self._desk.state.guards.get(order.accountId)
        if guard is not None and guard.is_tripped:
            text = f"the protection of account {order.accountId} has tripped ({guard.reason}); set it again to go on"
            raise RefusalError("barred", text, field="order.accountId", value=order.accountId)
        count = len(self._desk.state.alive.get(order.accountId, ()))
        if count >= self._max_open:
            text = f"account {order.accountId} has {count} open orders, limit {self._max_open}"
            raise RefusalError("tooManyOrders", text, field="order.accountId", value=count, limit=self._max_open)

    async def _check_signers(self, candidates: Sequence[_Candidate]) -> None:
        """Check signatures and authority."""
        if not candidates:
            return
        signed = [(o.wanted.order.signer, o.digest, bytes.fromhex(o.wanted.signature[2:])) for o in candidates]
        asked = [
            (o.wanted.order.accountId, o.wanted.order.signer, o.wanted.order.instrument, o.wanted.order.transferCount)
            for o in candidates
        ]
        for answers in (await self._authority.check_signatures(signed), await self._authority.check_accounts(asked)):
            for one, answer in zip(candidates, answers, strict=True):
                if answer is not None:
                    one.refuse(answer)

    async def _check_pairs(self, candidates: Sequence[_Candidate]) -> None:
        """Check that no other exclusive order of the same nonce has filled on chain."""
        paired = [one for one in candidates if one.wanted.order.exclusive]
        firsts = await self._authority.first_of_pairs(
            [(one.wanted.order.signer, one.wanted.order.nonce) for one in paired]
        )
        for one, first in zip(paired, firsts, strict=True):
            if first and first != one.digest:
                one.refuse(_other_filled(one.wanted.order.nonce, first))

    async def _check_margins(self, candidates: Sequence[_Candidate]) -> None:
        """Check margin with open orders, account by account."""
        groups: defaultdict[int, list[_Candidate]] = defaultdict(list)
        for one in candidates:
            groups[one.wanted.order.accountId].append(one)
        for account_id, members in groups.items():
            answers = await self._margin.check(account_id, [one.leg for one in members])
            for one, answer in zip(members, answers, strict=True):
                if answer is not None:
                    one.refuse(answer)

    def _release(self, candidates: Sequence[_Candidate]) -> None:
        """Let the margin gate count what was placed by the book alone."""
        for one in candidates:
            self._margin.placed(one.wanted.order.accountId, [one.leg])

    def _place(self, engine: Engine, one: _Candidate, instead_of: str | None = None) -> PlaceResult:
        """Give an order that passed to the book, which may still refuse it; one that it replaces goes only then."""
        order = one.wanted.order
        if one.problem is None:
            try:
                # Twice in one batch, or in two that were examined at the same time; or a block came in between.
                _refuse_known(self._history.here(one.order_hash))
                check_nonce(order.signer, order.nonce, self._follower.ledger, "order.nonce")
                new = self._new(one)
                refusal = engine.refusal(new, instead_of)
                if refusal is not None:
                    raise RefusalError(refusal, _TEXTS[refusal], field="order.kind", value=order.kind)  # type: ignore[arg-type]
                if instead_of is not None:
                    # Before the new one is in, so that the two do not trade with each other.
                    engine.cancel(instead_of, f"amended to {one.order_hash}")
                return self._accepted(engine, new)
            except RefusalError as problem:
                one.refuse(problem)
        return PlaceResult(orderHash=one.order_hash or None, order=None, matches=[], problem=one.problem)

    def _new(self, one: _Candidate) -> NewOrder:
        return NewOrder(
            one.order_hash,
            one.message,
            one.wanted.signature,
            one.wanted.timeInForce,
            one.wanted.clientId,
            self._follower.ledger.filled_wad(one.order_hash),
        )

    def _accepted(self, engine: Engine, new: NewOrder) -> PlaceResult:
        first = engine.place(new, now_ms())
        state = engine.state
        met = [state.trades[n] for n in range(first + 1, state.seq + 1) if n in state.trades]
        mine = [match_of(trade) for trade in met if new.order_hash in (trade.maker, trade.taker)]
        return PlaceResult.model_construct(
            orderHash=new.order_hash, order=order_of(state.orders[new.order_hash]), matches=mine, problem=None
        )

    # Who may see and cancel.

    async def _own(self, caller: str, order_hash: str) -> BookOrder:
        """Return an order of the caller, who has signed it or may act for its account."""
        order = await self._history.order(order_hash)
        if order is None:
            text = f"there is no order {order_hash}"
            raise RefusalError("unknownOrder", text, field="orderHash", value=order_hash)
        if caller != order.signer and not await self._authority.is_owner(order.account_id, caller):
            # The same answer as for an order that is not there: hashes are nobody else's business.
            text = f"there is no order {order_hash}"
            raise RefusalError("unknownOrder", text, field="orderHash", value=order_hash)
        return order

    async def require_owner(self, caller: str, account_id: int) -> None:
        """Refuse an account that the caller may not act for."""
        if not await self._authority.is_owner(account_id, caller):
            text = f"accountId: {caller} is neither owner nor operator of account {account_id}"
            raise RefusalError("notYours", text, field="accountId", value=account_id)


def _refuse_known(known: BookOrder | None) -> None:
    """Refuse an order that was here before."""
    if known is None:
        return
    if known.state == BARRED:
        raise RefusalError("barred", f"order {known.order_hash} is barred: {known.reason}", field="order")
    text = f"order {known.order_hash} was accepted before and is {known.state}; a new nonce makes a new order"
    raise RefusalError("duplicate", text, field="order.nonce", value=known.nonce)


def _other_filled(nonce: int, first: bytes) -> RefusalError:
    """Return the refusal of an exclusive order whose nonce is taken."""
    text = f"order.exclusive: order 0x{first.hex()} of nonce {nonce} has traded, and the chain fills no other"
    return RefusalError("otherFilled", text, field="order.exclusive", value=nonce)


def now_ms() -> int:
    """Return the venue's own clock, unix milliseconds."""
    return time.time_ns() // 1_000_000


def _matches(order: BookOrder, wanted: MassCancel) -> bool:
    """Whether an order is among what a mass cancel names."""
    return (
        wanted.underlyingId in (None, order.instrument >> 248)
        and wanted.instrument in (None, order.instrument)
        and wanted.isBuy in (None, order.is_buy)
    )


def _cancelled(order_hash: str, found: BookOrder | Problem, open_wad: int) -> CancelResult:
    """Return what a cancel came to."""
    if isinstance(found, Problem):
        return CancelResult(orderHash=order_hash, cancelledWad=0, pendingWad=0, problem=found)
    return CancelResult(orderHash=order_hash, cancelledWad=open_wad, pendingWad=found.pending_wad, problem=None)
