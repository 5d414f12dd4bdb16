"""Margin with open orders, asked of the chain: one ``previewOrders`` for all new orders of an account at a time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from plimsoll.chain.revert import RevertError
from plimsoll.client.schema.problem import RefusalError
from plimsoll.constants import WAD
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Question
from plimsoll.protocol.orders import UNCONDITIONAL
from plimsoll.venue.chain.world import World

#: No contract looks at the signature of a previewed order; nobody can cancel a nonce of the zero address.
NOBODY: Final = "0x" + "00" * 20
FOREVER_TS: Final = 2**40 - 1
#: Previews that one batch of one account may cost; the rest of the batch is refused.
MOST_PREVIEWS: Final = 32
#: Linear prices of a preview are whole steps of 1e-8.
_STEP: Final = WAD // 10**8


@dataclass(frozen=True, slots=True)
class Leg:
    """What may fill of one order: instrument, side, quantity and price."""

    instrument: int
    is_buy: bool
    quantity_wad: int
    price_wad: int


@dataclass(slots=True)
class _Queue:
    """New legs of one account that wait for a preview."""

    waiting: list[tuple[Leg, asyncio.Future[None]]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


def bundled(account_id: int, transfer_count: int, legs: Iterable[Leg]) -> list[dict[str, Any]]:
    """Return legs as orders for a preview, one for each instrument and side.

    A preview fills all buys or all sells of an underlying at their limits, so that many orders of one side are one
    order of their sum at their mean price, rounded against the account.

    Parameters
    ----------
    account_id : int
        Account.
    transfer_count : int
        Of the account, now.
    legs : iterable of Leg

    Returns
    -------
    list of dict
        ``IExchange.Order``.
    """
    sums: defaultdict[tuple[int, bool], list[int]] = defaultdict(lambda: [0, 0])
    for leg in legs:
        total = sums[leg.instrument, leg.is_buy]
        total[0] += leg.quantity_wad
        total[1] += leg.quantity_wad * leg.price_wad
    orders = []
    for (instrument, is_buy), (quantity_wad, value) in sums.items():
        price_wad = -(-value // quantity_wad) if is_buy else value // quantity_wad
        orders.append(
            {
                "accountId": account_id,
                "instrument": instrument,
                "isBuy": is_buy,
                "quantityWad": quantity_wad,
                "priceWad": -(-price_wad // _STEP) * _STEP if is_buy else price_wad // _STEP * _STEP,
                "nonce": 0,
                "expiryTs": FOREVER_TS,
                "signer": NOBODY,
                "kind": 0,
                "reduceOnly": False,
                "maxFeeWad": 0,
                "transferCount": transfer_count,
                **UNCONDITIONAL,
            }
        )
    return orders


def excess_wad(margin: Any) -> int:
    """Return equity less initial margin, wad."""
    return int(margin.equityWad) - int(margin.initialWad)


class MarginGate:
    """Checks new orders of many accounts, those of one account together.

    Parameters
    ----------
    world : World
        For fees and reads.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._queues: defaultdict[int, _Queue] = defaultdict(_Queue)
        #: Legs that passed and are not in the book yet, by account.
        self._passed: defaultdict[int, list[Leg]] = defaultdict(list)
        self.open_legs: Any = lambda account_id: ()
        #: Previews asked since the start.
        self.asked = 0

    async def check(self, account_id: int, legs: Sequence[Leg]) -> list[RefusalError | None]:
        """Return for each new leg why the account cannot bear it on top of all that is open, or nothing.

        Parameters
        ----------
        account_id : int
            Account.
        legs : sequence of Leg
            New ones.

        Returns
        -------
        list
            What passes counts as open until :meth:`placed`.

        Raises
        ------
        PlimsollError
            When the chain does not answer.
        """
        loop = asyncio.get_running_loop()
        queue = self._queues[account_id]
        futures = [loop.create_future() for _ in legs]
        queue.waiting += zip(legs, futures, strict=True)
        if queue.task is None or queue.task.done():
            queue.task = asyncio.create_task(self._drain(account_id, queue))
        answers = await asyncio.gather(*futures, return_exceptions=True)
        found: list[RefusalError | None] = []
        for answer in answers:
            if isinstance(answer, RefusalError) or answer is None:
                found.append(answer)
            else:
                self.placed(account_id, [leg for leg, got in zip(legs, answers, strict=True) if got is None])
                raise answer
        return found

    def placed(self, account_id: int, legs: Iterable[Leg]) -> None:
        """Note that legs which passed are in the book, or were given up."""
        passed = self._passed[account_id]
        for leg in legs:
            if leg in passed:
                passed.remove(leg)
        if not passed:
            del self._passed[account_id]

    async def _drain(self, account_id: int, queue: _Queue) -> None:
        while queue.waiting:
            taken, queue.waiting = queue.waiting, []
            try:
                refused = await self._judge(account_id, [leg for leg, _ in taken])
            # Whatever judging failed with is the answer of all who wait for it, and the next ones are judged anew.
            except Exception as problem:
                for _, future in taken:
                    if not future.done():
                        future.set_exception(problem)
                continue
            for place, (leg, future) in enumerate(taken):
                if future.done():
                    continue
                if place in refused:
                    future.set_exception(refused[place])
                else:
                    self._passed[account_id].append(leg)
                    future.set_result(None)
        self._queues.pop(account_id, None)

    async def _judge(self, account_id: int, legs: Sequence[Leg]) -> dict[int, RefusalError]:
        """Find out which legs of a batch the account can bear: all, or by halves as many as possible, oldest first."""
        count = await self._world.reads.one("Accounts", "transferCountOf", account_id)
        base = [*self.open_legs(account_id), *self._passed.get(account_id, ())]
        refused: dict[int, RefusalError] = {}
        left = MOST_PREVIEWS

        async def fit(places: Sequence[int], before: list[Leg]) -> list[Leg]:
            nonlocal left
            left -= 1
            if left < 0:
                problem: RefusalError | None = RefusalError(
                    "margin", "too many orders of this batch are beyond the margin of the account; send fewer"
                )
            else:
                problem = await self._ask(account_id, count, [*before, *(legs[place] for place in places)])
            if problem is None:
                return [*before, *(legs[place] for place in places)]
            if len(places) == 1 or left <= 0:
                refused.update(dict.fromkeys(places, problem))
                return before
            half = len(places) // 2
            return await fit(places[half:], await fit(places[:half], before))

        await fit(range(len(legs)), base)
        return refused

    async def _ask(self, account_id: int, transfer_count: int, legs: Sequence[Leg]) -> RefusalError | None:
        """Ask for one set of legs."""
        self.asked += 1
        orders = bundled(account_id, transfer_count, legs)
        (answer,) = await self._world.reads.ask([Question("OrderPreview", "previewOrders", (account_id, orders))])
        if isinstance(answer, RevertError):
            return RefusalError("margin", f"the margin of account {account_id} cannot be computed: it {answer.message}")
        if isinstance(answer, PlimsollError):
            raise answer
        return self._verdict(account_id, answer, legs)

    def _verdict(self, account_id: int, preview: Any, legs: Sequence[Leg]) -> RefusalError | None:
        """Say whether the worst case, fees included, leaves the initial margin, or at least no less than there is."""
        before_wad, worst_wad = excess_wad(preview.before_), excess_wad(preview.worst)
        fees = self._world.fees
        rate_wad = max(fees.takerLinearWad, fees.takerOptionWad, fees.makerLinearWad, fees.makerOptionWad)
        fee_wad = sum(leg.quantity_wad * leg.price_wad // WAD for leg in legs) * rate_wad // WAD
        if worst_wad - fee_wad >= 0 or (worst_wad >= before_wad and not fee_wad):
            return None
        equity_wad, initial_wad = preview.worst.equityWad, preview.worst.initialWad
        text = (
            f"account {account_id} would have equity {equity_wad / WAD:,.2f} against initial margin "
            f"{initial_wad / WAD:,.2f} in the worst case of its open orders, fees of {fee_wad / WAD:,.2f} included"
        )
        return RefusalError("margin", text, field="order.quantityWad", value=equity_wad - fee_wad, limit=initial_wad)
