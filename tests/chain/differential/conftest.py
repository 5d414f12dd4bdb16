"""Makes the 50-digit implementation of the risk model importable by its own name, as the Python tests have it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "python"))
