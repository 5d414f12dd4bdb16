"""One way from a chain that counts to a chain that takes proofs: what both say of it, and the calls that carry it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from plimsoll.chain.node import Node
from plimsoll.chain.problem import NodeProblem
from plimsoll.decide.relays import Waiting
from plimsoll.deployment.record import Deployment
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Question, call_data
from plimsoll.keeper.relay.source import Place, Source
from plimsoll.remote.headers import Header, sign_header
from plimsoll.remote.proofs import StorageProof
from plimsoll.transact.intent import Transaction

#: Sums of one way that are asked about in one pass; the others have their turn in the next ones.
MAX_ASKED: Final = 200
#: What another relayer's earlier transaction makes of ours.
DONE_HEADER: Final = frozenset({"HeaderFeed__Known"})


@dataclass(frozen=True, slots=True)
class Ground:
    """A block of the chain that takes proofs, and one of its nodes that has shown it.

    Parameters
    ----------
    node : Node
    number : int
        Block that everything is asked at.
    final : int
        Newest final block; -1 while that is not known.
    """

    node: Node
    number: int
    final: int = -1


@dataclass(frozen=True, slots=True)
class Facts:
    """What the taking chain says.

    Parameters
    ----------
    newest : int
        Newest header that it knows.
    is_frozen : bool
    threshold : int
        Signatures that a header needs.
    signers : int
        Own keys that it takes signatures of.
    waiting : tuple of Waiting
        Sums of the source beside what was carried of them.
    """

    newest: int
    is_frozen: bool
    threshold: int
    signers: int
    waiting: tuple[Waiting, ...]

    @property
    def missing_signatures(self) -> int:
        """Signatures that own keys do not give; without any signer set not even all of them would do."""
        return max(0, max(self.threshold, 1) - self.signers)


@dataclass(slots=True)
class Way:
    """From one chain to the other.

    Parameters
    ----------
    name : str
        ``claims`` or ``releases``, in metrics and messages.
    intent : str
        Kind of the intent that carries a sum.
    source : Source
        Chain that counts.
    taker : Deployment
        Contracts of the chain that takes proofs.
    contract, done, take : str
        Contract that takes them, its view of what was carried, and its function.
    already_done : frozenset of str
        Errors which say that somebody else carried it.
    slot : Callable
        Where the source keeps the sum of a token and a receiver.
    is_struct : bool
        Whether the function takes the proof as one struct.
    keys : tuple of LocalAccount
        Keys of header signers in this process.
    """

    name: str
    intent: str
    source: Source
    taker: Deployment
    contract: str
    done: str
    take: str
    already_done: frozenset[str]
    slot: Callable[[str, str], bytes]
    is_struct: bool
    keys: tuple[LocalAccount, ...]
    #: Header that no node proves on any more.
    unprovable: int = -1
    #: When this keeper last posted a header, by the process's own clock.
    posted_sec: float | None = None
    _turn: int = field(default=0, init=False)

    async def facts(self, ground: Ground, tokens: frozenset[str]) -> Facts:
        """Ask the taking chain, in one batch, and forget what was carried for good.

        Parameters
        ----------
        ground : Ground
        tokens : frozenset of str
            Tokens that have a claim; sums of others are left alone.

        Returns
        -------
        Facts

        Raises
        ------
        PlimsollError
            When the node does not answer.
        """
        sums = {place: seen for place, seen in self.source.waiting().items() if place[0] in tokens}
        asked = self._share(sorted(sums))
        feed = [Question("HeaderFeed", name) for name in ("newest", "isFrozen", "threshold")]
        feed += [Question("HeaderFeed", "isSigner", (key.address,)) for key in self.keys]
        done = [Question(self.contract, self.done, place) for place in asked]
        requests = [question.request(self.taker, hex(ground.number)) for question in (*feed, *done)]
        if ground.final >= 0:
            requests += [question.request(self.taker, hex(ground.final)) for question in done]
        answers = await ground.node.batch(requests)
        newest, is_frozen, threshold, *may_sign = (q.read(answer) for q, answer in zip(feed, answers, strict=False))
        now = [int(q.read(answer)) for q, answer in zip(done, answers[len(feed) :], strict=False)]
        self._forget(asked, done, answers[len(feed) + len(done) :])
        waiting = [Waiting(*place, sums[place][0], raw, sums[place][1]) for place, raw in zip(asked, now, strict=True)]
        return Facts(int(newest), bool(is_frozen), int(threshold), sum(map(bool, may_sign)), tuple(waiting))

    def signed(self, header: Header) -> dict[str, bytes]:
        """Sign a final header with every key of this process.

        Parameters
        ----------
        header : Header
            From :meth:`Source.final`, which has asked a quorum of nodes.

        Returns
        -------
        dict of str to bytes
            Signatures by address.
        """
        feed, chain_id = self.taker.contracts["HeaderFeed"], self.source.chain_id
        return {key.address: sign_header(key, feed, self.taker.chain_id, chain_id, header) for key in self.keys}

    async def taken(self, ground: Ground, signatures: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the signatures whose signers the feed knows, by rising address, which is how it wants them.

        Parameters
        ----------
        ground : Ground
        signatures : Mapping of str to bytes
            By address.

        Returns
        -------
        dict of str to bytes

        Raises
        ------
        PlimsollError
            When the node does not answer.
        """
        addresses = sorted(signatures, key=lambda address: int(address, 16))
        questions = [Question("HeaderFeed", "isSigner", (address,)) for address in addresses]
        requests = [question.request(self.taker, hex(ground.number)) for question in questions]
        answers = await ground.node.batch(requests) if requests else []
        return {
            address: signatures[address]
            for address, question, answer in zip(addresses, questions, answers, strict=True)
            if question.read(answer)
        }

    def header(self, header: Header, signatures: Sequence[bytes]) -> Transaction:
        """Return the call that posts a header.

        Parameters
        ----------
        header : Header
        signatures : sequence of bytes
            As many as the feed asks for, by rising address of the signers.

        Returns
        -------
        Transaction
        """
        feed = self.taker.contracts["HeaderFeed"]
        data = call_data("HeaderFeed", "postHeader", header.encoded, header.block_hash, list(signatures))
        key = f"{self.headers}{header.number}:{header.block_hash.hex()[:8]}"
        return Transaction(key, feed, data, DONE_HEADER)

    def is_under_way(self, newest: int, keys: Iterable[str]) -> bool:
        """Say whether a header newer than one is among the intents that are sent and not final.

        Parameters
        ----------
        newest : int
            Height.
        keys : iterable of str
            Of the intents.

        Returns
        -------
        bool
        """
        posted = [key.removeprefix(self.headers) for key in keys if key.startswith(self.headers)]
        return any(int(text.split(":")[0]) > newest for text in posted)

    @property
    def headers(self) -> str:
        """What keys of headers of the source begin with."""
        return f"header:{self.source.chain_id}:"

    def carrying(self, entry: Waiting, proof: StorageProof, name: str) -> Transaction:
        """Return the call that carries a sum; its key names what was carried before, and so one effect.

        Parameters
        ----------
        entry : Waiting
        proof : StorageProof
        name : str
            Of the token.

        Returns
        -------
        Transaction
        """
        parts: tuple[Any, ...] = (proof.number, list(proof.account), list(proof.storage))
        data = call_data(self.contract, self.take, entry.token, entry.to, *([parts] if self.is_struct else parts))
        key = f"{self.intent}:{name}:{entry.to}:{entry.done_raw}"
        return Transaction(key, self.taker.contracts[self.contract], data, self.already_done)

    def _share(self, places: Sequence[Place]) -> list[Place]:
        """Return the places whose turn it is."""
        first = self._turn * MAX_ASKED % max(len(places), 1)
        self._turn += 1
        return [*places[first:], *places[:first]][:MAX_ASKED]

    def _forget(self, asked: Sequence[Place], questions: Sequence[Question], answers: Sequence[Any]) -> None:
        """Forget what was carried in a block that is final; where that is not known, it is asked again."""
        for place, question, answer in zip(asked, questions, answers, strict=False):
            if isinstance(answer, NodeProblem):
                continue
            try:
                self.source.carried(place, int(question.read(answer)))
            except PlimsollError:
                # A node that forgot the state of that block, or a contract that was not there yet.
                continue
