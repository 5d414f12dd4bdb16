"""Write docs/operate/keeper-config.md from the options of the keeper; ``--check`` fails when it is out of date."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

# The package of this very checkout, wherever the script is called from.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "offchain"))

from plimsoll.keeper.config import page

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "operate" / "keeper-config.md"


def main(arguments: list[str]) -> int:
    """Write or compare the page; return the exit code."""
    if "--check" not in arguments:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == page():
        return 0
    print(f"{PAGE.name} is not what the options say; run tools/generate/keeper_config.py")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
