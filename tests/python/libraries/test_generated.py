"""The coefficients and tables in the contracts are what their generators make, within their bounds."""

import subprocess
import sys
from pathlib import Path

import pytest

GENERATORS = Path(__file__).resolve().parents[3] / "tools" / "generate"


@pytest.mark.parametrize("script", ["minimax.py", "normal_table.py", "scenario_walk.py"])
def test_source_is_regenerated(script):
    answer = subprocess.run([sys.executable, GENERATORS / script, "--check"], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
