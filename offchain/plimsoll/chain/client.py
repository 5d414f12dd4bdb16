"""JSON-RPC client: single and batched calls, signed transactions, reverts by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from requests.exceptions import RequestException
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from plimsoll.chain.head import data_of, hash_of, whole_of
from plimsoll.chain.revert import RevertError, decode_revert
from plimsoll.errors import PlimsollError, UnavailableError

RECEIPT_TIMEOUT_SEC = 120.0


REQUEST_TIMEOUT_SEC = 120.0


GAS_MARGIN = 1.25


class RpcError(PlimsollError):
    """The node answered a request with an error that is not a revert."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the demo and the keeper need from a mined transaction."""

    tx_hash: str
    status: int
    block_number: int
    gas_used: int
    contract_address: str | None
    logs: tuple[dict[str, Any], ...]


def _receipt(url: str, raw: Any) -> Receipt:
    """Read the node's receipt."""
    try:
        return Receipt(
            tx_hash=hash_of(raw["transactionHash"]),
            status=whole_of(raw["status"]),
            block_number=whole_of(raw["blockNumber"]),
            gas_used=whole_of(raw["gasUsed"]),
            contract_address=raw.get("contractAddress"),
            logs=tuple(raw["logs"]),
        )
    except (TypeError, KeyError, ValueError, AttributeError) as reason:
        raise UnavailableError(url, f"eth_getTransactionReceipt: the answer is no receipt ({reason!r})") from reason


