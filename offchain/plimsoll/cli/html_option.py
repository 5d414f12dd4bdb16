"""The option ``--html``: a page, and its document beside it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from plimsoll.errors import InputError


def check_page(path: Path, option: str) -> None:
    """Refuse a page that could not be written, before anything else is."""
    if path.suffix != ".html":
        raise InputError(option, f"{path} does not end in .html")
    try:
        if not path.parent.is_dir():
            raise InputError(option, f"folder {path.parent} does not exist")
        for file in (path, path.with_suffix(".json")):
            if file.is_dir():
                raise InputError(option, f"{file} is a folder")
    except OSError as error:
        raise InputError(option, f"cannot be written ({error.strerror})") from None


def check_apart(html: Path | None, other: Path | None, option: str) -> None:
    """Refuse a second file that is the page, or the document beside it."""
    if html is None or other is None:
        return
    if other.resolve() in (html.resolve(), html.with_suffix(".json").resolve()):
        raise InputError(option, f"{other} is also what --html writes; choose another name")


def checked(path: Path | None) -> Path | None:
    """Check the value of ``--html``."""
    if path is not None:
        check_page(path, "--html")
    return path


HtmlFile = Annotated[
    Path | None,
    typer.Option("--html", callback=checked, help="Write a self-contained page here, and its JSON beside it."),
]


def write_page(html: Path | None, document: Mapping[str, Any]) -> None:
    """Write page and document when a page was asked for; standard output stays free for ``--json``."""
    if html is None:
        return
    from plimsoll.analytics.report.documents import document_page
    from plimsoll.analytics.report.page import write_pair

    beside = write_pair(html, document_page(document), document)
    print(f"{html} and {beside} written", file=sys.stderr)
