"""Finds taken to the deployed contracts: the loss by the search's own prices over what the chain asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from plimsoll.files.market import load_market
from plimsoll.files.params import load_params
from plimsoll.files.portfolio import load_portfolio
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
from plimsoll.params import Params
from plimsoll.protocol.margin_engine import Checker, checker, evaluate_on_chain, snapshot_of
from tools.prove.holes.documents import SIZE, TIMESTAMP, market_document, params_document, portfolio_document
from tools.prove.holes.sample import DAY
from tools.prove.holes.search import Find

#: Options of the two accounts whose difference is the gas of one further option.
FEW: Final = 8
MANY: Final = 40


@dataclass(frozen=True)
class Verified:
    """Loss over promised cover with the requirement of the search, the mirror and the chain (None when not asked)."""

    find: Find
    mirror: float
    chain: float | None

    @property
    def ratio(self) -> float:
        """The contracts decide where they were asked, else the mirror."""
        return self.mirror if self.chain is None else self.chain


@contextmanager
def _files(*documents: dict[str, Any]) -> Iterator[list[Path]]:
    """Write documents, so that they pass through the readers that every user's files pass through."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.json" for number in range(len(documents))]
        for path, document in zip(paths, documents, strict=True):
            path.write_text(json.dumps(document), encoding="utf-8")
        yield paths


def loaded(find: Find, params: Params) -> tuple[Market, Portfolio, Params]:
    """Read a find back through the documents of the command line."""
    with _files(market_document(find), portfolio_document(find), params_document(params)) as paths:
        market = load_market(paths[0])
        return market, load_portfolio(paths[1], market), load_params(paths[2], set(market.rounds))


def verified(find: Find, params: Params, on_chain: bool) -> Verified:
    """Ask the mirror and, where wanted, the deployed contracts for the requirement of a find."""
    documents = loaded(find, params)
    loss = find.ratio * find.requirement * SIZE
    chain = loss / evaluate_on_chain(*documents).initial_margin if on_chain else None
    return Verified(find, loss / evaluate(*documents).initial_margin, chain)


def _options(count: int) -> Portfolio:
    """Half long, half short, no strike twice."""
    expiry = TIMESTAMP + 30 * int(DAY)
    legs = [Position("ETH", Kind.CALL, expiry, 1_500.0 + 25.0 * i, (-1.0) ** i) for i in range(count)]
    return Portfolio(Mode.SINGLE, 1e6, {}, tuple(legs))


def _gas(found: Checker, portfolio: Portfolio) -> int:
    """Gas of one check as a transaction; both accounts share what does not depend on the options."""
    data = found.engine.encode("evaluate", snapshot_of(portfolio, found.deployment))
    call = {"to": found.engine.address, "data": "0x" + data.hex(), "gas": hex(100_000_000)}
    return int(found.engine.client.rpc("eth_estimateGas", call), 16)


def gas_per_option(params: Params) -> int:
    """Gas of one further option in a margin check, no strike twice."""
    surface = Surface(TIMESTAMP + 30 * int(DAY), 2_000.0, 0.0, Svi(0.03, 0.02, -0.1, 0.0, 0.3))
    round_ = Round("ETH", TIMESTAMP, 2_000.0, 2_000.0, 1.0, (surface,), None)
    market = Market(TIMESTAMP, {"USDC": Token("USDC", 1.0, 0.0)}, {"ETH": round_})
    with checker(market, params) as found:
        return round((_gas(found, _options(MANY)) - _gas(found, _options(FEW))) / (MANY - FEW))
