"""The first minute of the README, run exactly as it stands, from an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def first_minute() -> str:
    """Return the first block below the heading."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    return page.split("## The first minute", 1)[1].split("```\n", 2)[1]


def test_readme__first_minute__works_from_an_empty_folder(tmp_path):
    environment = os.environ | {
        "COLUMNS": "80",
        "PYTHONPATH": str(ROOT / "offchain"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    script = first_minute()
    assert script.startswith("plimsoll example && plimsoll margin ")
    run = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr.replace("\n", " ").startswith("error")) == (0, False)
    assert max(map(len, run.stdout.splitlines())) <= 80
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"market.json", "portfolio.json", "params.json", "report-desk.html", "report-desk.json"}