class Client:
    """One endpoint. Not safe for several threads.

    Parameters
    ----------
    url : str
        HTTP address of the node.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._provider = HTTPProvider(
            url, request_kwargs={"timeout": REQUEST_TIMEOUT_SEC}, exception_retry_configuration=None
        )
        self._chain_id: int | None = None
        self._nonces: dict[str, int] = {}

    def rpc(self, method: str, *params: Any) -> Any:
        """Send one request.

        Parameters
        ----------
        method : str
            JSON-RPC method.
        *params : Any
            Its parameters.

        Returns
        -------
        Any
            The ``result`` field.

        Raises
        ------
        UnavailableError
            When the endpoint cannot be reached.
        RevertError
            When the node reports a revert.
        RpcError
            On any other error answer.
        """
        try:
            answer = self._provider.make_request(RPCEndpoint(method), list(params))
        except (RequestException, ValueError, OSError) as reason:
            raise UnavailableError(self.url, f"no answer to {method} ({type(reason).__name__})") from reason
        return self._result(method, answer)

    def batch(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Send many requests in one HTTP body.

        Parameters
        ----------
        requests : Sequence[tuple[str, Sequence[Any]]]
            Method and parameters of each.

        Returns
        -------
        list
            Results in the order of the requests; an answer that is an error is returned, not raised.

        Raises
        ------
        UnavailableError
            When the endpoint cannot be reached.
        """
        if not requests:
            return []
        try:
            answers: Any = self._provider.make_batch_request([(RPCEndpoint(m), list(p)) for m, p in requests])
        except (RequestException, ValueError, KeyError, TypeError, AttributeError, OSError) as reason:
            # The provider looks for ids itself, and trips over answers that have none.
            raise UnavailableError(self.url, f"no answer to a batch ({type(reason).__name__})") from reason
        if not isinstance(answers, list):
            raise UnavailableError(self.url, "the endpoint does not answer batches")
        ordered = sorted(answers, key=lambda answer: int(answer["id"]))
        if len(ordered) != len(requests):
            raise UnavailableError(self.url, f"a batch of {len(requests)} got {len(ordered)} answers")
        results: list[Any] = []
        for (method, _), answer in zip(requests, ordered, strict=True):
            try:
                results.append(self._result(method, answer))
            except (RevertError, RpcError) as problem:
                results.append(problem)
        return results

    def _result(self, method: str, answer: Any) -> Any:
        """Unwrap one answer."""
        if not isinstance(answer, dict):
            raise UnavailableError(self.url, f"{method}: the answer is no object")
        problem = answer.get("error")
        if problem is None:
            if "result" not in answer:
                raise UnavailableError(self.url, f"{method}: the answer has neither a result nor an error")
            return answer["result"]
        data = problem.get("data") if isinstance(problem, dict) else None
        if isinstance(data, str) and data.startswith("0x"):
            raise decode_revert(method, data)
        text = problem.get("message", str(problem)) if isinstance(problem, dict) else str(problem)
        raise RpcError(self.url, f"{method}: {text}")

    def _whole(self, method: str, answer: Any) -> int:
        """Read a quantity out of what a method answered."""
        try:
            return whole_of(answer)
        except ValueError as reason:
            raise UnavailableError(self.url, f"{method}: {str(reason)[:200]}") from reason

    def _latest(self, answer: Any) -> dict[str, Any]:
        """Read the latest block out of an answer."""
        if not isinstance(answer, dict) or "number" not in answer:
            raise UnavailableError(self.url, f"eth_getBlockByNumber: {str(answer)[:200]!r} is no block")
        return answer

    @property
    def chain_id(self) -> int:
        """Chain id of the endpoint, asked once."""
        if self._chain_id is None:
            self._chain_id = self._whole("eth_chainId", self.rpc("eth_chainId"))
        return self._chain_id

    def block_number(self) -> int:
        """Return the number of the latest block."""
        return self._whole("eth_blockNumber", self.rpc("eth_blockNumber"))

    def block_ts(self) -> int:
        """Return the timestamp of the latest block, unix seconds."""
        block = self._latest(self.rpc("eth_getBlockByNumber", "latest", False))
        return self._whole("eth_getBlockByNumber: timestamp", block.get("timestamp"))

    def call(self, to: str, data: bytes, sender: str | None = None, block: str = "latest") -> bytes:
        """Run ``eth_call``.

        Parameters
        ----------
        to : str
            Contract address.
        data : bytes
            Call data.
        sender : str, optional
            ``msg.sender`` of the call.
        block : str
            Block tag or hexadecimal number.

        Returns
        -------
        bytes
            Return data.

        Raises
        ------
        RevertError
            When the call reverts.
        UnavailableError
            When the answer is no data.
        """
        request = {"to": to, "data": "0x" + data.hex()}
        if sender is not None:
            request["from"] = sender
        return self.data(self.rpc("eth_call", request, block))

    def data(self, answer: Any) -> bytes:
        """Read data out of an answer to ``eth_call``.

        Parameters
        ----------
        answer : Any
            Result as :meth:`rpc` and :meth:`batch` return it.

        Returns
        -------
        bytes
            Return data.

        Raises
        ------
        UnavailableError
            When it is no data.
        """
        try:
            return data_of(answer)
        except ValueError as reason:
            raise UnavailableError(self.url, f"eth_call: {reason}") from reason

    def fees(self) -> tuple[int, int]:
        """Suggest the fee cap and the tip.

        Returns
        -------
        tuple[int, int]
            ``maxFeePerGas`` (twice the base fee plus the tip) and ``maxPriorityFeePerGas``, wei.
        """
        block, tip_hex = self.batch([("eth_getBlockByNumber", ["latest", False]), ("eth_maxPriorityFeePerGas", [])])
        if isinstance(block, PlimsollError):
            raise block
        tip = self._whole("eth_maxPriorityFeePerGas", tip_hex) if isinstance(tip_hex, str) else 0
        base = self._whole("eth_getBlockByNumber: baseFeePerGas", self._latest(block).get("baseFeePerGas", "0x0"))
        return 2 * base + tip, tip

    def sign(
        self, account: LocalAccount, to: str | None, data: bytes, nonce: int, gas: int, fees: tuple[int, int]
    ) -> tuple[str, str]:
        """Sign an EIP-1559 transaction without sending it.

        Parameters
        ----------
        account : LocalAccount
            Sender.
        to : str or None
            Target; ``None`` creates a contract.
        data : bytes
            Call data or creation code.
        nonce : int
            Nonce of the sender.
        gas : int
            Gas limit.
        fees : tuple[int, int]
            Fee cap and tip, wei.

        Returns
        -------
        tuple[str, str]
            Raw transaction and its hash, hexadecimal.
        """
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": nonce,
            "gas": gas,
            "maxFeePerGas": fees[0],
            "maxPriorityFeePerGas": fees[1],
            "value": 0,
            "data": data,
        }
        if to is not None:
            fields["to"] = to
        signed = account.sign_transaction(fields)
        return "0x" + signed.raw_transaction.hex(), "0x" + signed.hash.hex()

    def next_nonce(self, address: str) -> int:
        """Return the next unused nonce of ``address`` and reserve it."""
        if address not in self._nonces:
            answer = self.rpc("eth_getTransactionCount", address, "pending")
            self._nonces[address] = self._whole("eth_getTransactionCount", answer)
        nonce = self._nonces[address]
        self._nonces[address] = nonce + 1
        return nonce

    def forget_nonce(self, address: str) -> None:
        """Ask the node again for the next nonce of ``address``."""
        self._nonces.pop(address, None)

    def forget_nonces(self) -> None:
        """Ask the node again for every nonce, after a local chain was taken back to an earlier state."""
        self._nonces.clear()

    def send(
        self,
        account: LocalAccount,
        to: str | None,
        data: bytes,
        gas: int | None = None,
        source: str = "transaction",
        *,
        nonce: int | None = None,
        record: Callable[[str], None] | None = None,
    ) -> Receipt:
        """Sign, send and wait for one transaction.

        Parameters
        ----------
        account : LocalAccount
            Sender.
        to : str or None
            Target; ``None`` creates a contract.
        data : bytes
            Call data or creation code.
        gas : int, optional
            Gas limit; estimated when absent.
        source : str
            Name used in an error message.
        nonce : int, optional
            Nonce of the sender; the next unused one when absent.
        record : Callable[[str], None], optional
            Told the hash of the transaction before it is sent.

        Returns
        -------
        Receipt
            Always of a successful transaction.

        Raises
        ------
        RevertError
            When the estimate or the transaction reverts.
        """
        request = {"from": account.address, "data": "0x" + data.hex()}
        if to is not None:
            request["to"] = to
        if gas is None:
            try:
                gas = int(self._whole("eth_estimateGas", self.rpc("eth_estimateGas", request)) * GAS_MARGIN)
            except RevertError as reverted:
                raise RevertError(source, reverted.name, reverted.values) from None
        nonce = self.next_nonce(account.address) if nonce is None else nonce
        raw, tx_hash = self.sign(account, to, data, nonce, gas, self.fees())
        if record is not None:
            record(tx_hash)
        try:
            self.rpc("eth_sendRawTransaction", raw)
        except PlimsollError:
            self.forget_nonce(account.address)
            raise
        receipt = self.wait(tx_hash)
        if receipt.status == 0:
            parent = hex(receipt.block_number - 1)
            try:
                self.rpc("eth_call", {**request, "gas": hex(gas)}, parent)
            except RevertError as reverted:
                raise RevertError(source, reverted.name, reverted.values) from None
            raise RevertError(source, "unknown reason", (tx_hash,))
        return receipt

    def find_receipt(self, tx_hash: str) -> Receipt | None:
        """Return the receipt of ``tx_hash``, or ``None`` while it is not mined."""
        raw = self.rpc("eth_getTransactionReceipt", tx_hash)
        return None if raw is None else _receipt(self.url, raw)

    def wait(self, tx_hash: str, pause: Callable[[float], None] = time.sleep) -> Receipt:
        """Poll until a transaction is mined.

        Parameters
        ----------
        tx_hash : str
            Hash returned when it was sent.
        pause : Callable[[float], None]
            How to wait between polls, seconds.

        Returns
        -------
        Receipt
            Successful or reverted.

        Raises
        ------
        UnavailableError
            When it is not mined in time.
        """
        waited, step = 0.0, 0.005
        while waited < RECEIPT_TIMEOUT_SEC:
            receipt = self.find_receipt(tx_hash)
            if receipt is not None:
                return receipt
            pause(step)
            waited += step
            step = min(2 * step, 1.0)
        raise UnavailableError(self.url, f"transaction {tx_hash} not mined in {RECEIPT_TIMEOUT_SEC:.0f} seconds")
