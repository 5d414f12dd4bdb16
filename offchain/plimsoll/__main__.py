"""``python -m plimsoll``: the command ``plimsoll``, where it is not on the path."""

from plimsoll.cli import main

if __name__ == "__main__":
    main()
