"""Exceptions of the package.

::

    PlimsollError
    ├── InputError          a file or option is wrong          (exit code 2)
    │   └── DomainError     a number is outside what the model accepts
    ├── UnavailableError    chain or feed cannot be reached    (exit code 3)
    ├── AgreementError      mirror and chain disagree, or money is not conserved (exit code 1)
    └── PartialError        some of what was asked for is there, the rest is not (exit code 4)
"""

from __future__ import annotations


class PlimsollError(Exception):
    """Root of every error this package raises on purpose.

    Parameters
    ----------
    source : str
        File, option or component the message is about.
    message : str
        What is wrong, with the observed value and the limit.
    """

    exit_code = 1

    def __init__(self, source: str, message: str) -> None:
        super().__init__(f"{source}: {message}")
        self.source = source
        self.message = message


class InputError(PlimsollError):
    """A file or an option is wrong; nothing was written."""

    exit_code = 2


class DomainError(InputError):
    """A number is outside the domain that the contracts accept."""


class UnavailableError(PlimsollError):
    """The chain or a feed cannot be reached."""

    exit_code = 3


class AgreementError(PlimsollError):
    """Mirror and chain disagree beyond the accuracy contract, or conservation failed."""

    exit_code = 1


class PartialError(PlimsollError):
    """Some of what was asked for was computed and is in the document; the message names the rest, and why."""

    exit_code = 4
