"""A deployed contract: its functions by name, structs by field name; and the creation of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from plimsoll.chain.abi import Artifact, creation_code, decode_event, decode_values, encode_values, load_artifact
from plimsoll.chain.client import Client, Receipt
from plimsoll.chain.revert import RevertError
from plimsoll.errors import PlimsollError, UnavailableError

# Gas limit for local chains, where estimating every call would double the work; below 2**24, the most that a chain of
# today lets one transaction ask for (EIP-7825).
LOCAL_GAS = 16_000_000


@dataclass(frozen=True, slots=True)
class Contract:
    """A deployed contract: address, artefact and client."""

    client: Client
    artifact: Artifact
    address: str

    def encode(self, function: str, *values: Any) -> bytes:
        """Return the call data of ``function``.

        Parameters
        ----------
        function : str
            Name, or full signature of an overload.
        *values : Any
            Arguments.

        Returns
        -------
        bytes
            Selector and arguments.
        """
        entry = self.artifact.functions[function]
        return entry.selector + encode_values(entry.inputs, values)

    def decode(self, function: str, data: bytes) -> Any:
        """Decode what ``function`` returned.

        Parameters
        ----------
        function : str
            Name, or full signature of an overload.
        data : bytes
            Return data.

        Returns
        -------
        Any
            See :func:`decode_values`; ``None`` when the function returns nothing.
        """
        outputs = self.artifact.functions[function].outputs
        return decode_values(outputs, data) if outputs else None

    def call(self, function: str, *values: Any, sender: str | None = None, block: str = "latest") -> Any:
        """Read ``function``.

        Parameters
        ----------
        function : str
            Name, or full signature of an overload.
        *values : Any
            Arguments.
        sender : str, optional
            ``msg.sender`` of the call.
        block : str
            Block tag or hexadecimal number.

        Returns
        -------
        Any
            Decoded result.

        Raises
        ------
        RevertError
            When the call reverts; the source names contract and function.
        """
        try:
            data = self.client.call(self.address, self.encode(function, *values), sender, block)
        except RevertError as reverted:
            raise RevertError(f"{self.artifact.name}.{function}", reverted.name, reverted.values) from None
        return self.decode(function, data)

    def call_many(self, function: str, arguments: Sequence[Sequence[Any]]) -> list[Any]:
        """Read ``function`` for many arguments in one batch.

        Parameters
        ----------
        function : str
            Name, or full signature of an overload.
        arguments : Sequence[Sequence[Any]]
            One argument list per call.

        Returns
        -------
        list
            Decoded results; a reverted call gives its :class:`RevertError`.
        """
        requests: list[tuple[str, Sequence[Any]]] = []
        for values in arguments:
            request = {"to": self.address, "data": "0x" + self.encode(function, *values).hex()}
            requests.append(("eth_call", [request, "latest"]))
        answers = self.client.batch(requests)
        return [
            answer if isinstance(answer, PlimsollError) else self.decode(function, self.client.data(answer))
            for answer in answers
        ]

    def send(self, account: LocalAccount, function: str, *values: Any, gas: int | None = LOCAL_GAS) -> Receipt:
        """Send ``function`` as a transaction and wait for it.

        Parameters
        ----------
        account : LocalAccount
            Sender.
        function : str
            Name, or full signature of an overload.
        *values : Any
            Arguments.
        gas : int, optional
            Gas limit; ``None`` estimates.

        Returns
        -------
        Receipt
            Of the successful transaction.
        """
        source = f"{self.artifact.name}.{function}"
        return self.client.send(account, self.address, self.encode(function, *values), gas, source)

    def events(self, receipt: Receipt) -> list[tuple[str, SimpleNamespace]]:
        """Decode the events that this contract emitted in ``receipt``.

        Parameters
        ----------
        receipt : Receipt
            A mined transaction.

        Returns
        -------
        list[tuple[str, SimpleNamespace]]
            Name and arguments, in order.
        """
        mine = [log for log in receipt.logs if log["address"].lower() == self.address.lower()]
        return [decode_event(self.artifact.events[log["topics"][0]], log) for log in mine]


def creation_address(creator: str, nonce: int) -> str:
    """Return the address of what a creator creates with a nonce.

    Parameters
    ----------
    creator : str
        Wallet or contract.
    nonce : int
        Its nonce.

    Returns
    -------
    str
        Checksum address.
    """
    # RLP of a list of two short strings; a nonce below 128 is its own encoding, and 0 is the empty string.
    digits = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    head = b"" if 0 < nonce < 128 else bytes([128 + len(digits)])
    body = bytes([128 + 20]) + bytes.fromhex(creator[2:]) + head + digits
    return to_checksum_address(keccak(bytes([192 + len(body)]) + body)[-20:])


def create(
    client: Client, account: LocalAccount, name: str, *values: Any, gas: int | None = LOCAL_GAS
) -> tuple[Contract, Receipt]:
    """Deploy one contract.

    Parameters
    ----------
    client : Client
        Where to.
    account : LocalAccount
        Deployer.
    name : str
        Contract name.
    *values : Any
        Constructor arguments.
    gas : int, optional
        Gas limit; ``None`` estimates.

    Returns
    -------
    tuple[Contract, Receipt]
        The contract and the receipt of its creation.
    """
    artifact, data = load_artifact(name), creation_code(name, *values)
    receipt = client.send(account, None, data, gas, f"{name}.constructor")
    if receipt.contract_address is None:
        raise UnavailableError(client.url, f"the receipt of {name} names no contract")
    return Contract(client, artifact, to_checksum_address(receipt.contract_address)), receipt
