"""Real logs of real blocks without a deployment: code that logs whatever its call data says, at any address.

It lets a test of the index make thousands of events, in any order and at any depth of a reorganisation, in a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_utils.crypto import keccak

from plimsoll.chain.abi import encode_values, load_artifact
from plimsoll.chain.client import Client
from plimsoll.deployment.record import Deployment

#: Addresses of the contracts of :func:`fake_deployment`.
ADDRESSES = {name: "0x" + f"{0xE0 + place:02x}" * 20 for place, name in enumerate(("Accounts", "Oracle", "Auction"))}
WORD = 32


def _assemble(lines: str) -> bytes:
    """Assemble the few instructions that the emitter needs; ``:name`` is a label, ``@name`` pushes one."""
    codes = {
        **{"STOP": 0x00, "ADD": 0x01, "GT": 0x11, "ISZERO": 0x15, "CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36},
        **{"CALLDATACOPY": 0x37, "POP": 0x50, "JUMP": 0x56, "JUMPI": 0x57, "JUMPDEST": 0x5B, "PUSH0": 0x5F},
        **{"LOG2": 0xA2, "LOG3": 0xA3, **{f"DUP{n}": 0x7F + n for n in range(1, 6)}},
    }
    code, labels, holes = bytearray(), {}, {}
    for token in lines.split():
        if token[0] == ":":
            labels[token[1:]] = len(code)
            code.append(codes["JUMPDEST"])
        elif token[0] == "@":
            code += bytes([0x60, 0])
            holes[len(code) - 1] = token[1:]
        elif token.isdigit():
            code += bytes([0x60, int(token)])
        else:
            code.append(codes[token])
    for place, label in holes.items():
        code[place] = labels[label]
    return bytes(code)


#: Records follow each other in the call data: size of the data, three topics (the last may be 0), the data.
CODE = _assemble(
    """
    PUSH0
    :loop DUP1 CALLDATASIZE GT ISZERO @end JUMPI
    DUP1 CALLDATALOAD
    DUP1 DUP3 128 ADD PUSH0 CALLDATACOPY
    DUP2 96 ADD CALLDATALOAD
    DUP1 ISZERO @two JUMPI
    DUP3 64 ADD CALLDATALOAD DUP4 32 ADD CALLDATALOAD DUP4 PUSH0 LOG3
    @next JUMP
    :two POP DUP2 64 ADD CALLDATALOAD DUP3 32 ADD CALLDATALOAD DUP3 PUSH0 LOG2
    :next ADD 128 ADD @loop JUMP
    :end STOP
    """
)


def record(contract: str, name: str, **values: Any) -> bytes:
    """Encode one event, of two or three topics, for the emitter."""
    event = next(event for event in load_artifact(contract).events.values() if event.name == name)
    indexed = [encode_values([entry], [values[entry["name"]]]) for entry in event.inputs if entry["indexed"]]
    plain = [entry for entry in event.inputs if not entry["indexed"]]
    data = encode_values(plain, [values[entry["name"]] for entry in plain])
    topics = [bytes.fromhex(event.topic[2:]), *indexed, bytes(WORD)][:3]
    return len(data).to_bytes(WORD, "big") + b"".join(topics) + data


class Emitter:
    """Logs events from the addresses of :func:`fake_deployment`, one transaction and block each time."""

    def __init__(self, url: str) -> None:
        self.client = Client(url)
        self._sender = self.client.rpc("eth_accounts")[0]
        for address in ADDRESSES.values():
            self.client.rpc("anvil_setCode", address, "0x" + CODE.hex())

    def emit(self, *records: bytes, contract: str = "Accounts") -> None:
        """Log records in one transaction."""
        request = {"from": self._sender, "to": ADDRESSES[contract], "data": "0x" + b"".join(records).hex()}
        receipt = self.client.wait(self.client.rpc("eth_sendTransaction", {**request, "gas": hex(900_000_000)}))
        assert receipt.status == 1

    def open(self, *account_ids: int) -> None:
        """Open accounts."""
        owner = "0x" + "11" * 20
        self.emit(*(record("Accounts", "AccountOpened", accountId=i, owner=owner, mode=0) for i in account_ids))

    def cash(self, account_id: int, amounts: Sequence[int]) -> None:
        """Change the cash of one account many times."""
        self.emit(*(cash(account_id, amount) for amount in amounts))


def cash(account_id: int, amount: int) -> bytes:
    """Return the record of a change of cash."""
    return record("Accounts", "CashChanged", accountId=account_id, deltaWad=0, cashWad=amount, reason=0)


def position(account_id: int, old: int, new: int) -> bytes:
    """Return the record of a change of a position."""
    return record("Accounts", "PositionChanged", accountId=account_id, oldWord=old, newWord=new)


def fake_deployment() -> Deployment:
    """Return a deployment of emitters."""
    return Deployment("test", 31_337, 0, ADDRESSES, {}, {}, {})


def topic(contract: str, name: str) -> str:
    """Return the first topic of an event."""
    return next(event.topic for event in load_artifact(contract).events.values() if event.name == name)


def digest(text: str) -> str:
    """Return a hash of 32 bytes for whoever needs one that is nobody's."""
    return "0x" + keccak(text=text).hex()
