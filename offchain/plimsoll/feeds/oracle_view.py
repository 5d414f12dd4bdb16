"""Reads what the feeds need from the chain, in one batch and of one block, over the asynchronous node."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from eth_abi.exceptions import DecodingError

from plimsoll.chain.abi import decode_values, encode_values, load_artifact
from plimsoll.chain.revert import RevertError
from plimsoll.deployment.record import Deployment, artifact_name
from plimsoll.errors import InputError, UnavailableError
from plimsoll.feeds.anchors import anchors_of
from plimsoll.feeds.chain_state import FeedState, SettlementState, TokenState
from plimsoll.feeds.tokens import TokenTerms
from plimsoll.mirror.speed_limit import Limits
from plimsoll.units import wad_to_float

Call = tuple[str, str, tuple[Any, ...]]

_LIMITS: tuple[Call, ...] = (
    ("Oracle", "maxMoveWad", ()),
    ("Oracle", "maxVarianceMoveWad", ()),
    ("Oracle", "heartbeatSec", ()),
)


class Rpc(Protocol):
    """What is needed of a node; :class:`plimsoll.chain.node.Node` is one."""

    @property
    def url(self) -> str:
        """Address without credentials."""
        ...

    async def rpc(self, method: str, *params: Any) -> Any:
        """Send one request."""
        ...

    async def batch(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Send many; errors stand where one failed."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class OracleView:
    """The feeds of one deployment as the chain has them.

    Parameters
    ----------
    node : Rpc
        Endpoint.
    deployment : Deployment
        Names on chain.
    wraps : Mapping[str, str]
        Underlying that a token is a claim on, by symbol, for tokens that the book does not link.
    clock : Callable[[], float]
        The reader's own clock, unix seconds.
    """

    def __init__(
        self,
        node: Rpc,
        deployment: Deployment,
        wraps: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._node, self._deployment, self._clock = node, deployment, clock
        self._wraps = dict(wraps or {})

    async def close(self) -> None:
        """Let go of the endpoint's connections."""
        await self._node.close()

    async def call(self, contract: str, function: str, *values: Any) -> Any:
        """Read one function at the latest block.

        Raises
        ------
        RevertError
            When it reverts.
        UnavailableError
            When the node gives no usable answer.
        """
        method, params = self._request((contract, function, values), "latest")
        return self._decoded((contract, function, values), await self._node.rpc(method, *params))

    async def domain(self) -> dict[str, Any]:
        """Return the EIP-712 domain of the oracle."""
        _, name, version, chain_id, verifying, _, _ = await self.call("Oracle", "eip712Domain")
        return {"name": name, "version": version, "chainId": chain_id, "verifyingContract": verifying}

    async def feed(self, underlying: str, expiries: Collection[int]) -> FeedState:
        """Return the feed of one underlying, with the anchors of some expiries.

        Parameters
        ----------
        underlying : str
            Symbol.
        expiries : Collection[int]
            Those of the round that is looked at.

        Returns
        -------
        FeedState

        Raises
        ------
        UnavailableError
            When the node gives no usable answer.
        """
        number, wanted = self._number(underlying), sorted(expiries)
        now_ts, answers = await self._at_head(
            *_LIMITS,
            ("Oracle", "anchorsOf", (number, wanted)),
            ("Oracle", "lastSpotOf", (number,)),
            ("Oracle", "expiriesOf", (number,)),
        )
        move, variance, heartbeat, anchors, (spot_wad, ts), listed = map(self._sure, answers)
        limits = Limits(wad_to_float(move), wad_to_float(variance), int(heartbeat))
        return FeedState(
            now_ts, limits, ts, wad_to_float(spot_wad), anchors_of(anchors, wanted), tuple(listed), int(self._clock())
        )

    async def tokens(self, symbols: Collection[str]) -> TokenState:
        """Return the last accepted prices of tokens.

        Parameters
        ----------
        symbols : Collection[str]
            Listed tokens.

        Returns
        -------
        TokenState
        """
        wanted = sorted(symbols)
        ids = [self._deployment.tokens[symbol].token_id for symbol in wanted]
        now_ts, answers = await self._at_head(*_LIMITS, *(("Oracle", "tokenAnchorOf", (i,)) for i in ids))
        move, variance, heartbeat, *found = map(self._sure, answers)
        last = {symbol: (ts, wad_to_float(anchor)) for symbol, (ts, anchor) in zip(wanted, found, strict=True)}
        return TokenState(
            now_ts, Limits(wad_to_float(move), wad_to_float(variance), int(heartbeat)), last, int(self._clock())
        )

    async def prices(self, symbols: Collection[str]) -> dict[str, tuple[int, float]]:
        """Return time and price of the last accepted price of tokens, by symbol; time 0 before the first."""
        wanted = sorted(symbols)
        ids = [self._deployment.tokens[symbol].token_id for symbol in wanted]
        _, answers = await self._at_head(*(("Oracle", "lastTokenPriceOf", (i,)) for i in ids))
        found = dict(zip(wanted, map(self._sure, answers), strict=True))
        return {symbol: (ts, wad_to_float(price)) for symbol, (price, ts) in found.items()}

    async def settlement(self, underlying: str, expiry_ts: int) -> SettlementState:
        """Return whether a series has its price."""
        number = self._number(underlying)
        now_ts, (answer,) = await self._at_head(("Oracle", "settlementPriceOf", (number, expiry_ts)))
        if isinstance(answer, RevertError) and answer.name == "Oracle__NotSettled":
            return SettlementState(now_ts, False, int(self._clock()))
        self._sure(answer)
        return SettlementState(now_ts, True, int(self._clock()))

    async def quorum(self) -> int:
        """Return how many signatures the oracle needs."""
        return int(await self.call("Oracle", "threshold"))

    async def is_signer(self, address: str) -> bool:
        """Return whether the oracle takes signatures of an address."""
        return bool(await self.call("Oracle", "isSigner", address))

    async def terms(self) -> tuple[TokenTerms, ...]:
        """Return the terms of every listed token: its link, and the rate that its contract states now.

        A token whose source does not answer has no rate; the others have theirs.
        """
        tokens = sorted(self._deployment.tokens.items())
        ids = [record.token_id for _, record in tokens]
        _, answers = await self._at_head(
            *(("ScenarioBook", "collateralOf", (i,)) for i in ids), *(("RateFeed", "rateOf", (i,)) for i in ids)
        )
        names = {number: name for name, number in self._deployment.underlyings.items()}
        found = []
        for at, (symbol, record) in enumerate(tokens):
            book, rate = self._sure(answers[at]), answers[len(ids) + at]
            linked = names.get(book.linkedUnderlying)
            value = wad_to_float(rate) if isinstance(rate, int) else None
            found.append(TokenTerms(symbol, record.token_id, linked, self._wraps.get(symbol), value))
        return tuple(found)

    def _number(self, underlying: str) -> int:
        number = self._deployment.underlyings.get(underlying)
        if number is None:
            known = ", ".join(sorted(self._deployment.underlyings))
            raise InputError("underlying", f"{underlying!r} is not listed; the deployment has {known}")
        return number

    async def _at_head(self, *calls: Call) -> tuple[int, list[Any]]:
        """Read functions of one block; returns its time, and an error where one failed."""
        block = await self._node.rpc("eth_getBlockByNumber", "latest", False)
        try:
            number, now_ts = str(block["number"]), int(block["timestamp"], 16)
        except (KeyError, TypeError, ValueError):
            raise UnavailableError(self._node.url, "the latest block has no number and time") from None
        answers = await self._node.batch([self._request(call, number) for call in calls])
        decoded = [
            answer if isinstance(answer, Exception) else self._decoded(call, answer)
            for call, answer in zip(calls, answers, strict=True)
        ]
        return now_ts, decoded

    def _request(self, call: Call, block: str) -> tuple[str, Sequence[Any]]:
        contract, function, values = call
        entry = load_artifact(artifact_name(contract)).functions[function]
        data = "0x" + (entry.selector + encode_values(entry.inputs, values)).hex()
        return "eth_call", ({"to": self._deployment.contracts[contract], "data": data}, block)

    def _decoded(self, call: Call, answer: Any) -> Any:
        contract, function, _ = call
        outputs = load_artifact(artifact_name(contract)).functions[function].outputs
        try:
            return decode_values(outputs, bytes.fromhex(str(answer).removeprefix("0x")))
        except (DecodingError, ValueError) as reason:
            text = f"{contract}.{function} answered {str(answer)[:20]!r}, which is not its return value"
            raise UnavailableError(self._node.url, text) from reason

    def _sure(self, answer: Any) -> Any:
        if isinstance(answer, Exception):
            raise UnavailableError(self._node.url, f"the oracle cannot be read ({answer})") from answer
        return answer
