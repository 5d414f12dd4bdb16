"""What every section of the keeper's file is made of: strict types, and options that say what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

#: Longest text of an option; what is longer was pasted by mistake.
MAX_TEXT: Final = 2_000
MAX_PORT: Final = 65_535
SQLITE: Final = "sqlite:///"
FILE: Final = "file:"


class Section(BaseModel):
    """A table of the file: no key that it does not know, no value of another type."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        # A default may be a path, which is relative to the folder of the file too.
        validate_default=True,
    )


def option(default: Any, meaning: str, unit: str = "", *, example: Any = None, **limits: Any) -> Any:
    """Declare one option: default, unit, meaning and limits stand here and nowhere else.

    Parameters
    ----------
    default : Any
        Value when the file does not name the option; ``...`` for one that has to be given.
    meaning : str
        One or two sentences for whoever runs the keeper.
    unit : str
        Unit of a number, empty for anything else.
    example : Any
        What the written example shows where there is no default.
    **limits : Any
        ``ge``, ``gt``, ``le``, ``lt``, ``min_length``, ``max_length`` of pydantic.

    Returns
    -------
    Any
        Field of the section.
    """
    shown = {"unit": unit, "example": example}
    return Field(default, description=meaning, json_schema_extra=shown, **limits)


def _path(value: Any, info: ValidationInfo) -> Any:
    """Read a path relative to the folder of the file, wherever the keeper was started."""
    if not isinstance(value, str):
        return value
    if not value:
        raise ValueError("an empty path names no file")
    return Path((info.context or {}).get("folder", "")) / Path(value).expanduser()


def _source_word(word: str, info: ValidationInfo) -> str:
    """Read the path of a file source relative to the folder of the file; its options stay behind it."""
    if not word.startswith(FILE):
        return word
    path, mark, options = word.removeprefix(FILE).partition("?")
    return f"{FILE}{_path(path, info)}{mark}{options}"


def _document_word(word: str, info: ValidationInfo) -> str:
    return _source_word(word, info) if word.startswith(FILE) else _web_address(word)


def _feed_words(words: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    return tuple(_source_word(word, info) for word in words)


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no address that starts with http:// or https:// and names a host")
    # Reading the port checks that it is a number in range.
    _ = parts.port
    return value


def _database_address(value: str, info: ValidationInfo) -> str:
    if value.startswith(SQLITE) and len(value) > len(SQLITE):
        return SQLITE + str((info.context or {}).get("folder", Path()) / value.removeprefix(SQLITE))
    if not value.startswith("postgresql+psycopg://"):
        raise ValueError("is neither sqlite:///PATH nor postgresql+psycopg://USER@HOST/NAME")
    return value


def _bind(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > MAX_PORT:
        raise ValueError(f"is no HOST:PORT with a port from 0 to {MAX_PORT}")
    return value


def _as_tuple(value: Any) -> Any:
    """Take an array of the file; the strict tuple of pydantic knows no other way in."""
    return tuple(value) if isinstance(value, list) else value


FilePath = Annotated[Path, BeforeValidator(_path)]
WebAddress = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_web_address)]
DatabaseAddress = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_database_address)]
Bind = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_bind)]
AsTuple: Final = BeforeValidator(_as_tuple)
DocumentWord = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_document_word)]
FeedWords = Annotated[tuple[str, ...], AsTuple, AfterValidator(_feed_words)]
