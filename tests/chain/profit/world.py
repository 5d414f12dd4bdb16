"""An installation with honest people in it: depositors whose cash is lent, an insurance fund, a keeper and its bidder.

Everything is sent as wallets and signers send it, and the price path is known to the attackers before anybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from plimsoll.chain.abi import creation_code, load_artifact
from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.chain.revert import RevertError
from plimsoll.chain.signing import domain_of, sign, struct_types
from plimsoll.chain.words import Word, pack
from plimsoll.deployment.deploy import deploy
from plimsoll.deployment.record import Deployment
from plimsoll.deployment.spec import RateSpec, Spec, TokenSpec, load_spec
from plimsoll.model import Kind
from plimsoll.params import Params
from plimsoll.protocol.rounds import RoundPoster
from tests.chain.helpers.mocks import use_mocks
from tests.chain.helpers.orders import UNCONDITIONAL
from tests.chain.profit import loans
from tests.chain.profit.bridge import remote_spec
from tests.chain.profit.loans import NO_VENUE, Venue, build_venue, loan_spec
from tests.chain.profit.loans import SYMBOL as LOAN
from tests.chain.profit.market import WINDOW_SEC, Path
from tests.chain.profit.pool import SYMBOL as LIQUIDITY
from tests.chain.profit.pool import Addresses, build_pool, contracts, liquidity_spec, price_at, swap_to

WAD = 10**18
GAS = 60_000_000
FAR = 2**127 - 1
FUND = 1
SINGLE, STANDARD, CROSS = 0, 1, 2
MAX_FEE_WAD = 10**16
HOUR, DAY = 3_600, 86_400
#: Time to expiry of what is listed at the start.
TENORS_SEC = (2 * HOUR, DAY + HOUR, 7 * DAY, 26 * DAY, 180 * DAY)
SPOTS = {"ETH": 2_000.0, "BTC": 64_000.0}
#: Cash of the honest: who lends, who bids, and the insurance fund.
LENDER_CASH, BIDDER_CASH, FUND_CASH = 2_000_000, 20_000_000, 500_000
#: How long the spot of a step stands between two rounds.
QUIET_SEC, SAMPLE_SEC = 1_800, 240
#: Moves of prices and of variances that no limit would stop.
WIDE_LIMITS = (10 * WAD, 10 * WAD)

SIGNERS = [wallet(f"signer {n}") for n in range(2)]
ADMIN, POSTER, RELAYER, LENDER, BIDDER = (wallet(name) for name in ("admin", "poster", "relayer", "lender", "bidder"))
#: The attackers: the second one has all shares of the loan at Morpho to begin with.
FRIEND, OWNER = (wallet(name) for name in ("attacker's friend", "attacker"))
CONTRACTS = (
    *("Accounts", "Vault", "Oracle", "MarginEngine", "Exchange", "Settlement", "PerpMarket", "Auction"),
    *("InsuranceFund", "ActionPreview", "ScenarioBook", "RateFeed", "Guarantees"),
)
#: A token that no underlying moves: its price is signed by itself, and may grow stale by itself.
PLAIN = TokenSpec("PLAIN", "Mock token of its own", 18, haircut=0.1, deposit_cap=1e9)
#: A share of a vault that can be slashed and that lends its assets within a transaction; see LossyVault.
SHARE = TokenSpec("SHARE", "Mock vault share", 18, haircut=0.2, linked="ETH", linked_haircut=0.02, deposit_cap=1e9)
#: Assets of honest people in that vault.
VAULT_HELD = 100_000
#: What a day may take off its ratio.
SHARE_FALL = 0.3


NO_POOL = Addresses(*[""] * 6)


@dataclass(slots=True)
class Base:
    """What every episode starts from."""

    url: str
    deployment: Deployment
    start_ts: int
    spec: Spec
    lender: int = 0
    bidder: int = 0
    snapshot: str = ""
    #: Contracts beside the installation, by name: the vault, its asset, and an attacker's contract.
    beside: dict[str, str] = field(default_factory=dict)
    pool: Addresses = NO_POOL
    venue: Venue = NO_VENUE


class World:
    """One episode: contracts, honest accounts, the path."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.client = Client(base.url)
        self.deployment = base.deployment
        self.at: dict[str, Contract] = {name: base.deployment.contract(self.client, name) for name in CONTRACTS}
        self.tokens = {s: base.deployment.token_contract(self.client, s) for s in base.deployment.tokens}
        self.at |= contracts(self.client, base.pool)
        address = base.deployment.tokens[LIQUIDITY].address
        self.tokens[LIQUIDITY] = Contract(self.client, load_artifact("LiquidityToken"), address)
        self.at |= loans.contracts(self.client, base.venue)
        address = base.deployment.tokens[LOAN].address
        self.tokens[LOAN] = Contract(self.client, load_artifact("MorphoPosition"), address)
        for name, address in base.beside.items():
            self.at[name] = Contract(self.client, load_artifact("LocalToken" if name == "STAKED" else name), address)
        self.poster = RoundPoster(self.client, base.deployment, SIGNERS)
        self.domain = domain_of(self.at["Exchange"])
        self.order_types = struct_types(self.at["Exchange"], "settle")
        self.quote_types = struct_types(self.at["Exchange"], "fillQuote")
        ids = base.deployment.underlyings
        expiries = [base.start_ts + tenor for tenor in TENORS_SEC]
        self.paths = {
            "ETH": Path("ETH", ids["ETH"], SPOTS["ETH"], 0.7, list(expiries)),
            "BTC": Path("BTC", ids["BTC"], SPOTS["BTC"], 0.5, list(expiries)),
        }
        self.plain_price: float | None = 5.0
        self.unsettled = [(path.name, expiry) for path in self.paths.values() for expiry in path.expiries]
        self.limits = tuple(int(self.at["Oracle"].call(name)) for name in ("maxMoveWad", "maxVarianceMoveWad"))
        self.nonce = 0
        self.refused: dict[str, int] = {}
        self.relayer = RELAYER
        self.keeper: Callable[[], None] = lambda: None

    # --- calls

    @property
    def now(self) -> int:
        """Time of the latest block."""
        return self.client.block_ts()

    def ask(self, contract: str, function: str, *values: Any) -> Any:
        """Read; a revert is returned."""
        return self.at[contract].call_many(function, [list(values)])[0]

    def try_send(self, sender: LocalAccount, contract: str, function: str, *values: Any) -> bool:
        """Send a call that may be refused; an attacker goes on either way."""
        target = self.at.get(contract) or self.tokens[contract]
        data = target.encode(function, *values)
        request = {"from": sender.address, "to": target.address, "data": "0x" + data.hex(), "gas": hex(GAS)}
        receipt = self.client.rpc("eth_sendTransactionSync", request | {"gasPrice": "0x0"})
        passed = int(receipt["status"], 16) == 1
        key = f"{function} {'passed' if passed else 'refused'}"
        self.refused[key] = self.refused.get(key, 0) + 1
        return passed

    def send(self, sender: LocalAccount, contract: str, function: str, *values: Any) -> None:
        """Send a call of the honest, which must pass."""
        if not self.try_send(sender, contract, function, *values):
            raise AssertionError(f"{contract}.{function}{values} of the honest was refused")

    # --- market

    def post(self, *, plain: bool = True) -> None:
        """Sign and relay a round of every underlying, the cash price and the funding."""
        ts = self.now
        for path in self.paths.values():
            path.samples.append((ts, path.spot))
            self.poster.send(POSTER, self.poster.round_call(path.round(ts)))
        prices = {"USDC": 1.0}
        if plain and self.plain_price is not None:
            prices["PLAIN"] = self.plain_price
        self.poster.send(POSTER, self.poster.tokens_call(ts, prices))
        for path in self.paths.values():
            self.try_send(RELAYER, "PerpMarket", "update", path.underlying_id)

    @property
    def pool_price(self) -> float:
        """Price of ether that the pool stands at."""
        return price_at(self.base.pool, int(self.at["UniswapV3Pool"].call("slot0")[0]))

    def push(self, by: LocalAccount, price: float) -> None:
        """Swap until the pool stands at a price."""
        words = swap_to(self.base.pool, by.address, price, falls=price < self.pool_price)
        self.send(by, "SwapRouter", "exactInputSingle", words)

    def price_venue(self, price: float) -> None:
        """Let the oracle of the market at Morpho say what ether costs."""
        self.send(ADMIN, "OracleMock", "setPrice", self.base.venue.price(price))

    def try_price(self, symbol: str, price: float) -> bool:
        """Sign a price of one token; whether the oracle takes it is the contracts' affair."""
        data = self.poster.tokens_call(self.now, {symbol: price})
        request = {"from": RELAYER.address, "to": self.poster.address, "data": "0x" + data.hex(), "gas": hex(GAS)}
        receipt = self.client.rpc("eth_sendTransactionSync", request | {"gasPrice": "0x0"})
        return int(receipt["status"], 16) == 1

    def stop_plain(self) -> None:
        """No more prices of the token of its own from here on."""
        self.plain_price = None

    def lift_limits(self, lifted: bool) -> None:
        """Let one round carry a move of any size: what margin covers is asked for, not what the oracle refuses."""
        oracle = self.deployment.parameters["oracle"]
        limits = WIDE_LIMITS if lifted else self.limits
        self.send(ADMIN, "Oracle", "setLimits", int(oracle["heartbeat_sec"]), *limits)

    def tick(self, seconds: int) -> None:
        """Mine one block some seconds later."""
        self.client.rpc("evm_setNextBlockTimestamp", self.now + seconds)
        self.client.rpc("evm_mine")

    def move(self, between: Callable[[], None] | None = None, **spots: float) -> None:
        """One round at new prices; attackers may act before the keeper does."""
        for name, spot in spots.items():
            self.paths[name].spot = spot
        self.tick(15)
        self.post()
        if between is not None:
            between()
        self.keeper()

    def wait(self, seconds: int) -> None:
        """Let time pass at the prices of the moment, with a round wherever one is due and a sample in every window."""
        until = self.now + seconds
        while self.now < until:
            left = until - self.now
            self.tick(min(left, SAMPLE_SEC if self._in_window() else QUIET_SEC, *self._to_window()))
            self.post()
            self._settle()
            self.keeper()

    def _pending(self) -> Iterable[int]:
        return (expiry - self.now for _, expiry in self.unsettled)

    def _in_window(self) -> bool:
        return any(0 < left <= WINDOW_SEC for left in self._pending())

    def _to_window(self) -> list[int]:
        return [left - WINDOW_SEC for left in self._pending() if left > WINDOW_SEC] + [
            left for left in self._pending() if 0 < left <= WINDOW_SEC
        ]

    def _settle(self) -> None:
        for name, expiry in list(self.unsettled):
            if expiry > self.now:
                continue
            path = self.paths[name]
            samples = [(at, spot) for at, spot in path.samples if expiry - WINDOW_SEC < at <= expiry]
            self.poster.send(POSTER, self.poster.settlement_call(name, expiry, samples))
            ids = list(range(self.at["Accounts"].call("nextAccountId")))
            for account in ids:
                self.try_send(RELAYER, "Settlement", "settle", path.underlying_id, expiry, [account])
            self.unsettled.remove((name, expiry))

    # --- orders

    def open_interest(self, name: str, kind: Kind, expiry_ts: int) -> int:
        """Units long in a series, wad."""
        found: int = self.at["Accounts"].call("openInterestOf", self.word(name, kind, expiry_ts))[0]
        return found

    def word(self, name: str, kind: Kind, expiry_ts: int = 0, strike: float = 0.0) -> int:
        """Instrument id."""
        return pack(Word(self.paths[name].underlying_id, kind, expiry_ts, round(strike * 10**8), 0))

    def signed_order(
        self, owner: LocalAccount, account: int, instrument: int, is_buy: bool, quantity_wad: int, price_wad: int
    ) -> tuple[dict[str, Any], bytes]:
        """An order with its owner's signature, good for an hour."""
        self.nonce += 1
        values = (account, instrument, is_buy, quantity_wad, price_wad, self.nonce, self.now + HOUR, owner.address)
        message = self._message(self.order_types, (*values, 0, False, MAX_FEE_WAD, *UNCONDITIONAL), account)
        return message, sign(owner, self.domain, *self.order_types, message)

    def _message(self, types: Any, values: tuple[Any, ...], account: int) -> dict[str, Any]:
        """Values by the names of a signed struct; how often the account was transferred goes with it."""
        primary, structs = types
        names = [entry["name"] for entry in structs[primary]]
        message = dict(zip([n for n in names if n != "transferCount"], values, strict=True))
        if "transferCount" in names:
            message["transferCount"] = self.at["Accounts"].call("transferCountOf", account)
        return {name: message[name] for name in names}


