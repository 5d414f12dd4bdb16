"""The claims to tokens of the other chain: which there are, what people call them, and what their caps leave free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from plimsoll.deployment.deploy import NOBODY
from plimsoll.deployment.record import Deployment
from plimsoll.keeper.calls import Question
from plimsoll.keeper.relay.way import Ground

#: Tokens without a claim that one pass asks about: anybody may lock anything.
MAX_UNKNOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Claim:
    """The claim to one token.

    Parameters
    ----------
    address : str
        Claim token.
    name : str
        Its symbol in the deployment, or its address.
    decimals : int
    """

    address: str
    name: str
    decimals: int


class Claims:
    """Knows the claims of a deployment, those that governance lists later too.

    Parameters
    ----------
    deployment : Deployment
        Of the home chain.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.known: dict[str, Claim] = {}
        self._turn = 0

    async def learn(self, ground: Ground, tokens: Iterable[str]) -> None:
        """Ask which tokens have a claim.

        Parameters
        ----------
        ground : Ground
            Of the home chain.
        tokens : iterable of str
            Tokens of the other chain that anything waits of.

        Raises
        ------
        PlimsollError
            When the node does not answer.
        """
        unknown = sorted(set(tokens) - self.known.keys())
        first = self._turn * MAX_UNKNOWN % max(len(unknown), 1)
        self._turn += 1
        unknown = [*unknown[first:], *unknown[:first]][:MAX_UNKNOWN]
        listed = {token: claim for token, (claim, _) in (await self._terms(ground, unknown)).items() if claim != NOBODY}
        decimals = await self._ask(ground, list(listed.values()), "decimals")
        names = {record.address.lower(): symbol for symbol, record in self._deployment.tokens.items()}
        for (token, claim), found in zip(listed.items(), decimals, strict=True):
            self.known[token] = Claim(claim, names.get(claim.lower(), claim), int(found))

    async def room(self, ground: Ground, tokens: Iterable[str]) -> Mapping[str, int]:
        """Return what caps leave free, smallest units by token.

        Parameters
        ----------
        ground : Ground
            Of the home chain.
        tokens : iterable of str
            Tokens that are known.

        Returns
        -------
        Mapping of str to int

        Raises
        ------
        PlimsollError
            When the node does not answer.
        """
        asked = sorted(set(tokens))
        terms = await self._terms(ground, asked)
        supplies = await self._ask(ground, [claim for claim, _ in terms.values()], "totalSupply")
        return {
            token: max(0, cap - int(supply)) for (token, (_, cap)), supply in zip(terms.items(), supplies, strict=True)
        }

    async def _terms(self, ground: Ground, tokens: list[str]) -> dict[str, tuple[str, int]]:
        """Return claim token and cap of each token."""
        questions = [Question("RemoteClaims", "claimOf", (token,)) for token in tokens]
        requests = [question.request(self._deployment, hex(ground.number)) for question in questions]
        answers = await ground.node.batch(requests) if requests else []
        found = [question.read(answer) for question, answer in zip(questions, answers, strict=True)]
        return {token: (str(claim), int(cap)) for token, (claim, cap) in zip(tokens, found, strict=True)}

    async def _ask(self, ground: Ground, claims: list[str], function: str) -> list[Any]:
        """Ask every claim token for one figure."""
        question = Question("ClaimToken", function)
        places = [replace(self._deployment, contracts={"ClaimToken": claim}) for claim in claims]
        requests = [question.request(place, hex(ground.number)) for place in places]
        return [question.read(answer) for answer in (await ground.node.batch(requests) if requests else [])]
