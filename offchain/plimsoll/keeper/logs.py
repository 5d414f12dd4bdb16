"""Structured logs of a running keeper: one line per event, never a secret, never an exception of their own."""

from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, TextIO

import structlog

from plimsoll.keeper.config.sections import LoggingSection
from plimsoll.keeper.redaction import Redactor

LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
#: Foreign libraries log every request at these levels; only what they warn about concerns an operator.
FOREIGN_LEVEL: Final = logging.WARNING


def configure_logs(section: LoggingSection, redactor: Redactor, stream: TextIO | None = None) -> None:
    """Send every log line of this process, foreign libraries included, through the redactor.

    Parameters
    ----------
    section : LoggingSection
        Format and lowest level.
    redactor : Redactor
        Knows the secrets; more may be added later.
    stream : TextIO or None
        Where lines go; standard error when None.
    """
    target = stream or sys.stderr
    clean = _Clean(redactor)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        clean,
    ]
    renderer: structlog.typing.Processor
    if section.format == "json":
        renderer = structlog.processors.JSONRenderer(serializer=json.dumps, allow_nan=False)
    else:
        # What an exception says is already text, so that it went through the redactor.
        renderer = structlog.dev.ConsoleRenderer(
            colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[section.level]),
        logger_factory=lambda *_: _SafeLogger(target),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_Foreign()]
    root.setLevel(max(FOREIGN_LEVEL, LEVELS[section.level]))


class _Foreign(logging.Handler):
    """Passes on what libraries log by the standard module, so that it goes the same way as our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on one record; one that cannot be formatted is shown as it was meant."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        structlog.get_logger().log(record.levelno, text, library=record.name, exc_info=record.exc_info)


class _Clean:
    """Last step before a line is rendered: no secret, no endless text, nothing that JSON cannot say."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, _logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Clean every field, names included."""
        return {self._redactor.text(key): _plain(self._redactor.value(event[key], key)) for key in event}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


class _SafeStream:
    """A stream whose full disk or closed pipe never becomes an error of the keeper."""

    def __init__(self, target: TextIO) -> None:
        self._target = target

    def write(self, text: str) -> int:
        try:
            return self._target.write(text)
        except (OSError, ValueError):
            return 0

    def flush(self) -> None:
        try:
            self._target.flush()
        except (OSError, ValueError):
            return


class _SafeLogger:
    """Writes one line per call, whatever the level."""

    def __init__(self, target: TextIO) -> None:
        self._stream = _SafeStream(target)

    def msg(self, line: str) -> None:
        """Write a line."""
        self._stream.write(line + "\n")
        self._stream.flush()

    debug = info = warning = error = critical = exception = fatal = warn = log = msg
