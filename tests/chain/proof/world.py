"""A private chain with the pricing contracts, rounds that reach every branch, and a way to replace one contract's code.

The batteries read only through external functions. A contract is replaced at its address, so that everything which
knows the address, and its storage, stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from plimsoll.chain import anvil
from plimsoll.chain.abi import load_artifact
from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract, create
from plimsoll.deployment.deploy import deploy_pricing
from plimsoll.deployment.record import Deployment
from plimsoll.deployment.spec import spec_for_market
from plimsoll.model import Market, Round, Surface, Svi, Token
from plimsoll.params import AccountParams, Params
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster
from tests.chain.helpers.mocks import use_mocks

NOW = 1_770_326_940
DAY = 86_400
WAD = 10**18
#: Enough for every case without the optimizer; an endless loop ends here.
CALL_GAS = 30_000_000
#: What a margin engine is told beside the ledger.
ENGINES = ("Oracle", "ScenarioBook", "RiskEngine", "RateFeed", "SourceBook")
#: Contracts that carry libraries alone.
PROBES = ("LibraryProbe", "PlainCallProbe", "ScanProbe")
#: Underlyings by what is special about them, in the order of their ids.
CALM, EXPIRING, EXTREME, SMALL, BROKEN = "A", "B", "C", "D", "E"


#: A book like no other: prices and states of no symmetry, tails in one state that fall together at the lowest price,
#: skew at both ends and in the middle, and sevenths that are no round number.
RARE_ROWS = {
    "gridMovesWad": [-WAD, -3 * WAD // 10, 0, WAD // 7, 6 * WAD // 10],
    "gridVols": [0, 2],
    "tailMovesWad": [5 * WAD // 4, 3 * WAD, 4 * WAD, 5 * WAD],
    "tailVols": [2],
    "skewWad": 4 * 10**17,
    "skewAt": [{"moveWad": m, "vol": v} for m, v in ((-WAD, 2), (WAD // 7, 2), (0, 0))],
}


def _flat(vol: float, days: float) -> Svi:
    return Svi(vol * vol * days / 365.0, 0.0, 0.0, 0.0, 0.1)


def _round(
    name: str,
    spot: float,
    surfaces: list[tuple[float, float, float, Svi]],
    confidence: float = 1.0,
    mean: float | None = None,
) -> Round:
    listed = tuple(Surface(NOW + round(days * DAY), forward, rate, svi) for days, forward, rate, svi in surfaces)
    return Round(name, NOW, spot, spot * 1.0007, confidence, listed, mean)


def market() -> Market:
    """Five underlyings; cash off its peg, a linked and a plain token."""
    smile = Svi(0.002, 0.03, -0.2, 0.02, 0.1)
    rounds = (
        _round(CALM, 1_900.0, [(1, 1_900.4, 0.04, smile), (14, 1_903.0, 0.04, smile), (180, 1_931.0, 0.03, smile)]),
        _round(
            EXPIRING, 2_000.0,
            [(700 / DAY, 2_001.0, 0.1, _flat(0.9, 233 / DAY)), (0.1, 2_000.0, 0.0, _flat(0.7, 0.09)),
             (0.4, 2_000.0, 0.0, _flat(0.6, 0.4)), (0.9, 2_002.0, 0.05, _flat(0.5, 0.9)),
             (30, 2_010.0, 0.0, _flat(0.2, 30)), (30 + 1 / DAY, 2_010.0, 0.0, _flat(0.2, 30))],
            0.4,
            1_960.25,
        ),
        _round(
            EXTREME, 64_000.0,
            [(2, 63_000.0, 0.2, Svi(0.001, 0.30, -0.75, -0.05, 0.04)), (10, 62_000.0, -0.2, _flat(0.0, 10)),
             (40, 64_500.0, 0.0, Svi(0.02, 0.2, 0.6, 0.1, 0.3)), (1_000, 50_000.0, -0.1, _flat(2.5, 1_000))],
            0.55,
        ),
        _round(
            SMALL, 0.05,
            [(0, 0.0501, 0.0, _flat(0.6, 1)), (3, 0.0501, 0.0, _flat(1.4, 3)), (90, 0.052, 0.05, _flat(0.8, 90))],
            0.9,
            0.0513,
        ),
        _round(BROKEN, 87.5, [(5, 87.6, 0.0, _flat(1.1, 5))], 0.2),
    )  # fmt: skip
    tokens = (
        Token("USDC", 0.97, 0.0),
        Token("LINKED", None, 0.25, CALM, 0.05, 1.21),
        Token("STAKED", None, 0.2, CALM, 0.04, 1.05),
        Token("OTHER", None, 0.3, EXTREME, 0.1, 1e-4),
        Token("PLAIN", 4_000.7, 0.1),
    )
    return Market(NOW, {t.symbol: t for t in tokens}, {r.underlying: r for r in rounds})


def params() -> Params:
    """Free sizes small enough to be passed, a vol shock that reaches zero, and other charges."""
    return Params(
        AccountParams(mm_factor=0.75, im_factor=1.1, conf_threshold=0.55),
        overrides={
            EXTREME: {"n0": 20_000.0, "v0": 2_000.0, "vol_down": 0.9, "conc_rate": 0.5, "conc_vega_rate": 0.3},
            CALM: {"price_range": 0.285},
            # Above the range: what is short needs its minimum even where it is a forward.
            EXPIRING: {"short_min_rate": 0.35},
            SMALL: {"price_range": 0.3, "vol_floor": 1.5, "vol_up": 0.8, "short_min_rate": 0.05, "basis_rate": 0.9},
            BROKEN: {"vega_term_rate": 0.9, "basis_min": 0.05, "perp_basis": 0.03},
        },
    )


@dataclass
class World:
    """The running chain."""

    client: Client
    owner: LocalAccount
    deployment: Deployment
    poster: RoundPoster
    contracts: dict[str, Contract]
    arguments: dict[str, bytes]
    original: dict[str, str]

    def install(self, name: str, creation: bytes) -> None:
        """Put other code at the address of ``name``, made with the constructor arguments of the first.

        It is really deployed: what its constructor creates has to be there.

        Raises
        ------
        RevertError
            When the constructor refuses.
        """
        data = creation + self.arguments[name]
        receipt = self.client.send(self.owner, None, data, CALL_GAS, name)
        code = self.client.rpc("eth_getCode", receipt.contract_address, "latest")
        self.client.rpc("anvil_setCode", self.contracts[name].address, code)

    def restore(self, name: str) -> None:
        """Put the first code back."""
        self.client.rpc("anvil_setCode", self.contracts[name].address, self.original[name])

    def ask(self, name: str, calls: list[bytes], sender: str | None = None) -> list[Any]:
        """Answers to many reads: bytes, or the error."""
        to = self.contracts[name].address
        who = {} if sender is None else {"from": sender}
        requests = [
            ("eth_call", [{**who, "to": to, "data": "0x" + data.hex(), "gas": hex(CALL_GAS)}, "latest"])
            for data in calls
        ]
        return [bytes.fromhex(a[2:]) if isinstance(a, str) else a for a in self.client.batch(requests)]


def _creations(client: Client) -> dict[str, bytes]:
    """Input of every creation by the address it made."""
    found: dict[str, bytes] = {}
    for number in range(client.block_number() + 1):
        for tx in client.rpc("eth_getBlockByNumber", hex(number), True)["transactions"]:
            if tx.get("to") is None:
                receipt = client.rpc("eth_getTransactionReceipt", tx["hash"])
                found[to_checksum_address(receipt["contractAddress"])] = bytes.fromhex(tx["input"][2:])
    return found


@contextmanager
def running(*, any_size: bool = False) -> Iterator[World]:
    """Keep the chain for the length of a ``with`` block."""
    signers = sorted((wallet(f"proof signer {i}") for i in range(2)), key=lambda s: int(s.address, 16))
    owner, made = wallet("proof owner"), market()
    use_mocks()
    with anvil.running(NOW, any_size=any_size) as chain:
        client = Client(chain.url)
        client.rpc("anvil_setBalance", owner.address, hex(10**24))
        spec = spec_for_market(made, params(), tuple(s.address for s in signers))
        deployment = deploy_pricing(client, owner, spec)
        names = ("Authority", "ScenarioBook", "Oracle", "RiskEngine")
        contracts = {name: deployment.contract(client, name) for name in names}
        addresses = [deployment.contracts[name] for name in ENGINES]
        rare, book = deployment.underlyings[BROKEN], contracts["ScenarioBook"]
        book.send(owner, "setBook", rare, book.call("bookOf", rare).params, RARE_ROWS)
        contracts["Accounts"], _ = create(client, owner, "Accounts", contracts["Authority"].address, owner.address)
        ledger, authority = contracts["Accounts"].address, contracts["Authority"].address
        contracts["Guarantees"], _ = create(client, owner, "Guarantees", authority, ledger)
        parts = (ledger, *addresses, contracts["Guarantees"].address)
        contracts["MarginEngine"], _ = create(client, owner, "MarginEngine", *parts)
        for probe in PROBES:
            contracts[probe], _ = create(client, owner, probe)
        contracts["Accounts"].send(owner, "setMarginEngine", contracts["MarginEngine"].address)
        contracts["Accounts"].send(owner, "setModule", owner.address, True)
        poster = RoundPoster(client, deployment, signers)
        for market_round in made.rounds.values():
            poster.send(owner, poster.round_call(market_round))
        poster.send(owner, poster.tokens_call(NOW, own_prices(made)))
        created = _creations(client)
        yield World(
            client=client,
            owner=owner,
            deployment=replace(deployment),
            poster=poster,
            contracts=contracts,
            arguments={n: created[c.address][len(load_artifact(n).bytecode) :] for n, c in contracts.items()},
            original={n: client.rpc("eth_getCode", c.address, "latest") for n, c in contracts.items()},
        )
