"""A whole installation on the test chain, driven by signed transactions as wallets, signers and keepers send them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client, Receipt
from plimsoll.chain.revert import RevertError
from plimsoll.chain.signing import domain_of, sign, struct_types
from plimsoll.chain.words import Word, pack, unpack
from plimsoll.deployment.deploy import deploy
from plimsoll.deployment.record import Deployment
from plimsoll.deployment.spec import load_spec
from plimsoll.index.reader import LogReader
from plimsoll.index.state import SOURCES, State, apply
from plimsoll.market.replay.window import with_mean
from plimsoll.model import Kind, Round, Surface, Svi
from plimsoll.params import Params
from plimsoll.protocol.rounds import RoundPoster
from tests.chain.helpers.orders import LIMIT, UNCONDITIONAL

WAD = 10**18
RAW_PER_CASH = 10**6
WAD_PER_RAW = 10**12
ETH = 1
CLEARING, FUND = 0, 1
SINGLE, STANDARD = 0, 1
GAS = 60_000_000
FAR = 2**127 - 1
NEAR_SEC, LATER_SEC = 7_200, 30 * 86_400
START_SPOT = 2_000.0
#: Cash of the three traders and of the market maker at the start.
TRADER_CASH, MAKER_CASH, FUND_CASH = 5_000, 50_000_000, 500
#: Rates of maker and taker for linear instruments and for options, and the highest one an order accepts.
FEES = (10**14, 3 * 10**14, 10**15, 5 * 10**15)
MAX_FEE = 10**16
SIGNERS = [wallet(f"signer {n}") for n in range(2)]
ADMIN, STRANGER = wallet("admin"), wallet("stranger")
TRADERS = [wallet(f"trader {n}") for n in range(3)]
MAKER = wallet("maker")
CONTRACTS = ("Accounts", "Vault", "Oracle", "MarginEngine", "Exchange", "Settlement", "PerpMarket", "Auction")


@dataclass(slots=True)
class Base:
    """What every example starts from; ``reset`` sets the chain itself back."""

    url: str
    deployment: Deployment
    state: State
    block: int
    owners: dict[int, Any] = field(default_factory=dict)
    expiries: tuple[int, int] = (0, 0)
    snapshot: str = ""


class World:
    """One example: contracts, the state rebuilt from events, and the market."""

    def __init__(self, base: Base) -> None:
        # A client of its own: nonces start again where the chain was set back to.
        self.client = Client(base.url)
        self.deployment = base.deployment
        for name in CONTRACTS:
            setattr(self, name.lower(), base.deployment.contract(self.client, name))
        self.tokens = {symbol: base.deployment.token_contract(self.client, symbol) for symbol in base.deployment.tokens}
        self.poster = RoundPoster(self.client, base.deployment, SIGNERS)
        self.order_domain = domain_of(self.exchange)
        self.order_types = struct_types(self.exchange, "settle")
        self.quote_types = struct_types(self.exchange, "fillQuote")
        self.logs = LogReader(self.client, {name: base.deployment.contracts[name] for name in SOURCES})
        self.owners = dict(base.owners)
        self.expiries = base.expiries
        self.state = deepcopy(base.state)
        self.block = base.block
        self.spot = START_SPOT
        self.round_ts = 0
        self.settled: set[int] = set()
        self.nonce = 0
        self.writes = 0
        self.accruals = 0
        self.seen: tuple[int, SimpleNamespace] | None = None

    # --- reading

    @property
    def now(self) -> int:
        """Time of the latest block."""
        return self.client.block_ts()

    @property
    def heartbeat_sec(self) -> int:
        return int(self.deployment.parameters["oracle"]["heartbeat_sec"])

    def is_stale(self) -> bool:
        return self.now > self.round_ts + self.heartbeat_sec

    def view(self) -> SimpleNamespace:
        """Every account and total, read once a block."""
        block = self.client.block_number()
        if self.seen is not None and self.seen[0] == block:
            return self.seen[1]
        ids = list(range(self.accounts.call("nextAccountId")))
        each = [[account_id] for account_id in ids]
        snapshots = self.accounts.call_many("snapshotOf", each)
        closed = [account_id for account_id in ids if isinstance(snapshots[account_id], RevertError)]
        for account_id in closed:
            snapshots[account_id] = SimpleNamespace(mode=0, cashWad=0, tokenIds=[], amountsWad=[], positions=[])
        found = SimpleNamespace(
            ids=[account_id for account_id in ids if account_id not in closed],
            snapshots=snapshots,
            stored=self.accounts.call_many("storedCashOf", each),
            margins=self.marginengine.call_many("marginOf", each),
            auctions=self.auction.call_many("auctionOf", each),
            positive=self.accounts.call("positiveCashWad"),
            index=self.accounts.call("cashIndexWad"),
            loan=self.accounts.call("lendingOf")[0],
            stale=self.is_stale(),
        )
        self.seen = (block, found)
        return found

    def margin(self, account_id: int) -> SimpleNamespace | RevertError:
        """Margin now, or the error that stands in its way."""
        answer: SimpleNamespace | RevertError = self.marginengine.call_many("marginOf", [[account_id]])[0]
        return answer

    def replay(self) -> State:
        """Fold the events since the last call into the rebuilt state."""
        head, _ = self.logs.head()
        if head > self.block:
            for event in self.logs.read(self.block + 1, head):
                apply(self.state, event)
                self.writes += event.name in ("CashChanged", "PositionChanged", "FundingSettled")
                self.accruals += event.name == "InterestAccrued"
            self.block = head
        self.state.ts = self.logs.head_ts
        return self.state

    # --- time and market

    def pass_time(self, seconds: int) -> None:
        """Let time pass; never to the last minute of a round: there a call and the block after it may differ."""
        left = self.round_ts + self.heartbeat_sec - (self.now + seconds)
        self.client.rpc("evm_increaseTime", seconds + 120 * (0 <= left < 60))
        self.client.rpc("evm_mine")

    def market_calls(self, spot: float, premium: float = -0.001) -> tuple[int, bytes, bytes]:
        """The present time, and calls of a signed round and of signed token prices at that time."""
        ts = self.now
        surfaces = tuple(
            Surface(expiry, spot * 1.001, 0.04, Svi(0.0005 if expiry - ts < 86_400 else 0.01, 0.01, -0.2, 0.0, 0.1))
            for expiry in self.expiries
            if expiry > ts
        )
        round_ = with_mean(Round("ETH", ts, spot, spot * (1 + premium), 1.0, surfaces), ())
        prices = {"USDC": 1.0}
        return ts, self.poster.round_call(round_), self.poster.tokens_call(ts, prices)

    def post_market(self, spot: float, premium: float = -0.001) -> None:
        """Sign and relay a round and token prices at the present time, and let the round set the funding."""
        ts, *calls = self.market_calls(spot, premium)
        for call in calls:
            self.poster.send(ADMIN, call)
        self.send(STRANGER, "perpmarket", "update", ETH)
        self.spot, self.round_ts = spot, ts

    def drift(self, since_ts: int) -> int:
        """What funding and interest can have moved any account by since a time, wad: the clock went on."""
        _, rate, _ = self.accounts.call("fundingOf", ETH)
        words = [unpack(word) for snapshot in self.view().snapshots for word in snapshot.positions]
        quantity = sum(abs(word.quantity_wad) for word in words if word.kind is Kind.PERP)
        loan, _ = self.accounts.call("lendingOf")
        elapsed = self.now - since_ts
        interest = loan.debtWad * loan.rateE6 * elapsed // (10**6 * 31_536_000)
        return abs(rate) * quantity * elapsed // (WAD * 86_400) + interest + 10

    def post_settlement(self, expiry_ts: int) -> None:
        samples = [(expiry_ts - 1_800 + 300 * n, self.spot + n) for n in range(1, 7)]
        self.poster.send(ADMIN, self.poster.settlement_call("ETH", expiry_ts, samples))

    # --- actions of wallets

    def send(self, sender: Any, contract: str, function: str, *values: Any) -> Receipt:
        receipt: Receipt = getattr(self, contract).send(sender, function, *values, gas=GAS)
        return receipt

    def refusal(self, sender: Any, contract: str, function: str, *values: Any) -> RevertError | None:
        """The error a transaction would end with; nothing is sent."""
        try:
            getattr(self, contract).call(function, *values, sender=sender.address)
        except RevertError as reverted:
            return reverted
        return None

    def deposit(self, account_id: int, symbol: str, amount_raw: int) -> None:
        self.send(self.owners[account_id], "vault", "deposit", account_id, self.tokens[symbol].address, amount_raw)

    def instrument(self, kind: Kind, expiry_ts: int, strike: float) -> int:
        return pack(Word(ETH, kind, expiry_ts, round(strike * 10**8), 0))

    def order(
        self,
        account_id: int,
        instrument: int,
        is_buy: bool,
        quantity_wad: int,
        price_wad: int,
        *,
        kind: int = LIMIT,
        reduce_only: bool = False,
    ) -> tuple[Any, ...]:
        self.nonce += 1
        signer = self.owners[account_id].address
        terms = (account_id, instrument, is_buy, quantity_wad, price_wad, self.nonce, self.now + 3_600, signer)
        return (*terms, kind, reduce_only, MAX_FEE, self.transfers(account_id), *UNCONDITIONAL)

    def transfers(self, account_id: int) -> int:
        """How often an account has changed hands."""
        return int(self.accounts.call("transferCountOf", account_id))

    def signed(self, order: tuple[Any, ...], signer: Any = None) -> bytes:
        """Signature of the account's owner, or of another key."""
        primary, types = self.order_types
        message = dict(zip((entry["name"] for entry in types[primary]), order, strict=True))
        return sign(signer or self.owners[order[0]], self.order_domain, primary, types, message)

    def fill(
        self,
        buyer: int,
        seller: int,
        instrument: int,
        quantity_wad: int,
        price_wad: int,
        kinds: tuple[int, int] = (LIMIT, LIMIT),
    ) -> tuple[Any, ...]:
        """Arguments of a fill that both owners signed; the buyer makes, kinds are of maker and taker."""
        buy = self.order(buyer, instrument, True, quantity_wad, price_wad, kind=kinds[0])
        sell = self.order(seller, instrument, False, quantity_wad, price_wad, kind=kinds[1])
        return (buy, self.signed(buy), sell, self.signed(sell), quantity_wad)

    def quote(self, maker: int, taker: int, legs: list[tuple[int, bool, int, int]]) -> tuple[Any, ...]:
        """Arguments of a quote that the maker signed for the taker."""
        self.nonce += 1
        owner = self.owners[maker]
        quote = (maker, taker, legs, self.nonce, self.now + 3_600, owner.address, MAX_FEE, self.transfers(maker))
        primary, types = self.quote_types
        names = [[entry["name"] for entry in types[struct]] for struct in (primary, "Leg")]
        message = dict(zip(names[0], quote, strict=True))
        message["legs"] = [dict(zip(names[1], leg, strict=True)) for leg in legs]
        return (quote, sign(owner, self.order_domain, primary, types, message), taker, MAX_FEE)


