"""Questions to the contracts, many in one HTTP body, at the newest block of a node that has shown the head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.head import Head
from plimsoll.chain.problem import NodeProblem
from plimsoll.deployment.record import Deployment
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Question

#: What a contract wallet answers for a good signature (ERC-1271).
MAGIC: Final = "1626ba7e"


class Reads:
    """The contracts of one deployment.

    Parameters
    ----------
    endpoints : Endpoints
        Nodes.
    deployment : Deployment
        Addresses.
    """

    def __init__(self, endpoints: Endpoints, deployment: Deployment) -> None:
        self.endpoints, self.deployment = endpoints, deployment
        self.head: Head | None = None

    async def batch(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Send requests to a node that has shown the head; another one is asked when it fails.

        Parameters
        ----------
        requests : sequence
            As ``Node.batch`` takes them.

        Returns
        -------
        list
            Results, or the error that stands for each.

        Raises
        ------
        NodeProblem
            When no node answers.
        """
        nodes = self.endpoints.nodes_at(self.head) if self.head is not None else []
        problem: NodeProblem | None = None
        for node in nodes or list(self.endpoints.nodes):
            try:
                return await node.batch(requests)
            except NodeProblem as reason:
                problem = reason
                self.endpoints.demote(node, str(reason))
        raise problem or NodeProblem("endpoints", "no node is known", "down")

    async def ask(self, questions: Sequence[Question]) -> list[Any]:
        """Ask contracts; a question that failed gives its error.

        Parameters
        ----------
        questions : sequence of Question

        Returns
        -------
        list
            Decoded values, or :class:`PlimsollError`.

        Raises
        ------
        NodeProblem
            When no node answers.
        """
        answers = await self.batch([question.request(self.deployment, "latest") for question in questions])
        found: list[Any] = []
        for question, answer in zip(questions, answers, strict=True):
            try:
                found.append(question.read(answer))
            except PlimsollError as problem:
                found.append(problem)
        return found

    async def one(self, name: str, function: str, *values: Any) -> Any:
        """Ask one question; its error is raised."""
        (answer,) = await self.ask([Question(name, function, values)])
        if isinstance(answer, PlimsollError):
            raise answer
        return answer

    async def are_signed_by_contracts(self, signed: Sequence[tuple[str, bytes, bytes]]) -> list[bool]:
        """Ask contract wallets whether they have signed (ERC-1271).

        Parameters
        ----------
        signed : sequence
            Wallet, digest and signature of each.

        Returns
        -------
        list of bool
            False for a wallet that refuses, reverts, or has no code.
        """
        requests = []
        for wallet, digest, signature in signed:
            tail = signature + bytes(-len(signature) % 32)
            head = digest + (64).to_bytes(32, "big") + len(signature).to_bytes(32, "big")
            requests.append(("eth_call", [{"to": wallet, "data": "0x" + MAGIC + (head + tail).hex()}, "latest"]))
        answers = await self.batch(requests)
        return [isinstance(answer, str) and answer[2:66] == MAGIC + "0" * 56 for answer in answers]
