"""Fail when a contract imports from a layer to its right, or a package one that it may not know.

On chain the folders of contracts/ read left to right as data flows, and a call to the right goes through interfaces/.
Off chain every edge between two packages is listed; a new folder, package or edge is a decision, written down here and
told in CONTRIBUTING.md.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
#: Folders of contracts/, left to right. Nothing imports lens; local chains alone use local, tests alone use mocks.
CONTRACT_LAYERS: Final = (
    "access",
    "libraries",
    "accounts",
    "feeds",
    "sources",
    "risk",
    "margin",
    "exchange",
    "settlement",
    "liquidation",
    "remote",
    "strategy",
    "lens",
    "local",
    "mocks",
)
#: What everyone may import: numbers that mean the same in every room.
COMMON: Final = {"constants"}
#: What each package of offchain/plimsoll may import beside these; one that is not here may import nothing. Read
#: downwards: nouns, the mirror and what feeds it, questions to it, the chain and the keeper's stages, and what puts
#: them together.
ALLOWED: Final[dict[str, set[str]]] = {
    "errors": set(),
    "units": {"errors"},
    # How others write times, numbers and tables: rules that every reader of foreign files shares.
    "dialects": {"errors"},
    # Tables of any library in, frames out: what readers, analytics and the front door share.
    "frames": {"errors", "dialects"},
    "model": {"errors"},
    # How venues write an instrument, both ways; what it says is checked by whoever reads it.
    "instrument_names": {"model"},
    "params": {"errors"},
    "mirror": {"errors", "model", "params"},
    "files": {"errors", "dialects", "frames", "model", "instrument_names", "params", "mirror"},
    "market": {"errors", "dialects", "model", "mirror"},
    # Books of other venues, read into our files; live reads are signed here, and nothing is ever sent.
    "intake": {"errors", "dialects", "model", "mirror", "market"},
    "analytics": {"errors", "dialects", "frames", "model", "params", "mirror", "files", "market"},
    # Tables belong to their rooms; here is only how a database is opened, migrated and written.
    "storage": {"errors"},
    "chain": {"errors", "model", "params", "units"},
    # A venue from the other side, and what is spoken with it; it knows nothing of the service.
    "client": {"errors", "model", "units", "chain"},
    "deployment": {"errors", "model", "params", "units", "files", "chain"},
    "protocol": {"errors", "model", "params", "units", "mirror", "chain", "deployment"},
    "governance": {"errors", "units", "chain", "deployment", "protocol"},
    "doctor": {"errors", "units", "chain", "deployment", "protocol"},
    # One call each over every room that answers a question. Surfaces are fitted with market and files; what is on a
    # chain is read through protocol, which needs an endpoint and a deployment. It sends nothing, so it knows neither
    # keeper nor transact; of a venue it opens the client.
    "front": {
        *("errors", "dialects", "frames", "model", "instrument_names", "params", "mirror", "files", "market"),
        *("analytics", "chain", "deployment", "protocol", "client"),
    },
    "index": {"errors", "model", "storage", "chain", "deployment"},
    # The solver of signed intents values portfolios; everything else in it knows numbers alone.
    "decide": {"errors", "model", "params", "mirror"},
    # Headers and proofs of another chain, and the relayer that carries them.
    "remote": {"errors", "chain"},
    # What is signed and by whom: between what the market says and the stages that act. It sends nothing.
    "feeds": {
        *("errors", "units", "model", "files", "market", "mirror"),
        *("storage", "chain", "deployment", "protocol"),
    },
    "transact": {"errors", "storage", "chain"},
    "keeper": {
        *("__init__", "errors", "model", "params", "units", "files", "mirror"),
        *("storage", "chain", "deployment", "protocol", "index", "feeds", "decide", "transact", "remote"),
    },
    # Where signed orders meet: books of its own, the chain through the index and the keeper's transactor.
    "venue": {
        *("errors", "model", "instrument_names", "params", "units", "market", "mirror", "files"),
        *("storage", "chain", "deployment", "protocol", "index", "feeds", "transact", "keeper", "client"),
    },
    "session": {
        *("errors", "model", "instrument_names", "params", "units", "front", "mirror"),
        *("chain", "deployment", "protocol", "keeper"),
    },
    "demo": {
        *("errors", "model", "params", "units", "market", "mirror", "analytics"),
        *("chain", "deployment", "protocol", "index", "decide", "transact", "keeper", "venue", "client", "remote"),
    },
    "cli": {
        *("__init__", "errors", "dialects", "model", "params", "files", "market", "mirror", "intake"),
        *("analytics", "chain", "deployment", "protocol", "governance", "doctor", "feeds", "keeper", "venue", "demo"),
    },
    "__main__": {"cli"},
    "__init__": {"errors", "model", "params", "files", "analytics", "front"},
}
#: What the root of all packages is called here; it is no room of its own.
ROOT_PACKAGES: Final = {"__init__", "__main__"}
#: The page that tells of layers and rooms, and the line that its table of rooms begins with.
PAGE: Final = "CONTRIBUTING.md"
TABLE: Final = "| room | what belongs there |"
IMPORT: Final = re.compile(r'^\s*import\s+[^"\';]*["\']([^"\']+)["\']', re.M)
SPAN: Final = re.compile(r"`(\w+)`")


def violations(here: str, there: str, order: Sequence[str]) -> bool:
    """Whether ``here`` may not import ``there``: one of them is no layer, or ``there`` stands further right."""
    return here not in order or there not in order or order.index(there) > order.index(here)


def unlisted(root: Path) -> Iterator[str]:
    """Yield what says that a folder of contracts or a package has no place in the lists above."""
    for folder in sorted({file.relative_to(root / "contracts").parts[0] for file in root.glob("contracts/*/**/*.sol")}):
        if folder not in CONTRACT_LAYERS:
            yield f"contracts/{folder}: no layer of that name is listed"
    package = root / "offchain" / "plimsoll"
    for room in sorted({file.relative_to(package).parts[0].removesuffix(".py") for file in package.rglob("*.py")}):
        if room not in COMMON | ALLOWED.keys():
            yield f"offchain/plimsoll/{room}: no room of that name is listed"


def untold(page: str) -> Iterator[str]:
    """Yield where the page names other layers or rooms than the lists above, or layers in another order."""
    before, _, after = page.partition(TABLE)
    layers = [name for name in SPAN.findall(before) if name in CONTRACT_LAYERS]
    if layers != list(CONTRACT_LAYERS):
        yield f"{PAGE}: the folders of contracts/ are {', '.join(CONTRACT_LAYERS)}, found {', '.join(layers)}"
    rows = after.partition("\n\n")[0].splitlines()[2:]
    told = {name for row in rows for name in SPAN.findall(row.split("|")[1])}
    for name in sorted(told ^ ((COMMON | ALLOWED.keys()) - ROOT_PACKAGES)):
        yield f"{PAGE}: {name} is {'no room' if name in told else 'missing from the table of rooms'}"


def contract_imports(root: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield (file, its folder, imported folder) for every relative import between contracts."""
    for source in sorted(root.rglob("*.sol")):
        here = source.relative_to(root).parts[0]
        for target in IMPORT.findall(source.read_text(encoding="utf-8")):
            resolved = (source.parent / target).resolve()
            if target.startswith(".") and resolved.is_relative_to(root):
                yield source, here, resolved.relative_to(root).parts[0]


def module_imports(root: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield (file, its package, imported package) for every import between packages, late ones included.

    What stands in the root of all packages, and a name taken from there, counts as ``__init__``.
    """
    for source in sorted(root.rglob("*.py")):
        here = source.relative_to(root).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            for parts in (name.split(".") for name in names):
                if parts[0] == root.name and len(parts) > 1:
                    is_room = (root / parts[1]).is_dir() or (root / f"{parts[1]}.py").is_file()
                    yield source, here, parts[1] if is_room else "__init__"


def main(root: Path = ROOT) -> int:
    """Print every import that points right, and what has no place or is not told; return the exit code."""
    wrong = [found for found in contract_imports(root / "contracts") if violations(found[1], found[2], CONTRACT_LAYERS)]
    for file, here, there in module_imports(root / "offchain" / "plimsoll"):
        if here != there and there not in COMMON | ALLOWED.get(here, set()):
            wrong.append((file, here, there))
    bad = sorted({(str(file.relative_to(root)), here, there) for file, here, there in wrong})
    faults = [f"{file}: {here} must not import {there}" for file, here, there in bad]
    faults += [*unlisted(root), *untold((root / PAGE).read_text(encoding="utf-8"))]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
