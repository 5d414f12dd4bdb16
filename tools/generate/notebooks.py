"""Execute the notebooks and keep what they print: figures as data, without the library that draws them.

``--check`` writes nothing and fails when a notebook does not run, or prints something else than what it holds.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import nbformat
from nbclient import NotebookClient

ROOT: Final = Path(__file__).resolve().parents[2]
NOTEBOOKS: Final = ROOT / "notebooks"
TIMEOUT_SEC: Final = 60
#: Larger files are slow to open and to review.
MAX_BYTES: Final = 200_000
#: Figures as JSON: whoever opens the notebook draws them with the plotly of their own.
_RENDERER: Final = ("PLOTLY_RENDERER", "plotly_mimetype")
_FIGURE: Final = "application/vnd.plotly.v1+json"


def executed(path: Path) -> Any:
    """Run a notebook in a new kernel, in the folder it is in; return it with its outputs.

    What a cell prints is one output, however many pieces it arrives in.
    """
    os.environ.setdefault(*_RENDERER)
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": path.parent}}
    # The kernel warns of every connection without encryption; this one is to the machine itself.
    options = {"extra_arguments": ["--log-level=ERROR"], "coalesce_streams": True}
    client = NotebookClient(notebook, timeout=TIMEOUT_SEC, kernel_name="python3", resources=where, **options)
    client.execute()
    for cell in notebook.cells:
        cell.pop("execution_count", None)
        cell.metadata.clear()
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = [_light(output) for output in cell.outputs]
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return notebook


def _light(output: Any) -> Any:
    """Drop what changes from run to run, and the HTML beside a table, which is ten times as long as its text."""
    if output.output_type == "execute_result":
        output.execution_count = None
    if "data" in output:
        output.data.pop("text/html", None)
        if _FIGURE in output.data:
            # The template is most of a figure, and the page style of the package alone.
            output.data[_FIGURE]["layout"].pop("template", None)
            output.data.pop("text/plain", None)
    return output


def printed(notebook: Any) -> list[str]:
    """Return the text that every code cell shows."""
    shown = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            shown.append(output.get("text", "") or output.get("data", {}).get("text/plain", ""))
    return shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Execute every notebook; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when what they print has changed")
    check = parser.parse_args(arguments).check
    stale = []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        before = nbformat.read(path, as_version=4)
        notebook = executed(path)
        if check:
            stale += [path.name] if printed(notebook) != printed(before) else []
        else:
            path.write_text(nbformat.writes(notebook, indent=1) + "\n", encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")
    for name in stale:
        print(f"notebooks/{name}: prints something else than it holds; run tools/generate/notebooks.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
