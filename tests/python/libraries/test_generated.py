"""The coefficients and tables in the contracts are what their generators make, within their bounds."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "dev"


@pytest.mark.parametrize("script", ["make_minimax.py", "make_normal_table.py", "make_scenario_walk.py"])
def test_source_is_regenerated(script):
    answer = subprocess.run([sys.executable, SCRIPTS / script, "--check"], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
