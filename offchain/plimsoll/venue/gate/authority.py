"""Who has signed, and whether the signer may trade for the account now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from plimsoll.chain.revert import RevertError
from plimsoll.client.schema.problem import RefusalError
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Question
from plimsoll.venue.chain.digests import signer_of
from plimsoll.venue.chain.world import World

#: Answers that are kept for the length of one block.
MOST_KEPT: Final = 50_000


class Authority:
    """Answers about signers, each asked once a block.

    Parameters
    ----------
    world : World
        For reads and the head.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="signatures")
        self._block = ""
        self._known: dict[tuple[object, ...], object] = {}

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(wait=False)

    async def check_signatures(self, signed: Sequence[tuple[str, bytes, bytes]]) -> list[RefusalError | None]:
        """Return for each signer, digest and signature why it does not count, or nothing.

        Keys are recovered in a thread; whoever did not sign by a key is asked as a contract (ERC-1271).
        """
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._pool, _recover, signed)
        others = [place for place, (item, key) in enumerate(zip(signed, found, strict=True)) if key != item[0]]
        answers: list[RefusalError | None] = [None] * len(signed)
        if others:
            said = await self._world.reads.are_signed_by_contracts([signed[place] for place in others])
            for place, is_signed in zip(others, said, strict=True):
                if not is_signed:
                    who = found[place] or "nobody"
                    text = f"signature: is of {who} and not of {signed[place][0]}, where no contract wallet accepts it"
                    answers[place] = RefusalError(
                        "badSignature", text, field="signature", value=who, limit=signed[place][0]
                    )
        return answers

    async def check_accounts(self, asked: Sequence[tuple[int, str, int, int]]) -> list[RefusalError | None]:
        """Return for each account, signer, instrument and signed transfer count why it may not trade, or nothing."""
        questions: dict[tuple[object, ...], Question] = {}
        for account_id, signer, instrument, _ in asked:
            questions["owner", account_id] = Question("Accounts", "ownerOf", (account_id,))
            questions["count", account_id] = Question("Accounts", "transferCountOf", (account_id,))
            questions["authorised", account_id, signer] = Question("Accounts", "isAuthorised", (account_id, signer))
            values = (account_id, signer, instrument)
            questions[("allowed", *values)] = Question("Delegation", "requireAllowed", values)
        known = await self._ask({key: question for key, question in questions.items() if key[0] != "allowed"})
        delegates = {
            key: question
            for key, question in questions.items()
            if key[0] == "allowed" and known.get(("authorised", key[1], key[2])) is not True
        }
        known |= await self._ask(delegates)
        return [_verdict(known, *item) for item in asked]

    async def is_owner(self, account_id: int, address: str) -> bool:
        """Return whether an address is the owner or an operator of an account."""
        key = ("authorised", account_id, address)
        question = Question("Accounts", "isAuthorised", (account_id, address))
        return (await self._ask({key: question}))[key] is True

    async def first_of_pairs(self, pairs: Sequence[tuple[str, int]]) -> list[bytes | None]:
        """Return for each signer and nonce the exclusive order that the chain has filled; nothing where there is none.

        Raises
        ------
        PlimsollError
            When the chain does not answer.
        """
        questions: dict[tuple[object, ...], Question] = {
            ("first", *pair): Question("Exchange", "exclusiveOf", pair) for pair in pairs
        }
        known = await self._ask(questions)
        digests = [known[("first", *pair)] for pair in pairs]
        return [digest if isinstance(digest, bytes) and any(digest) else None for digest in digests]

    async def _ask(self, questions: dict[tuple[object, ...], Question]) -> dict[tuple[object, ...], object]:
        """Ask what is not known at this block."""
        if self._world.head.hash != self._block or len(self._known) > MOST_KEPT:
            self._block, self._known = self._world.head.hash, {}
        found = {key: self._known[key] for key in questions if key in self._known}
        missing = {key: question for key, question in questions.items() if key not in found}
        if missing:
            # Whoever comes next may be at another block; these answers are kept for this one.
            keep = self._known
            for key, answer in zip(missing, await self._world.reads.ask(list(missing.values())), strict=True):
                if isinstance(answer, PlimsollError) and not isinstance(answer, RevertError):
                    raise answer
                found[key] = keep[key] = answer
        return found


def _recover(signed: Sequence[tuple[str, bytes, bytes]]) -> list[str | None]:
    return [signer_of(digest, signature) for _, digest, signature in signed]


def _verdict(
    known: dict[tuple[object, ...], object], account_id: int, signer: str, instrument: int, transfer_count: int
) -> RefusalError | None:
    """Say why an account or a signer may not trade."""
    if isinstance(known["owner", account_id], RevertError):
        text = f"order.accountId: there is no account {account_id}"
        return RefusalError("unknownAccount", text, field="order.accountId", value=account_id)
    count = known["count", account_id]
    if count != transfer_count:
        text = f"order.transferCount: account {account_id} has changed hands {count} times, the order says "
        text += f"{transfer_count}"
        return RefusalError("transferred", text, field="order.transferCount", value=transfer_count, limit=count)
    if known["authorised", account_id, signer] is True:
        return None
    refused = known["allowed", account_id, signer, instrument]
    if isinstance(refused, RevertError):
        text = f"order.signer: {signer} may not trade this for account {account_id}: {refused.message}"
        return RefusalError("notAuthorised", text, field="order.signer", value=signer)
    return None
