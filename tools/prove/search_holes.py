"""Search for the portfolio that breaks the promise of the risk model (section 10.1), and say what the book costs.

For each family of scenarios a linear program looks for the portfolio that loses most for its requirement, over random
markets and then near the worst of them; losses come from prices of the search's own, requirements from the mirror's
unit arrays. The worst find of each family is then taken to the deployed contracts. A figure is the loss over what is
promised to be covered: at most 1 passes. Beside it stand the gas of one further option and the capital cost on
twenty books. The exit code is 1 when a promise is broken.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from plimsoll.errors import InputError, UnavailableError
from plimsoll.files.params import load_params
from plimsoll.params import Params
from tools.prove.holes.cost import Cost, capital_cost, costs
from tools.prove.holes.documents import market_document, params_document, portfolio_document
from tools.prove.holes.families import COVER
from tools.prove.holes.search import FAMILIES, Find, Hunt
from tools.prove.holes.verify import Verified, gas_per_option, verified

#: What the program's tolerance and the chain's upward rounding may leave above a promise.
ROUNDING: Final = 1e-6


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--book", type=Path, help="parameter file with the book (default: the shipped one)")
    parser.add_argument("--markets", type=int, default=30, help="markets of each family (default 30)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="families searched at a time (default 2)")
    parser.add_argument("--finds", type=Path, help="folder for the worst find of each family, as documents")
    parser.add_argument("--no-chain", action="store_true", help="do not ask the contracts; no gas figure then")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    return parser.parse_args()


def _hunt(family: str, params: Params, seed: int, markets: int) -> Find:
    """Search one family; a function of its own, so that it runs in a process of its own."""
    began = time.monotonic()
    found = Hunt(family, params, seed).run(markets)
    print(f"   {family}: {found.ratio:.6f} ({time.monotonic() - began:.0f} s)", file=sys.stderr)
    return found


def search(params: Params, markets: int, seed: int, jobs: int) -> list[Find]:
    """Worst find of every family."""
    if markets < 1:
        raise InputError("--markets", f"{markets} is below 1")
    with ProcessPoolExecutor(jobs) as pool:
        waiting = [pool.submit(_hunt, family, params, seed, markets) for family in FAMILIES]
        return [one.result() for one in waiting]


def _figure(ratio: float) -> float:
    """Loss over promised cover; a promise kept to within rounding is kept."""
    return 1.0 if 1.0 < ratio <= 1.0 + ROUNDING else round(ratio, 6)


def document(found: list[Verified], gas: int | None, books: list[Cost]) -> dict[str, object]:
    """Return the JSON document."""
    return {
        "schema": "plimsoll.holes/1",
        "families": {one.find.family: _figure(one.ratio) for one in found},
        "gasPerOption": gas,
        "capitalCost": round(capital_cost(books), 4),
    }


def _describe(one: Verified) -> str:
    find, chain = one.find, "" if one.chain is None else f", on chain {one.chain:.6f}"
    market = ", ".join(
        f"{symbol} {e.tau / 86_400:.3f} d at {e.volatility:.0%}"
        for symbol, expiries in find.sample.underlyings.items()
        for e in expiries
    )
    verdict = "covered" if _figure(one.ratio) <= 1.0 else "NOT COVERED"
    cover = COVER[find.family]
    lines = [
        f"{find.family:9s} loss over promised cover {one.mirror:.6f}{chain} ({verdict}; promised {cover:g})",
        f"          {find.scenario}; {market}",
    ]
    return "\n".join(lines)


def _report(found: list[Verified], gas: int | None, books: list[Cost], params: Params) -> str:
    lines = [f"book: {params.book.label}, {params.book.nodes} nodes", *map(_describe, found)]
    lines.append("gas of one further option: " + ("not measured" if gas is None else f"{gas:,}"))
    lines.append("requirement over what the promises demand:")
    lines += [f"   {cost.name:18s} {cost.ratio:.3f}" for cost in books]
    lines.append(f"capital cost (geometric mean): {capital_cost(books):.4f}")
    return "\n".join(lines)


def _write(found: list[Verified], params: Params, folder: Path) -> None:
    """Leave the finds as documents, for ``plimsoll margin --engine both``."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        name = one.find.family
        documents = {"market": market_document(one.find), "portfolio": portfolio_document(one.find)}
        for part, content in documents.items():
            (folder / f"{name}.{part}.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "params.json").write_text(json.dumps(params_document(params)), encoding="utf-8")


def run(options: argparse.Namespace) -> int:
    """Search, verify, report; return the exit code."""
    params = load_params(options.book) if options.book else Params()
    finds = search(params, options.markets, options.seed, options.jobs)
    found = [verified(find, params, not options.no_chain) for find in finds]
    gas = None if options.no_chain else gas_per_option(params)
    books = costs(params)
    if options.finds:
        _write(found, params, options.finds)
    print(json.dumps(document(found, gas, books)) if options.json else _report(found, gas, books, params))
    return int(any(_figure(one.ratio) > 1.0 for one in found))


def main() -> int:
    """Run; bad input is one line and code 2, a missing chain code 3."""
    try:
        return run(_options())
    except UnavailableError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
