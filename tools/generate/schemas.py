"""Write docs/reference/schemas from the limits of the readers; ``--check`` fails when a file is out of date."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

# The package of this very checkout, wherever the script is called from.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "offchain"))

from plimsoll.cli.schema import SCHEMAS, schema_text

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "schemas"


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Write or compare the schemas; return the exit code."""
    texts = {folder / f"{name}.json": schema_text(name) for name in SCHEMAS}
    if "--check" not in arguments:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        return 0
    found = {path: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json"))}
    stale = sorted(path.name for path in {*texts, *found} if texts.get(path) != found.get(path))
    for name in stale:
        print(f"{name} is not what the readers check; run tools/generate/schemas.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
