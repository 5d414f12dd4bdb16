"""A page as PDF, by WeasyPrint, which needs no browser: the extra ``pdf`` of this package, and the library Pango."""

from __future__ import annotations

from pathlib import Path

from plimsoll.errors import InputError
from plimsoll.market.chain_file import replace_file

_MISSING = "needs WeasyPrint (pip install 'plimsoll-margin[pdf]') and Pango; any browser prints the page as it is"


def check_pdf(path: Path) -> None:
    """Refuse a PDF that could not be made or written, before anything is computed."""
    try:
        import weasyprint  # noqa: F401 -- only whether it and the library behind it are there
    except (ImportError, OSError):
        raise InputError("--pdf", _MISSING) from None
    if path.is_dir():
        raise InputError("--pdf", f"{path} is a folder")


def write_pdf(path: Path, html: str) -> Path:
    """Lay a page out on paper and write it, whole or not at all.

    Parameters
    ----------
    path : Path
    html : str
        A page that loads nothing.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    InputError
        When WeasyPrint or Pango is missing, or the file cannot be written.
    """
    check_pdf(path)
    from weasyprint import HTML

    content = HTML(string=html).write_pdf()
    replace_file(path, lambda name: Path(name).write_bytes(content))
    return path
