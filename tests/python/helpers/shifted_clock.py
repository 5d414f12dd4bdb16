"""The command with a clock that a test sets: ``python shifted_clock.py OFFSET_FILE ARGUMENTS...``.

The file holds seconds that are added to the system's time whenever somebody asks for it, so that a clock jumps while
the process runs, as after a correction by an operator. Clocks that only grow are left alone, as the system leaves them.
"""

import sys
import time
from pathlib import Path


def shift(offset: Path) -> None:
    """Let the time of this process be wrong by what a file says."""
    real_ns = time.time_ns

    def shifted_ns() -> int:
        return real_ns() + int(offset.read_text(encoding="ascii") or 0) * 10**9

    time.time_ns = shifted_ns
    time.time = lambda: shifted_ns() / 1e9


if __name__ == "__main__":
    shift(Path(sys.argv[1]))
    # Only now, so that whoever keeps the function keeps the shifted one.
    from plimsoll.cli import main

    sys.argv = ["plimsoll", *sys.argv[2:]]
    main()
