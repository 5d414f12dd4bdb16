"""What governance may change, followed block by block: parameters, the heartbeat, what the fund may pay."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from plimsoll.chain.client import Client
from plimsoll.chain.node import Node
from plimsoll.decide import AuctionTerms
from plimsoll.deployment.record import Deployment
from plimsoll.errors import DomainError
from plimsoll.keeper.calls import Block, Question
from plimsoll.params import Params
from plimsoll.protocol.parameters import chain_params
from plimsoll.units import wad_to_float

HEARTBEAT: Final = Question("Oracle", "heartbeatSec")
VERSION: Final = Question("ScenarioBook", "version")
FUND: Final = Question("InsuranceFund", "availableWad")
QUESTIONS: Final = (HEARTBEAT, VERSION, FUND)


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of one block.

    Parameters
    ----------
    params : Params or None
        ``None`` where governance stores rows that the mirror has no form for: then the contract says every margin.
    heartbeat_sec : int
        Age at which a price no longer counts.
    fund_available : float
        What the insurance fund may pay now, cash.
    """

    params: Params | None
    heartbeat_sec: int
    fund_available: float

    @property
    def auctions(self) -> AuctionTerms:
        """Terms of auctions; those of the first deployment while parameters are unknown."""
        account = (self.params or Params()).account
        return AuctionTerms(account.buffer, account.fee_rate, account.bonus_share)


class Governance:
    """Follows the terms of one deployment.

    Parameters
    ----------
    deployment : Deployment
        Which contracts.
    address : str
        Node that parameters are read from when they changed.
    """

    def __init__(self, deployment: Deployment, address: str) -> None:
        self._deployment = deployment
        self._address = address
        self._version: int | None = None
        self._params: Params | None = None
        #: Why there are no parameters; empty while there are.
        self.problem = ""

    async def follow(self, node: Node, block: Block) -> Terms:
        """Read the terms of a block.

        Parameters
        ----------
        node : Node
            One that has shown the block.
        block : Block
            Which.

        Returns
        -------
        Terms

        Raises
        ------
        PlimsollError
            When a node does not answer.
        """
        answers = await node.batch([question.request(self._deployment, block) for question in QUESTIONS])
        heartbeat_sec, version, fund_wad = (
            question.read(answer) for question, answer in zip(QUESTIONS, answers, strict=True)
        )
        if version != self._version:
            await self._read_params()
            self._version = version
        return Terms(self._params, int(heartbeat_sec), wad_to_float(fund_wad))

    async def _read_params(self) -> None:
        """Read all parameters; rows of governance's own leave none."""
        try:
            self._params = await asyncio.to_thread(chain_params, Client(self._address), self._deployment)
            self.problem = ""
        except DomainError as problem:
            self._params, self.problem = None, problem.message
