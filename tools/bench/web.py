"""What a first visit of the wallet page loads, gzip, beside its budget; into reports/bench.json."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

# The package of this very checkout, wherever the script is called from.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.bench.report import Entry, merge

SIZE: Final = Path(__file__).resolve().parents[2] / "web" / "tools" / "size.mjs"


def main() -> int:
    """Measure the built page; fails as the measurement does when the budget is passed."""
    run = subprocess.run(["node", str(SIZE)], stdout=subprocess.PIPE, text=True, check=False)
    if not run.stdout:
        return run.returncode or 1
    found = json.loads(run.stdout)
    size, budget = float(found["web.firstView"]), float(found["budget"])
    merge([Entry("web.firstView", found["unit"], size, "budget", budget, round(budget / size, 2))])
    print(f"web.firstView {size} {found['unit']}, budget {budget:g}")
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
