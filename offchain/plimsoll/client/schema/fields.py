"""Types of single fields: numbers of the chain as decimal text, because JSON readers round what is above 2**53."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any, Final

from eth_utils.address import is_address, to_checksum_address
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

#: Digits of the largest unsigned integer of 256 bits.
MAX_DIGITS: Final = 78
UINT256_MAX: Final = 2**256 - 1
INT256_MAX: Final = 2**255 - 1
_UNSIGNED: Final = re.compile(r"[0-9]{1,78}")
_SIGNED: Final = re.compile(r"-?[0-9]{1,77}")
_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_HASH: Final = re.compile(r"0x[0-9a-fA-F]{64}")


def _unsigned(value: Any) -> Any:
    """Read decimal text."""
    if isinstance(value, str) and _UNSIGNED.fullmatch(value):
        number = int(value)
        if number <= UINT256_MAX:
            return number
    raise ValueError("must be a whole number from 0 to 2**256 - 1, as decimal text")


def _signed(value: Any) -> Any:
    if isinstance(value, str) and _SIGNED.fullmatch(value):
        number = int(value)
        if -INT256_MAX <= number <= INT256_MAX:
            return number
    raise ValueError("must be a whole number of 256 bits with sign, as decimal text")


def _unsigned_own(value: Any) -> Any:
    """Take a number of our own code as it is; a client reads the text."""
    return value if type(value) is int and value >= 0 else _unsigned(value)


def _signed_own(value: Any) -> Any:
    return value if type(value) is int else _signed(value)


def _bytes(value: Any) -> Any:
    if isinstance(value, str) and _HEX.fullmatch(value):
        return value.lower()
    raise ValueError("must be bytes as hexadecimal text with 0x and an even number of digits")


def _hash(value: Any) -> Any:
    if isinstance(value, str) and _HASH.fullmatch(value):
        return value.lower()
    raise ValueError("must be 32 bytes as hexadecimal text with 0x and 64 digits")


@lru_cache(maxsize=1 << 16)
def _address(value: str) -> str:
    if not is_address(value):
        raise ValueError("must be an address: 0x and 40 hexadecimal digits, with a right checksum where letters mix")
    return to_checksum_address(value)


def _text(value: int) -> str:
    return str(value)


_TEXT: Final = PlainSerializer(_text, return_type=str)
_UNSIGNED_SCHEMA: Final = WithJsonSchema(
    {"type": "string", "pattern": f"^[0-9]{{1,{MAX_DIGITS}}}$", "examples": ["1000000000000000000"]}
)
_SIGNED_SCHEMA: Final = WithJsonSchema(
    {"type": "string", "pattern": "^-?[0-9]{1,77}$", "examples": ["-1000000000000000000"]}
)
#: A whole number of 256 bits without sign, in what clients send: text alone, because a number may have been rounded.
UnsignedText = Annotated[int, BeforeValidator(_unsigned), _TEXT, _UNSIGNED_SCHEMA]
#: The same with sign.
SignedText = Annotated[int, BeforeValidator(_signed), _TEXT, _SIGNED_SCHEMA]
#: A whole number of 256 bits without sign, in what the venue answers.
Unsigned = Annotated[int, BeforeValidator(_unsigned_own), _TEXT, _UNSIGNED_SCHEMA]
#: The same with sign.
Signed = Annotated[int, BeforeValidator(_signed_own), _TEXT, _SIGNED_SCHEMA]
Hash = Annotated[str, BeforeValidator(_hash), WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-f]{64}$"})]
Bytes = Annotated[
    str,
    Field(max_length=8_194),
    BeforeValidator(_bytes),
    WithJsonSchema({"type": "string", "pattern": "^0x([0-9a-f]{2})*$", "maxLength": 8_194}),
]
Address = Annotated[
    str,
    Field(max_length=42),
    AfterValidator(_address),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}),
]
#: Ids of accounts are small whole numbers, though the contracts keep 256 bits for them.
AccountId = Annotated[int, Field(ge=0, le=2**53 - 1)]
Seconds = Annotated[int, Field(ge=0, le=2**40 - 1)]
#: Unix milliseconds by the venue's own clock.
Milliseconds = Annotated[int, Field(ge=0, le=2**53 - 1)]
Sequence = Annotated[int, Field(ge=0, le=2**53 - 1)]


class Asked(BaseModel):
    """What a client sends: no field that is unknown, no value of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Told(BaseModel):
    """What the venue answers; made from values that were checked before."""

    model_config = ConfigDict(frozen=True)
