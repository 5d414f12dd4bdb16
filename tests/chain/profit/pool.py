"""A pool of Uniswap v3 beside the installation, its honest providers, and whoever swaps in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from plimsoll.chain.abi import encode_values, load_artifact, parse_artifact
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.deployment.liquidity_spec import LiquiditySpec
from tests.chain.helpers.published import FEE, FOREVER, Q96, published, root_of, tick_of

GAS = 30_000_000
WAD = 10**18
SYMBOL = "LP"
LOWER, UPPER = 1_500.0, 2_600.0
#: What honest providers hold over all prices near, in coins.
DEPTH = 500


@dataclass(frozen=True, slots=True)
class Addresses:
    """What stands beside the installation."""

    base: str
    cash: str
    factory: str
    positions: str
    router: str
    pool: str

    @property
    def base_first(self) -> bool:
        """Whether the base is token0."""
        return int(self.base, 16) < int(self.cash, 16)


def _create(client: Client, admin: LocalAccount, package: str, name: str, *values: Any) -> Contract:
    found = parse_artifact(name, published(package, name))
    inputs = next((entry["inputs"] for entry in found.abi if entry["type"] == "constructor"), ())
    receipt = client.send(admin, None, found.bytecode + encode_values(inputs, values), GAS, name)
    return Contract(client, found, to_checksum_address(str(receipt.contract_address)))


def build_pool(client: Client, admin: LocalAccount, base: str, cash: str, price: float) -> Addresses:
    """Create Uniswap with one pool at a price; no ether is ever wrapped, so the base stands for its wrapper."""
    factory = _create(client, admin, "v3-core", "UniswapV3Factory")
    known = factory.address, base
    positions = _create(client, admin, "v3-periphery", "NonfungiblePositionManager", *known, admin.address)
    router = _create(client, admin, "v3-periphery", "SwapRouter", *known)
    first = int(base, 16) < int(cash, 16)
    tokens = (base, cash) if first else (cash, base)
    root = root_of(price, 18, 6, base_first=first)
    positions.send(admin, "createAndInitializePoolIfNecessary", *tokens, FEE, root, gas=GAS)
    pool = factory.call("getPool", *tokens, FEE)
    made = Addresses(base, cash, factory.address, positions.address, router.address, pool)
    for token in tokens:
        for spender in (positions, router):
            Contract(client, load_artifact("LocalToken"), token).send(admin, "approve", spender.address, 2**256 - 1)
    ends = sorted(tick_of(p, 18, 6, base_first=first) for p in (price / 4, price * 4))
    amounts = (DEPTH * WAD, round(DEPTH * price) * 10**6)
    words = (*tokens, FEE, *ends, *(amounts if first else amounts[::-1]), 0, 0, admin.address, FOREVER)
    positions.send(admin, "mint", words, gas=GAS)
    return made


def liquidity_spec(at: Addresses) -> LiquiditySpec:
    """Liquidity of one range as collateral, without a bound on what leaves in a day."""
    ticks = sorted(tick_of(p, 18, 6, base_first=at.base_first) for p in (LOWER, UPPER))
    return LiquiditySpec(
        symbol=SYMBOL,
        name="Liquidity of ether and dollars",
        pool=at.pool,
        factory=at.factory,
        positions=at.positions,
        base="WETH",
        is_base_first=at.base_first,
        tick_lower=ticks[0],
        tick_upper=ticks[1],
        haircut=0.2,
        linked_haircut=0.05,
        deposit_cap=1e9,
        outflow_share=1.0,
        outflow_daily=1.0,
    )


def contracts(client: Client, at: Addresses) -> dict[str, Contract]:
    """Router and pool, by name."""
    return {
        "SwapRouter": Contract(
            client, parse_artifact("SwapRouter", published("v3-periphery", "SwapRouter")), at.router
        ),
        "UniswapV3Pool": Contract(client, parse_artifact("Pool", published("v3-core", "UniswapV3Pool")), at.pool),
    }


def swap_to(at: Addresses, by: str, price: float, *, falls: bool) -> tuple[Any, ...]:
    """Argument of the router that swaps until the pool stands at a price."""
    sold, bought = (at.base, at.cash) if falls else (at.cash, at.base)
    amount = 10**6 * WAD if falls else 10**9 * 10**6
    limit = root_of(price, 18, 6, base_first=at.base_first)
    return (sold, bought, FEE, by, FOREVER, amount, 0, limit)


def price_at(at: Addresses, root_q96: int) -> float:
    """Price of the base in cash at a root."""
    raw = (root_q96 / Q96) ** 2
    return float((raw if at.base_first else 1 / raw) * 10.0**12)
