"""PlainCall against the ABI's own encoder: what is asked, what is answered and what is passed on, byte for byte.

The calls go to addresses whose code is a few bytes of machine code: one refuses with the call itself, so that a caller
sees what it was asked; the others answer, or refuse, with bytes fixed beforehand.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from plimsoll.chain.anvil import wallet
from tests.chain.proof.world import World

#: ``calldatacopy(0, 0, calldatasize())``, then ``revert(0, calldatasize())``.
ECHO = bytes.fromhex("365f5f37365ffd")
SNAPSHOT, HEADER = "(uint8,int256,uint256[],uint256[],uint256[])", "(uint40,uint256,uint256,uint256,uint256)"
SURFACE = "(uint40,uint256,int256,int256,uint256,int256,int256,uint256)"
RISK = f"(uint8,{'uint256,' * 8}uint40,uint256,int256,uint256,uint256,uint256,uint256)"
#: What is asked of the other contract by the functions of the probe, whose first argument is its address.
QUESTIONS = {
    "snapshotOf": ["uint256"],
    "roundFor": ["uint8", "uint40[]"],
    "riskOf": ["uint8", "uint256[]", "int256"],
}
WORD = 2**256
#: Words of the structs that a compiler makes for what a function returns.
MADE_WORDS = {"snapshotOf": 5, "roundFor": 5 + 8, "riskOf": 16}
#: Calls of the probe in one request.
BATCH = 16
#: An id, and what may lie above its eight bits.
ID, DIRT = 201, (0, 1 << 8, WORD - 256, 0xA5 << 248)
#: Sizes of a reason beside those of an answer: nothing, a byte, a selector, parts of words, more than any answer.
REASON_BYTES = (0, 1, 4, 31, 32, 33, 68, 100, 4_000, 9_001)


@dataclass(frozen=True)
class Case:
    """One call of the probe: bytes of its answer, or of the reason that it reverts with."""

    name: str
    data: bytes
    is_answer: bool
    wanted: bytes


def selector(name: str, types: list[str]) -> bytes:
    """First four bytes of a call."""
    return keccak(text=f"{name}({','.join(types)})")[:4]


def fixed(data: bytes, *, is_answer: bool) -> bytes:
    """Code that answers, or refuses, every call with ``data``: ``codecopy``, then ``return`` or ``revert``."""
    size = len(data).to_bytes(2, "big").hex()
    return bytes.fromhex(f"61{size}600c5f3961{size}5f{'f3' if is_answer else 'fd'}") + data


class Battery:
    """The cases of one world, whose answering code is put in place once."""

    def __init__(self, world: World) -> None:
        self.world, self.count, self.draw = world, 0, random.Random(6)
        self.probe = world.contracts["PlainCallProbe"]
        self.cases = [*self._snapshots(), *self._rounds(), *self._risks()]

    def failures(self) -> list[str]:
        """Calls that end otherwise than they should."""
        parts = [self.cases[first : first + BATCH] for first in range(0, len(self.cases), BATCH)]
        calls = [self.probe.encode("batch", [case.data for case in part]) for part in parts]
        wrong = []
        for part, answer in zip(parts, self.world.ask("PlainCallProbe", calls), strict=True):
            if not isinstance(answer, bytes):
                return [str(answer)]
            for case, *got in zip(part, *decode(["bool[]", "bytes[]"], answer), strict=True):
                if tuple(got) != (case.is_answer, case.wanted):
                    wrong.append(f"{case.name}: {got}, expected {case.is_answer} {case.wanted.hex()}"[:800])
        return wrong

    def _placed(self, code: bytes) -> str:
        """Address of its own for a code."""
        self.count += 1
        address = to_checksum_address(wallet(f"proof answer {self.count}").address)
        self.world.client.rpc("anvil_setCode", address, "0x" + code.hex())
        return address

    def _words(self, count: int, bits: int = 256) -> list[int]:
        """Numbers whose every byte is set, so that none that is left out or moved goes unseen."""
        return [int.from_bytes(self.draw.choices(range(1, 256), k=bits // 8), "big") for _ in range(count)]

    def _signed(self, count: int) -> list[int]:
        return [n - WORD // 2 for n in self._words(count)]

    def _call(self, name: str, code: bytes, arguments: list[Any], *, dirt: int = 0) -> bytes:
        """Call data of the probe; the id is a whole word there."""
        types, values = ["address", *QUESTIONS[name]], [self._placed(code), *arguments]
        types = ["uint256" if t == "uint8" else t for t in types]
        if name != "snapshotOf":
            values[1] += dirt
        return selector(name, types) + encode(types, values)

    def _questions(self, name: str, arguments: list[Any]) -> list[Case]:
        asked = selector(name, QUESTIONS[name]) + encode(QUESTIONS[name], arguments)
        dirts = (0,) if name == "snapshotOf" else DIRT
        return [
            Case(f"{name} asks, dirt {dirt:#x}", self._call(name, ECHO, arguments, dirt=dirt), False, asked)
            for dirt in dirts
        ]

    def _refusals(self, name: str, arguments: list[Any], size: int, *, exact: bool) -> list[Case]:
        """Reasons of many sizes, that of an answer among them; answers that are too short, or too long."""
        cases = []
        for count in (*REASON_BYTES, size - 32, size - 1, size, size + 1, size + 32):
            reason = bytes(self.draw.choices(range(1, 256), k=count))
            call = self._call(name, fixed(reason, is_answer=False), arguments)
            cases.append(Case(f"{name} refused with {count} bytes", call, False, reason))
        for count in (0, 1, 32, size - 32, size - 1, *((size + 1, size + 32) if exact else ())):
            short = bytes(self.draw.choices(range(1, 256), k=count))
            call = self._call(name, fixed(short, is_answer=True), arguments)
            cases.append(Case(f"{name} answered with {count} bytes", call, False, short))
        return cases

    def _answered(
        self, name: str, arguments: list[Any], types: list[str], values: list[Any], more: bytes = b""
    ) -> Case:
        """An answer, and the probe's: the same values, then the bytes that were taken of memory."""
        answer = encode(types, values) + more
        wanted = encode([*types, "uint256"], [*values, 32 * MADE_WORDS[name] + len(answer)])
        return Case(f"{name} answered", self._call(name, fixed(answer, is_answer=True), arguments), True, wanted)

    def _snapshots(self) -> list[Case]:
        arguments = [self._words(1)[0]]
        cases = self._questions("snapshotOf", arguments)
        cases += self._refusals("snapshotOf", arguments, 0x120, exact=False)
        for tokens, positions in ((0, 0), (1, 0), (0, 1), (2, 3), (31, 128)):
            held = (2, self._signed(1)[0], *(self._words(n) for n in (tokens, tokens, positions)))
            for more in (b"", b"\xee", b"\xee" * 64):
                cases.append(self._answered("snapshotOf", arguments, [SNAPSHOT], [held], more))
        return cases

    def _rounds(self) -> list[Case]:
        cases = []
        for count in (0, 1, 2, 12):
            arguments = [ID - count, self._words(count, 40)]
            cases += self._questions("roundFor", arguments)
            size = 0xE0 + 0x100 * count
            cases += self._refusals("roundFor", arguments, size, exact=True)
            header = (*self._words(1, 40), *self._words(4))
            surfaces = [
                (
                    *(*self._words(1, 40), *self._words(1), *self._signed(2), *self._words(1)),
                    *(*self._signed(2), *self._words(1)),
                )
                for _ in range(count)
            ]
            cases.append(self._answered("roundFor", arguments, [HEADER, f"{SURFACE}[]"], [header, surfaces]))
        return cases

    def _risks(self) -> list[Case]:
        cases = []
        for count in (0, 1, 128):
            arguments = [ID + count % 2, self._words(count), self._signed(1)[0]]
            cases += self._questions("riskOf", arguments)
            cases += self._refusals("riskOf", arguments, 0x200, exact=True)
            risk = (*self._words(1, 8), *self._words(8), *self._words(1, 40), *self._words(1))
            risk += (*self._signed(1), *self._words(4))
            cases.append(self._answered("riskOf", arguments, [RISK], [risk]))
        return cases
