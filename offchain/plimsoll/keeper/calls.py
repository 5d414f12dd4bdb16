"""Calls of the contracts of a deployment as plain data, and their answers: nothing here talks to a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.exceptions import DecodingError

from plimsoll.chain.abi import decode_values, encode_values, load_artifact
from plimsoll.deployment.record import Deployment, artifact_name
from plimsoll.errors import PlimsollError

#: A block by its tag, its number in hexadecimal, or, as EIP-1898 has it, its hash.
Block = str | Mapping[str, Any]
Request = tuple[str, Sequence[Any]]


def call_data(name: str, function: str, *values: Any) -> bytes:
    """Return the call data of a function.

    Parameters
    ----------
    name : str
        Contract, by its name in a deployment.
    function : str
        Its function.
    *values : Any
        Arguments.

    Returns
    -------
    bytes
        Selector and arguments.
    """
    entry = load_artifact(artifact_name(name)).functions[function]
    return entry.selector + encode_values(entry.inputs, values)


@dataclass(frozen=True, slots=True)
class Question:
    """One question to a contract.

    Parameters
    ----------
    name : str
        Contract, by its name in a deployment.
    function : str
        Its function.
    values : tuple
        Arguments.
    """

    name: str
    function: str
    values: tuple[Any, ...] = ()

    def request(self, deployment: Deployment, block: Block, sender: str | None = None) -> Request:
        """Return the ``eth_call`` that asks it at a block.

        Parameters
        ----------
        deployment : Deployment
            Addresses.
        block : Block
            The same for all questions of a pass.
        sender : str, optional
            ``msg.sender``.

        Returns
        -------
        tuple[str, Sequence]
            Method and parameters, as ``Node.batch`` takes them.
        """
        data = "0x" + call_data(self.name, self.function, *self.values).hex()
        request = {"to": deployment.contracts[self.name], "data": data}
        return "eth_call", [request if sender is None else {"from": sender, **request}, block]

    def read(self, answer: Any) -> Any:
        """Decode what a node answered.

        Parameters
        ----------
        answer : Any
            Hexadecimal return data, or the error that stands for it in a batch.

        Returns
        -------
        Any
            Value, tuple of values, or struct by field names.

        Raises
        ------
        PlimsollError
            When it is an error, or no return data of this function; the message says which.
        """
        source = f"{self.name}.{self.function}"
        if isinstance(answer, PlimsollError):
            raise answer
        if not isinstance(answer, str) or not answer.startswith("0x"):
            raise PlimsollError(source, f"the node answered {type(answer).__name__} and no return data")
        outputs = load_artifact(artifact_name(self.name)).functions[self.function].outputs
        try:
            return decode_values(outputs, bytes.fromhex(answer[2:]))
        except (ValueError, OverflowError, DecodingError) as reason:
            raise PlimsollError(source, f"the node answered what is no return data ({type(reason).__name__})") from None
