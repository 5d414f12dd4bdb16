"""Carries out what pending entries need: sent again, signed anew with higher fees, gaps filled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from plimsoll.chain.head import Head
from plimsoll.chain.problem import NodeProblem
from plimsoll.transact.context import Context, day_of
from plimsoll.transact.desk import Desk
from plimsoll.transact.entry import OBSOLETE, PENDING, Entry, State
from plimsoll.transact.event import Notice
from plimsoll.transact.fees import Fees, replacement
from plimsoll.transact.fence import OvertakenError
from plimsoll.transact.ground import Ground, quantity, survey
from plimsoll.transact.intent import Outcome, Result, Simulation, Transaction
from plimsoll.transact.plan import filler_of, raised_entry, signed_entry
from plimsoll.transact.pursue import Pushes, pursue
from plimsoll.transact.sighting import Sighting
from plimsoll.transact.signing import TRANSFER_GAS


class Pusher:
    """Pushes of one transactor.

    Parameters
    ----------
    context : Context
        Shared parts.
    desk : Desk
        Its simulation and its delivery are used.
    """

    def __init__(self, context: Context, desk: Desk) -> None:
        self._context = context
        self._desk = desk
        self._delivery = desk.delivery

    async def push(self, entries: Sequence[Entry], sighting: Sighting, head: Head) -> list[Outcome]:
        """Send what pending entries need.

        Parameters
        ----------
        entries : Sequence[Entry]
            Unfinished entries.
        sighting : Sighting
            What the chain shows of them.
        head : Head
            Agreed head.

        Returns
        -------
        list[Outcome]
            Intents that were given up.
        """
        context = self._context
        room_wei = await self.room_wei(entries, head)
        pushes = pursue(entries, sighting, head.number, context.policy, room_wei, context.signer)
        for event in pushes.events:
            context.tell(event)
        obsolete = await self._obsolete(pushes, sighting, head)
        outcomes, ready = await self._give_up(obsolete, sighting, head)
        again = [entry for entry in pushes.again if entry.row_id not in obsolete]
        ready += [entry for entry in again if self._is_paid_for(entry, sighting.ground)]
        ready += await self.write_raised([item for item in pushes.raised if item[0].row_id not in obsolete], head)
        ready += await self.write_fillers({nonce: None for nonce in pushes.gaps}, sighting.ground, head)
        return outcomes + (await self._delivery.deliver(ready, sighting.ground, head)).outcomes

    async def send_again(self, entries: Sequence[Entry], head: Head) -> None:
        """Send entries as they are, whatever the balance.

        Parameters
        ----------
        entries : Sequence[Entry]
            Pending entries.
        head : Head
            Agreed head.
        """
        await self._delivery.deliver(entries, None, head)

    async def room_wei(self, entries: Sequence[Entry], head: Head) -> int | None:
        """Return what the day's spend cap leaves beyond the worst case of what is pending; ``None`` for no cap."""
        cap_wei = self._context.policy.daily_spend_wei
        if cap_wei is None:
            return None
        spent_wei = await asyncio.to_thread(self._context.ledger.spent_wei, day_of(head))
        return cap_wei - spent_wei - sum(entry.worst_cost_wei for entry in entries if entry.state in PENDING)

    async def write_raised(self, raised: Sequence[tuple[Entry, Fees]], head: Head) -> list[Entry]:
        """Sign entries anew and journal their hashes.

        Parameters
        ----------
        raised : Sequence[tuple[Entry, Fees]]
            Pending entries and their next fees.
        head : Head
            Agreed head.

        Returns
        -------
        list[Entry]
            To be sent; one that somebody else changed meanwhile is left out.
        """
        signed = [(raised_entry(self._context, entry, fees, head), True) for entry, fees in raised]
        written = await self._written(signed)
        self._context.on_replaced(len(written))
        return written

    async def write_fillers(self, fees_of: dict[int, Fees | None], ground: Ground, head: Head) -> list[Entry]:
        """Journal empty transfers that use up nonces.

        Parameters
        ----------
        fees_of : dict[int, Fees or None]
            By nonce; ``None`` for what the chain asks for.
        ground : Ground
            Fees and balance.
        head : Head
            Agreed head.

        Returns
        -------
        list[Entry]
            To be sent; none while the chain is too expensive.
        """
        opening = ground.market.opening(self._context.policy)
        if not fees_of or opening is None:
            return []
        gas = await self._transfer_gas(head)
        fillers = []
        for nonce, fees in fees_of.items():
            transaction = Transaction(f"fill:{nonce}", self._context.signer, b"")
            fillers.append(signed_entry(self._context, nonce, transaction, gas, fees or opening, head))
            self._context.say(Notice.GAP, f"nonce {nonce} is filled with an empty transfer", f"fill:{nonce}")
        return await self._written([(entry, False) for entry in fillers])

    async def _obsolete(self, pushes: Pushes, sighting: Sighting, head: Head) -> dict[int, tuple[Entry, Simulation]]:
        """Find pending entries whose effect is no longer to be had, before more is spent on them."""
        patience = self._context.policy.bump_after_blocks
        # What was mined once may need what stands before it, which is pursued again just as well.
        asked = [e for e in pushes.again if not e.block_hash and head.number - e.planned_block >= patience]
        asked += [entry for entry, _ in pushes.raised if not entry.block_hash and entry.nonce == sighting.ground.used]
        asked = [entry for entry in asked if not entry.is_filler]
        if not asked:
            return {}
        simulations, _ = await self._desk.simulate([entry.transaction for entry in asked], head)
        return {
            entry.row_id: (entry, seen)
            for entry, seen in zip(asked, simulations, strict=True)
            if seen.result in (Result.ALREADY_DONE, Result.FAILED)
        }

    async def _give_up(
        self, obsolete: dict[int, tuple[Entry, Simulation]], sighting: Sighting, head: Head
    ) -> tuple[list[Outcome], list[Entry]]:
        """Put an empty transfer in the place of each obsolete entry, where the cap on fees allows it."""
        outcomes: list[Outcome] = []
        fillers: list[Entry] = []
        gas = await self._transfer_gas(head) if obsolete else 0
        for entry, seen in obsolete.values():
            fees = replacement(entry.fees, sighting.ground.market, self._context.policy)
            if fees is None:
                continue
            dropped = replace(entry, state=State.DROPPED, answer=OBSOLETE, reason=seen.reason)
            written = await self._write([dropped], [filler_of(self._context, entry, fees, gas, head)])
            if written:
                self._context.on_replaced(1)
                outcomes.append(Outcome(entry.key, seen.result, seen.reason))
                fillers.append(written[-1])
        return outcomes, fillers

    async def _write(self, changed: Sequence[Entry], added: Sequence[Entry]) -> list[Entry]:
        """Write entries inside the signer's lock; nothing when somebody else was faster."""
        async with self._context.lock:
            try:
                return await asyncio.to_thread(self._context.ledger.write, changed, added)
            except OvertakenError:
                return []

    async def _written(self, entries: Sequence[tuple[Entry, bool]]) -> list[Entry]:
        """Write entries one by one, inside the signer's lock."""
        written: list[Entry] = []
        for entry, is_known in entries:
            written += await self._write([entry] if is_known else [], [] if is_known else [entry])
        return written

    async def _transfer_gas(self, head: Head) -> int:
        """Ask what an empty transfer needs: rollups charge more than the 21,000 of other chains."""
        signer = self._context.signer
        call = {"from": signer, "to": signer}
        question = ("eth_estimateGas", [call, hex(head.number)])
        node, _, (answer,) = await survey(self._context.endpoints, signer, head, [question])
        try:
            return max(TRANSFER_GAS, self._context.policy.gas_limit(quantity(node.url, answer, "eth_estimateGas")))
        except NodeProblem:
            return TRANSFER_GAS

    def _is_paid_for(self, entry: Entry, ground: Ground) -> bool:
        """Whether the balance covers an entry; sending it is no use before that."""
        if entry.worst_cost_wei <= ground.balance_wei:
            return True
        text = f"has {ground.balance_wei} wei, {entry.key} needs up to {entry.worst_cost_wei}"
        self._context.say(Notice.NO_FUNDS, text)
        return False