def fees_of(legs: list[tuple[int, bool, int, int]]) -> int:
    """What both sides of some legs pay in fees, wad, each fee rounded up."""
    total = 0
    for instrument, _, quantity_wad, price_wad in legs:
        value = -(-quantity_wad * price_wad // WAD)
        rates = FEES[:2] if unpack(instrument).kind in (Kind.FUTURE, Kind.PERP) else FEES[2:]
        total += sum(-(-value * rate // WAD) for rate in rates)
    return total


def reset(base: Base) -> None:
    """Set the chain back to where ``build`` left it; a snapshot serves once."""
    client = Client(base.url)
    if base.snapshot:
        client.rpc("evm_revert", base.snapshot)
    base.snapshot = client.rpc("evm_snapshot")


def build(url: str) -> Base:
    """Deploy everything, fund the wallets, open the accounts and post the first round."""
    client = Client(url)
    client.rpc("evm_setBlockGasLimit", hex(10**9))
    for account in (ADMIN, STRANGER, MAKER, *TRADERS):
        client.rpc("anvil_setBalance", account.address, hex(10**24))
    spec = replace(load_spec("local", Params()), underlyings=("ETH",))
    # Random walks in steps of a second: the speed limit has tests of its own.
    spec = replace(spec, oracle=replace(spec.oracle, max_move=10.0, max_variance_move=10.0))
    spec = replace(spec, tokens=tuple(t for t in spec.tokens if t.linked != "BTC"))
    deployment = deploy(client, ADMIN, spec.with_signers(tuple(s.address for s in SIGNERS)))
    base = Base(url, deployment, State(), deployment.block - 1)
    start = client.block_ts()
    base.expiries = (start + NEAR_SEC, start + LATER_SEC)
    world = World(base)
    for owner, cash, mode in ((MAKER, MAKER_CASH, SINGLE), *((t, TRADER_CASH, SINGLE) for t in TRADERS)):
        account_id = world.accounts.call("nextAccountId")
        for symbol, token in world.tokens.items():
            token.send(owner, "mint", owner.address, 10**30, gas=GAS)
            token.send(owner, "approve", deployment.contracts["Vault"], 2**256 - 1, gas=GAS)
            assert symbol in deployment.tokens
        world.send(owner, "accounts", "open", owner.address, mode)
        world.owners[account_id] = owner
        world.deposit(account_id, "USDC", cash * RAW_PER_CASH)
    world.send(ADMIN, "exchange", "setFeeCaps", (MAX_FEE, MAX_FEE))
    world.send(ADMIN, "exchange", "setFees", FEES)
    usdc = world.tokens["USDC"].address
    world.send(MAKER, "vault", "deposit", FUND, usdc, FUND_CASH * RAW_PER_CASH)
    world.post_market(START_SPOT)
    base.state, base.block, base.owners = world.replay(), world.block, world.owners
    return base