def reset(base: Base) -> None:
    """Set the chain back to where ``build`` left it; a snapshot serves once."""
    client = Client(base.url)
    if base.snapshot:
        client.rpc("evm_revert", base.snapshot)
    base.snapshot = client.rpc("evm_snapshot")


def build(url: str, params: Params | None = None) -> Base:
    """Deploy, fund the honest and post the first rounds."""
    client = Client(url)
    client.rpc("evm_setBlockGasLimit", hex(10**9))
    client.rpc("anvil_autoImpersonateAccount", True)
    for account in (ADMIN, POSTER, RELAYER, LENDER, BIDDER):
        client.rpc("anvil_setBalance", account.address, hex(10**24))
    use_mocks()
    spec = load_spec("local", params or Params())
    beside = _vault(client)
    share = replace(SHARE, address=beside["LossyVault"])
    coin, dollars = _pooled(client)
    pool = build_pool(client, ADMIN, coin, dollars, SPOTS["ETH"])
    venue = build_venue(client, ADMIN, coin, dollars, SPOTS["ETH"])
    known = {"WETH": coin, "USDC": dollars}
    # Without the bound on what leaves in a day: it would hide what the margin rules let through.
    tokens = tuple(
        replace(token, outflow_share=1.0, outflow_daily=1.0, address=known.get(token.symbol, token.address))
        for token in (*spec.tokens, PLAIN, share)
    )
    rate = RateSpec("SHARE", share.address, "erc4626", 3_600, 24, 0.01, SHARE_FALL)
    spec = replace(spec, tokens=tokens, rates=(rate,), remote=remote_spec(ADMIN), liquidity=(liquidity_spec(pool),))
    spec = replace(spec, loans=(loan_spec(venue, OWNER.address),))
    spec = spec.with_signers(tuple(s.address for s in SIGNERS))
    deployment = deploy(client, ADMIN, spec)
    base = Base(url, deployment, client.block_ts(), spec, beside=beside, pool=pool, venue=venue)
    world = World(base)
    world.tick(5)
    world.post()
    for owner, cash in ((LENDER, LENDER_CASH), (BIDDER, BIDDER_CASH), (ADMIN, FUND_CASH)):
        world.send(owner, "USDC", "mint", owner.address, 2 * BIDDER_CASH * 10**6)
        world.send(owner, "USDC", "approve", deployment.contracts["Vault"], 2**256 - 1)
        account = FUND if owner is ADMIN else int(world.at["Accounts"].call("nextAccountId"))
        if owner is not ADMIN:
            world.send(owner, "Accounts", "open", owner.address, SINGLE)
        amount = cash
        world.send(owner, "Vault", "deposit", account, world.tokens["USDC"].address, amount * 10**6)
        if owner is LENDER:
            base.lender = account
        elif owner is BIDDER:
            base.bidder = account
    return base


