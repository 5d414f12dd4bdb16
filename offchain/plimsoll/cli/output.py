"""One JSON document on standard output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from plimsoll.files.document import text_of


def print_document(document: Mapping[str, Any]) -> None:
    """Print a document and nothing else; a figure that is not finite is an error."""
    typer.echo(text_of(document))
