"""Mocks and probes are built beside the package, not into it; what needs them says so with one call."""

from __future__ import annotations

import os
from pathlib import Path

from plimsoll.chain.abi import FURTHER_ARTIFACTS

MOCKS = Path(__file__).resolve().parents[3] / "build" / "mocks"


def use_mocks():
    """Let the package find the mocks of the last build as it finds its own contracts."""
    os.environ.setdefault(FURTHER_ARTIFACTS, str(MOCKS))