def _create(client: Client, name: str, *values: Any) -> Contract:
    receipt = client.send(ADMIN, None, creation_code(name, *values), GAS, name)
    return Contract(client, load_artifact(name), to_checksum_address(str(receipt.contract_address)))


def _pooled(client: Client) -> tuple[str, str]:
    """Create coins and dollars that a pool holds before the installation lists them."""
    base = _create(client, "LocalToken", "Mock Wrapped Ether", "WETH", 18)
    cash = _create(client, "LocalToken", "Mock USD Coin", "USDC", 6)
    for token in (base, cash):
        token.send(ADMIN, "mint", ADMIN.address, 10**30)
    return base.address, cash.address


def _vault(client: Client) -> dict[str, str]:
    """Create a vault with the assets of honest people in it, at a rate of one."""
    staked = _create(client, "LocalToken", "Mock staked ether", "STAKED", 18)
    vault = _create(client, "LossyVault", staked.address)
    staked.send(ADMIN, "mint", ADMIN.address, VAULT_HELD * WAD)
    staked.send(ADMIN, "approve", vault.address, 2**256 - 1)
    vault.send(ADMIN, "deposit", VAULT_HELD * WAD, ADMIN.address)
    dropper = _create(client, "RateDropper")
    return {"STAKED": staked.address, "LossyVault": vault.address, "RateDropper": dropper.address}


def is_error(answer: Any) -> bool:
    """Whether a read ended in a revert."""
    return isinstance(answer, RevertError)
