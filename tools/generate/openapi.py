"""Write docs/reference/openapi.json from the models of the venue; ``--check`` fails when it is out of date."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final, cast

# The package of this very checkout, wherever the script is called from.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "offchain"))

from plimsoll.venue.api.app import build_app
from plimsoll.venue.api.backend import Backend

FILE: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "openapi.json"


def text() -> str:
    """Return the document, keys sorted, so that a change of the models is a change of few lines."""
    # The document is made of routes and models alone; nothing asks the backend.
    app = build_app(cast("Backend", None))
    document: dict[str, Any] = app.openapi()
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write or compare the file; return the exit code."""
    if "--check" not in arguments:
        FILE.write_text(text(), encoding="utf-8")
        return 0
    if FILE.is_file() and FILE.read_text(encoding="utf-8") == text():
        return 0
    print(f"{FILE.name} is not what the models say; run tools/generate/openapi.py")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
