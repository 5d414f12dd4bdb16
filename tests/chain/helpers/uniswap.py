"""Uniswap v3 on Brownie's test chain: factory, manager, router, pools, and tokens of their ranges."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import brownie
from brownie import Contract, web3

from tests.chain.helpers.published import FEE, FOREVER, Q96, published, root_of, tick_of
from tests.chain.helpers.swift import rpc

#: Prices so near that no swap leads from one to the other.
SAME = 1e-9


def _create(admin: Any, package: str, name: str, *arguments: Any) -> Any:
    found = published(package, name)
    code = web3.eth.contract(abi=found["abi"], bytecode=found["bytecode"])
    data = code.constructor(*(getattr(value, "address", value) for value in arguments)).data_in_transaction
    made = rpc("eth_sendTransactionSync", {"from": admin.address, "data": data, "gas": hex(20_000_000)})
    return Contract.from_abi(name, made["contractAddress"], found["abi"])


def deploy_uniswap(admin: Any, coin: Any) -> SimpleNamespace:
    """Deploy factory, position manager and router; no ether is ever wrapped, so any token stands for its wrapper."""
    factory = _create(admin, "v3-core", "UniswapV3Factory")
    positions = _create(admin, "v3-periphery", "NonfungiblePositionManager", factory, coin, admin)
    router = _create(admin, "v3-periphery", "SwapRouter", factory, coin)
    return SimpleNamespace(admin=admin, factory=factory, positions=positions, router=router)


class Pool(SimpleNamespace):
    """A pool of a base and cash; ``base_first`` when the base is token0."""

    def token(self, number: int) -> Any:
        """Token0 or token1."""
        return self.base if (number == 0) == self.base_first else self.cash

    def fund(self, owner: Any, *spenders: Any, amount: int = 10**9) -> None:
        """Give whole units of both tokens, and let the spenders take them."""
        for token in (self.base, self.cash):
            token.mint(owner, amount * 10 ** token.decimals(), {"from": owner})
            for spender in spenders:
                token.approve(spender, 2**256 - 1, {"from": owner})

    def ends(self, lower: float, upper: float) -> tuple[int, int]:
        """Ticks of a range of prices, in the order of the pool."""
        decimals = self.base.decimals(), self.cash.decimals()
        first, second = (tick_of(p, *decimals, base_first=self.base_first) for p in (lower, upper))
        return min(first, second), max(first, second)

    def price(self) -> float:
        """Price of the base in cash now."""
        raw = (self.pool.slot0()[0] / Q96) ** 2
        raw = raw if self.base_first else 1 / raw
        return float(raw * 10.0 ** (self.base.decimals() - self.cash.decimals()))

    def push(self, by: Any, price: float) -> None:
        """Swap until the pool stands at a price."""
        if abs(price / self.price() - 1) < SAME:
            return
        falls = price < self.price()
        sold, bought = (self.base, self.cash) if falls else (self.cash, self.base)
        limit = root_of(price, self.base.decimals(), self.cash.decimals(), base_first=self.base_first)
        amount = 10**9 * 10 ** sold.decimals()
        sold.mint(by, amount, {"from": by})
        sold.approve(self.uniswap.router, amount, {"from": by})
        words = (sold, bought, FEE, by, FOREVER, amount, 0, limit)
        self.uniswap.router.exactInputSingle(words, {"from": by})

    def mint_position(self, owner: Any, ends: tuple[int, int], base: int, cash: int) -> int:
        """Let somebody have a position of the manager, for at most so much of both; return its id."""
        self.fund(owner, self.uniswap.positions)
        whole = {self.base: base * 10 ** self.base.decimals(), self.cash: cash * 10 ** self.cash.decimals()}
        amounts = [whole[self.token(i)] for i in (0, 1)]
        words = (self.token(0), self.token(1), FEE, *ends, *amounts, 0, 0, owner, FOREVER)
        tx = self.uniswap.positions.mint(words, {"from": owner})
        topic = web3.keccak(text="Transfer(address,address,uint256)")
        made = [
            log for log in tx.logs if log["address"] == self.uniswap.positions.address and log["topics"][0] == topic
        ]
        return int(made[-1]["topics"][3].hex(), 16)


def create_pool(uniswap: Any, base: Any, cash: Any, price: float) -> Pool:
    """Create a pool at a price, with a little liquidity of the deployer over a wide range."""
    base_first = int(base.address, 16) < int(cash.address, 16)
    tokens = (base, cash) if base_first else (cash, base)
    root = root_of(price, base.decimals(), cash.decimals(), base_first=base_first)
    uniswap.positions.createAndInitializePoolIfNecessary(*tokens, FEE, root, {"from": uniswap.admin})
    address = uniswap.factory.getPool(*tokens, FEE)
    pool = Contract.from_abi("UniswapV3Pool", address, published("v3-core", "UniswapV3Pool")["abi"])
    found = Pool(uniswap=uniswap, base=base, cash=cash, base_first=base_first, pool=pool)
    found.mint_position(uniswap.admin, found.ends(price / 100, price * 100), 1_000, int(1_000 * price))
    return found


def tokens_in_order(admin: Any, base_decimals: int, cash_decimals: int, *, base_first: bool) -> tuple[Any, Any]:
    """Deploy a base and a cash token whose addresses are in the wanted order."""
    project = brownie.project.get_loaded_projects()[0]
    cash = admin.deploy(project.LocalToken, "Mock USD Coin", "USDC", cash_decimals)
    while True:
        base = admin.deploy(project.LocalToken, "Mock Ether", "ETH", base_decimals)
        if (int(base.address, 16) < int(cash.address, 16)) == base_first:
            return base, cash


def deploy_liquidity(admin: Any, pool: Pool, ends: tuple[int, int], positions: Any = None) -> Any:
    """Deploy the token of one range of a pool."""
    project = brownie.project.get_loaded_projects()[0]
    words = (pool.uniswap.factory, pool.pool, positions or pool.uniswap.positions, pool.cash, *ends)
    return admin.deploy(project.LiquidityToken, "Liquidity of ETH and USDC", "LP-ETH", words)
