"""Measure the gas of the margin check, a trade, a liquidation bid and an oracle round, beside peers and goals.

Every job is a transaction of its own on a fresh local chain, so all storage is cold. The figure is the
transaction's gas without the base cost (21,000 and the call data). The default book with the certified scan; half
of the options long, half short, calls and puts, over four expiries.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from plimsoll.chain import anvil
from plimsoll.chain.abi import creation_code, load_artifact
from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client, Receipt
from plimsoll.chain.contracts import Contract
from plimsoll.chain.signing import domain_of, sign, struct_types
from plimsoll.chain.words import Word, pack
from plimsoll.deployment.deploy import deploy
from plimsoll.deployment.liquidity_spec import STIPEND_GAS
from plimsoll.deployment.spec import load_spec
from plimsoll.model import Kind, Round, Surface, Svi
from plimsoll.params import Params
from plimsoll.protocol.orders import UNCONDITIONAL
from plimsoll.protocol.rounds import RoundPoster
from tests.chain.helpers.mocks import use_mocks
from tools.bench.report import Entry, merge

PEER: Final = "Derive v2-core 7736900, PMRM_2, 33 scenarios"
TS: Final = 1_800_000_000
DAY: Final = 86_400
WAD: Final = 10**18
ETH: Final = 1
BTC: Final = 2
SINGLE: Final = 0
#: Token of the local installation that is linked to the first underlying.
WETH: Final = 1
#: Form of a source (IRateFeed).
ERC4626: Final = 1
SPOT: Final = 1_900
EXPIRIES: Final = tuple(TS + days * DAY for days in (3, 10, 30, 90))
SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 127)
#: Positions of the account, of the bidder, name.
BIDS: Final = ((16, 0, "16"), (64, 0, "64"), (128, 128, "128.bothSides"))
LONG: Final = 2**255
#: Legs of a quote: as many as one may have.
LEGS: Final = 8
#: Held by both sides of the quote before it; with its legs they hold all that an account may.
HELD: Final = 120
#: Options of which no two share a strike; expiries from a fifth of a day to two days, in hours.
ALONE: Final = (16, 127)
SOON_HOURS: Final = (5, 12, 24, 48)
#: As many expiries as a round may have, all of them within a day: each is a cut-off.
DOZEN_HOURS: Final = (3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 22, 23)
#: Bits of all kinds, and bounds of a trader key that are far off and have to be looked at all the same.
ALL_KINDS, FAR_WAD = 15, 10**9 * WAD
#: Options of the dearest account, and the tokens that it holds.
WORST_OPTIONS: Final = 126
#: Units of each: so many that a vega might be charged for, which takes the density of every option.
WORST_UNITS: Final = 2_000
WORST_TOKENS: Final = range(1, 32)
#: The most that one transaction may use (EIP-7825).
TRANSACTION_GAS: Final = 2**24
#: Steps of block time; every block's time is set, so that two runs give the same gas.
STEP_SEC: Final = 10


@dataclass(frozen=True, slots=True)
class Limit:
    """What a job of the best peer costs, what it must cost here, and the goal; None where there is no figure."""

    peer: int | None
    must: int | None
    goal: int | None


LIMITS: Final = {
    "gas.margin.options.1": Limit(911_716, 110_000, 85_000),
    "gas.margin.options.16": Limit(6_091_957, 370_000, 300_000),
    "gas.margin.options.64": Limit(21_176_494, 1_700_000, 1_050_000),
    "gas.margin.options.127": Limit(41_781_166, 2_200_000, 1_900_000),
    "gas.margin.unpaired.16": Limit(None, 500_000, 400_000),
    "gas.margin.unpaired.127": Limit(None, 3_500_000, 2_500_000),
    "gas.margin.near.127": Limit(None, 3_900_000, 2_800_000),
    "gas.margin.furtherOption": Limit(315_000, 25_000, 15_000),
    "gas.margin.share": Limit(None, 15_000, None),
    "gas.margin.liquidity.source": Limit(None, None, 20_000),
    "gas.margin.liquidity.again": Limit(None, None, 20_000),
    "gas.trade.16": Limit(12_123_018, 1_400_000, 800_000),
    "gas.trade.open17": Limit(None, 1_200_000, 800_000),
    "gas.quote.keys.120": Limit(None, 11_000_000, 8_000_000),
    "gas.bid.16": Limit(4_480_568, 1_600_000, 1_100_000),
    "gas.bid.64": Limit(15_676_782, 6_000_000, 4_000_000),
    "gas.bid.128.bothSides": Limit(None, 15_000_000, None),
    "gas.bid.worst": Limit(None, 13_500_000, 10_000_000),
    "gas.bid.worst.dusted": Limit(None, 13_500_000, 10_000_000),
    "gas.bid.worst.margined": Limit(None, 13_500_000, None),
    "gas.bid.worst.dozen": Limit(None, 13_500_000, 10_000_000),
    "gas.bid.worst.dozen.margined": Limit(None, TRANSACTION_GAS, None),
    "gas.oracle.first": Limit(128_218, 90_000, 60_000),
    "gas.oracle.nextExpiry": Limit(102_324, None, 12_000),
}


def option(n: int) -> Word:
    """Option number n: calls and puts, four expiries from the sixteenth on, strikes from the money outwards."""
    step = n // 2 % 2 + 2 * (n // 16)
    offset = (step + 1) // 2 * (1 if step % 2 else -1)
    kind = Kind.PUT if n % 2 else Kind.CALL
    return Word(ETH, kind, EXPIRIES[n // 4 % 4], (SPOT + 60 * offset) * 10**8, 0)


class World:
    """An installation with one signer, its deployer in the place of a module."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.admin, self.signer = wallet("gas deployer"), wallet("gas signer")
        self.alice, self.bob = wallet("gas alice"), wallet("gas bob")
        for account in (self.admin, self.alice, self.bob):
            client.rpc("anvil_setBalance", account.address, hex(10**24))
        spec = load_spec("local", Params())
        spec = replace(spec, oracle=replace(spec.oracle, signer_threshold=1)).with_signers((self.signer.address,))
        self.now = TS
        deployment = deploy(client, self.admin, spec)
        self.poster = RoundPoster(client, deployment, [self.signer])
        self.contracts = {name: deployment.contract(client, name) for name in deployment.contracts}
        self.accounts, self.engine = self["Accounts"], self["MarginEngine"]
        self.accounts.send(self.admin, "setModule", self.admin.address, True)
        self.price(EXPIRIES)
        self.price(EXPIRIES)
        self.poster.send(self.admin, self.poster.tokens_call(self.now, {"USDC": 1.0}))
        # The other side of every position.
        self.house = self.open(self.admin.address, 10**9)

    def __getitem__(self, name: str) -> Contract:
        return self.contracts[name]

    def create(self, name: str, *values: object) -> Contract:
        """Deploy a contract beside the installation."""
        receipt = self.client.send(self.admin, None, creation_code(name, *values), 10**7, name)
        return Contract(self.client, load_artifact(name), to_checksum_address(str(receipt.contract_address)))

    def price(self, expiries: tuple[int, ...]) -> Receipt:
        """Post a round."""
        self.now += STEP_SEC
        self.client.rpc("evm_setNextBlockTimestamp", self.now)
        surfaces = tuple(Surface(at, 1_905.0, 0.04, Svi(0.002, 0.03, -0.2, 0.01, 0.1)) for at in expiries)
        market_round = Round("ETH", self.now, float(SPOT), 1_899.0, 1.0, surfaces)
        return self.poster.send(self.admin, self.poster.round_call(market_round))

    def price_second(self) -> None:
        """Post a round of the second underlying, without expiries."""
        self.poster.send(self.admin, self.poster.round_call(Round("BTC", self.now, float(SPOT), float(SPOT), 1.0, ())))

    def price_tokens(self, token_ids: range) -> None:
        """Post the price of cash and of tokens, listed for collateral or not."""
        message = {"ts": self.now, "tokenIds": [0, *token_ids], "pricesWad": [WAD] * (1 + len(token_ids))}
        primary, types = struct_types(self["Oracle"], "postTokenPrices")
        signature = sign(self.signer, domain_of(self["Oracle"]), primary, types, message)
        self["Oracle"].send(self.admin, "postTokenPrices", message, [signature])

    def open(self, owner: str, cash: int = 0) -> int:
        """Open an account with cash."""
        account_id = int(self.accounts.call("nextAccountId"))
        self.accounts.send(self.admin, "open", owner, SINGLE)
        if cash:
            self.accounts.send(self.admin, "creditToken", account_id, 0, cash * WAD)
        return account_id

    def hold(self, account_id: int, count: int, shorts_only: bool = False) -> None:
        """Give the first options to an account, half of them long."""
        for n in range(count):
            is_long = n // 2 % 2 == 0 and not shorts_only
            sides = (account_id, self.house) if is_long else (self.house, account_id)
            self.accounts.send(self.admin, "applyTrade", (*sides, pack(option(n)), WAD, 0))

    def hold_alone(
        self, account_id: int, count: int, expiries: tuple[int, ...], longs_only: bool = False, units: int = 1
    ) -> None:
        """Give calls and puts to an account, no strike twice, half of them long or all, against one of its own."""
        other = self.open(self.admin.address, 10**9)
        for n in range(count):
            strike = (SPOT + 4 * (n - count // 2)) * 10**8
            word = pack(Word(ETH, (Kind.CALL, Kind.PUT)[n % 2], expiries[n % len(expiries)], strike, 0))
            is_long = longs_only or n // 4 % 2 == 0
            sides = (account_id, other) if is_long else (other, account_id)
            self.accounts.send(self.admin, "applyTrade", (*sides, word, units * WAD, 0))

    def soon(self, hours: tuple[int, ...] = SOON_HOURS) -> tuple[int, ...]:
        """Expiries in so many hours, within two days unless others are named."""
        return tuple(self.now + each * 3_600 for each in hours)

    def run(self, contract: str, function: str, *values: object, by: object = None) -> int:
        """Send a transaction at the next known second; its gas without the base cost."""
        self.now += STEP_SEC
        self.client.rpc("evm_setNextBlockTimestamp", self.now)
        return self.net(self[contract].send(by or self.admin, function, *values))  # type: ignore[arg-type]

    def net(self, receipt: Receipt) -> int:
        """Gas of a transaction without its base cost."""
        sent = self.client.rpc("eth_getTransactionByHash", receipt.tx_hash)
        data = bytes.fromhex(sent["input"][2:])
        zeros = data.count(0)
        return receipt.gas_used - 21_000 - 4 * zeros - 16 * (len(data) - zeros)


@contextmanager
def world() -> Iterator[World]:
    """Start a chain and install everything on it."""
    with anvil.running(TS) as chain:
        yield World(Client(chain.url))


def margin(w: World) -> Iterator[tuple[str, int]]:
    """Margin check of one account that grows."""
    gas = {}
    for size in SIZES:
        account_id = w.open(w.alice.address, 10**6)
        w.hold(account_id, size)
        gas[size] = w.run("MarginEngine", "marginOf", account_id)
        yield f"gas.margin.options.{size}", gas[size]
    yield "gas.margin.furtherOption", (gas[127] - gas[64]) // 63


def margin_alone(w: World) -> Iterator[tuple[str, int]]:
    """Margin check where no strike is held twice: half of the options long, and near ones all long."""
    for size in ALONE:
        account_id = w.open(w.alice.address, 10**6)
        w.hold_alone(account_id, size, EXPIRIES)
        yield f"gas.margin.unpaired.{size}", w.run("MarginEngine", "marginOf", account_id)
    soon = w.soon()
    w.price(soon)
    account_id = w.open(w.alice.address, 10**6)
    w.hold_alone(account_id, ALONE[-1], soon, longs_only=True)
    yield f"gas.margin.near.{ALONE[-1]}", w.run("MarginEngine", "marginOf", account_id)


def share(w: World) -> Iterator[tuple[str, int]]:
    """Add a share of an ERC-4626 vault to an account of 16 options: by the book, and with a look at the vault."""
    account_id = w.open(w.alice.address, 10**6)
    w.hold(account_id, 16)
    plain = w.run("MarginEngine", "marginOf", account_id)
    use_mocks()
    asset = w.create("LocalToken", "Asset", "AST", 18)
    vault = w.create("VaultToken", asset.address)
    terms = {"source": vault.address, "form": ERC4626, "gapSec": 3_600, "fallGapSec": 24}
    w["RateFeed"].send(w.admin, "setSource", WETH, terms | {"maxRiseWad": WAD // 100, "maxFallWad": WAD // 10})
    w.accounts.send(w.admin, "creditToken", account_id, WETH, 10 * WAD)
    yield "gas.margin.share", w.run("MarginEngine", "marginOf", account_id) - plain
    yield "gas.margin.share.own", w.run("MarginEngine", "ownMarginOf", account_id) - plain


def liquidity(w: World) -> Iterator[tuple[str, int]]:
    """Add liquidity of a range to an account of 16 options; and what its source and the source book take of that."""
    account_id = w.open(w.alice.address, 10**6)
    w.hold(account_id, 16)
    plain = w.run("MarginEngine", "marginOf", account_id)
    roots = [math.isqrt(price * 10**54) for price in (1_500, 2_400)]
    source = w.create("LiquidityRange", *roots)
    terms = {"listed": True, "linkedUnderlying": ETH, "haircutWad": WAD // 5, "linkedHaircutWad": WAD // 20}
    w["ScenarioBook"].send(w.admin, "setCollateral", WETH, terms | {"ratioWad": 0})
    asked = {"source": source.address, "stipendGas": STIPEND_GAS, "ceilingE6": 11 * 10**6}
    w["SourceBook"].send(w.admin, "setSource", WETH, asked)
    w.accounts.send(w.admin, "creditToken", account_id, WETH, 10 * WAD)
    yield "gas.margin.liquidity", w.run("MarginEngine", "marginOf", account_id) - plain
    pointer = w["ScenarioBook"].call("bookPointerOf", ETH)
    questions = [([WETH] * count, [WAD] * count) for count in (1, 2)]
    one, two = (w.run("SourceBook", "curveOf", pointer, SPOT * WAD, *question) for question in questions)
    yield "gas.margin.liquidity.source", one
    yield "gas.margin.liquidity.again", two - one


def line(w: World) -> Iterator[tuple[str, int]]:
    """Ask for guarantee lines of an account of 16 options that lacks initial margin: without any, with one, a further.

    One that has its initial margin by itself asks nobody.
    """
    rich, poor = w.open(w.alice.address, 10**6), w.open(w.alice.address)
    sponsor = w.open(w.bob.address, 10**6)
    for account_id in (rich, poor):
        w.hold(account_id, 16)
    plain = w.run("MarginEngine", "marginOf", rich)
    gas = [w.run("MarginEngine", "marginOf", poor)]
    for _ in range(2):
        w["Guarantees"].send(w.alice, "invite", poor, sponsor)
        w["Guarantees"].send(w.bob, "give", sponsor, poor, WAD, TS + 30 * DAY, DAY)
        gas.append(w.run("MarginEngine", "marginOf", poor))
    yield "gas.margin.line.none", gas[0] - plain
    yield "gas.margin.line", gas[1] - plain
    yield "gas.margin.line.further", gas[2] - gas[1]


def trade(w: World) -> Iterator[tuple[str, int]]:
    """Settle two signed orders between accounts that hold 16 options each, of one of those and of another."""
    sides = [(owner, w.open(owner.address, 10**6)) for owner in (w.alice, w.bob)]
    for _, account_id in sides:
        w.hold(account_id, 16)
    for nonce, (name, number) in enumerate((("16", 3), ("open17", 16))):
        yield f"gas.trade.{name}", _settle(w, sides, pack(option(number)), nonce)


def _settle(w: World, sides: list[tuple[LocalAccount, int]], instrument: int, nonce: int) -> int:
    """Settle a pair of orders that the owners signed."""
    exchange, orders = w["Exchange"], []
    primary, types = struct_types(exchange, "settle")
    for (owner, account_id), is_buy in zip(sides, (True, False), strict=True):
        order = {"accountId": account_id, "instrument": instrument, "isBuy": is_buy, "quantityWad": WAD}
        order |= {"priceWad": 80 * WAD, "nonce": nonce, "expiryTs": TS + DAY, "signer": owner.address}
        order |= {"kind": 0, "reduceOnly": False, "maxFeeWad": 0, "transferCount": 0, **UNCONDITIONAL}
        orders += [order, sign(owner, domain_of(exchange), primary, types, order)]
    return w.run("Exchange", "settle", *orders, WAD)


def quote(w: World) -> Iterator[tuple[str, int]]:
    """Fill a quote of eight new options that a trader key signed and a trader key takes, both under every limit."""
    exchange, keys = w["Exchange"], (wallet("gas maker key"), wallet("gas taker key"))
    ids = [w.open(owner.address, 10**7) for owner in (w.alice, w.bob)]
    limits = [(ETH, FAR_WAD, FAR_WAD, FAR_WAD)]
    for owner, key, account_id in zip((w.alice, w.bob), keys, ids, strict=True):
        w.client.rpc("anvil_setBalance", key.address, hex(10**24))
        w.hold(account_id, HELD)
        w["Delegation"].send(owner, "grant", account_id, key.address, (TS + DAY, ALL_KINDS, FAR_WAD, limits))
    legs = [
        {"instrument": pack(option(HELD + n)), "isBuy": n % 2 == 0, "quantityWad": WAD, "priceWad": 80 * WAD}
        for n in range(LEGS)
    ]
    message = {"accountId": ids[0], "takerId": ids[1], "legs": legs, "nonce": 1, "expiryTs": TS + DAY}
    message |= {"signer": keys[0].address, "maxFeeWad": 0, "transferCount": 0}
    primary, types = struct_types(exchange, "fillQuote")
    signature = sign(keys[0], domain_of(exchange), primary, types, message)
    yield f"gas.quote.keys.{HELD}", w.run("Exchange", "fillQuote", message, signature, ids[1], 0, by=keys[1])


def bid(w: World) -> Iterator[tuple[str, int]]:
    """Bid for a slice of an account with short options, by an account with cash."""
    for size, held, name in BIDS:
        writer, bidder = w.open(w.alice.address), w.open(w.bob.address, 10**7)
        w.hold(writer, size, shorts_only=True)
        w.hold(bidder, held, shorts_only=True)
        state = w.engine.call("marginOf", writer)
        w.accounts.send(w.admin, "creditToken", writer, 0, state.maintenanceWad * 9 // 10 - state.equityWad)
        w.run("Auction", "start", writer)
        yield f"gas.bid.{name}", w.run("Auction", "bid", writer, bidder, WAD, True, LONG, by=w.bob)


def worst_bid(w: World) -> Iterator[tuple[str, int]]:
    """Estimate a bid for a dear account by an empty bidder, by one that was sent a token, by one to be margined."""
    yield from _dear_bids(w, w.soon(), ("worst", "worst.dusted", "worst.margined"))


def dearest_bid(w: World) -> Iterator[tuple[str, int]]:
    """Estimate bids by an empty bidder and by one to be margined where all expiries of a round are cut-offs as well."""
    yield from _dear_bids(w, w.soon(DOZEN_HOURS), ("worst.dozen", "worst.dozen.margined"))


def _dear_bids(w: World, near: tuple[int, ...], names: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Estimate bids for an account that has all it may have, by accounts without positions.

    128 positions, no strike twice, near expiries, options all long and of a size at which vega may be charged for, a
    perpetual of each underlying, 31 tokens, a debt.
    An empty bidder is judged by the account's own margin, and so is one that somebody sent a wei of a token; a wei of a
    perpetual makes it one that is margined itself.
    """
    w.price(near)
    w.price_second()
    # New tokens would start a grace, in which nobody is liquidated by their terms alone.
    w["ScenarioBook"].send(w.admin, "setGrace", 0)
    for token_id in WORST_TOKENS:
        terms = {"listed": True, "linkedUnderlying": 0, "haircutWad": WAD // 10, "linkedHaircutWad": 0, "ratioWad": WAD}
        w["ScenarioBook"].send(w.admin, "setCollateral", token_id, terms)
    w.price_tokens(WORST_TOKENS)
    writer = w.open(w.alice.address)
    w.hold_alone(writer, WORST_OPTIONS, near, longs_only=True, units=WORST_UNITS)
    for underlying in (ETH, BTC):
        perp = pack(Word(underlying, Kind.PERP, 0, 0, 0))
        w.accounts.send(w.admin, "applyTrade", (writer, w.house, perp, WAD, SPOT * WAD))
    for token_id in WORST_TOKENS:
        w.accounts.send(w.admin, "creditToken", writer, token_id, 1_000 * WAD)
    state = w.engine.call("marginOf", writer)
    w.accounts.send(w.admin, "moveCash", writer, w.house, state.equityWad - state.maintenanceWad * 9 // 10)
    # Later than any block that the many fills above were mined in.
    w.now += 600
    w.run("Auction", "start", writer)
    for name in names:
        bidder = w.open(w.bob.address, 10**9)
        if name == "worst.dusted":
            w.accounts.send(w.admin, "creditToken", bidder, 1, 1)
        if name.endswith("margined"):
            perp = pack(Word(ETH, Kind.PERP, 0, 0, 0))
            w.accounts.send(w.admin, "applyTrade", (bidder, w.house, perp, 1, SPOT * WAD))
        data = w["Auction"].encode("bid", writer, bidder, WAD // 2, True, LONG)
        request = {"from": w.bob.address, "to": w["Auction"].address, "data": data}
        yield f"gas.bid.{name}", int(w.client.rpc("eth_estimateGas", request), 16)


def oracle(w: World) -> Iterator[tuple[str, int]]:
    """Post a round by one signer over one that came before it."""
    one, four = (w.net(w.price(EXPIRIES[:n])) for n in (1, 4))
    yield "gas.oracle.first", one
    yield "gas.oracle.nextExpiry", (four - one) // 3


def measure() -> dict[str, int]:
    """Run every job; gas by name."""
    found: dict[str, int] = {}
    # Each job on a chain of its own: no job's accounts change another's figures.
    for job in (margin, margin_alone, share, liquidity, line, trade, quote, bid, worst_bid, dearest_bid, oracle):
        with world() as w:
            found |= job(w)
    return found


def show(found: dict[str, int]) -> None:
    """Print a table."""
    blank = Limit(None, None, None)
    print(f"{'job':<26}{'peer':>12}{'ours':>12}{'must':>12}{'goal':>12}{'peer/ours':>11}")
    for name, gas in found.items():
        limit = LIMITS.get(name, blank)
        cells = [f"{value:>12,}" if value else f"{'':>12}" for value in (limit.peer, gas, limit.must, limit.goal)]
        ratio = f"{limit.peer / gas:>10.1f}x" if limit.peer else ""
        print(f"{name:<26}{''.join(cells)}{ratio}")


def main() -> None:
    """Measure, print, merge into the report."""
    found = measure()
    show(found)
    entries = []
    for name, gas in found.items():
        peer = LIMITS[name].peer if name in LIMITS else None
        entries.append(Entry(name, "gas", gas, PEER if peer else None, peer, round(peer / gas, 2) if peer else None))
    merge(entries)


if __name__ == "__main__":
    main()
