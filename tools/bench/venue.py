"""Measure the venue: orders accepted a second, from order to settled, and a book of 10,000 open orders.

The venue is the whole one as its own process, on a local node with a real deployment: HTTP, signatures, margin with
open orders by the chain's own preview, the log on disk, settlement by the transactor. The anchor does the same work in
the same run as one would write it first: web3.py, eth_account and a dictionary, one order at a time.
"""

from __future__ import annotations

import json
import math
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "python"))

from eth_account import Account
from eth_account.messages import encode_typed_data
from helpers.local_chain import LocalChain, local_chain
from helpers.venue_runs import trader, venue, write_venue
from web3 import HTTPProvider, Web3

from plimsoll.chain.abi import load_artifact
from plimsoll.client import Trader, connect_venue
from plimsoll.client.schema.orders import Order, PlaceOrder, PlaceOrders
from plimsoll.constants import WAD
from plimsoll.protocol.orders import UNCONDITIONAL
from plimsoll.venue.book.engine import Engine, NewOrder
from plimsoll.venue.book.state import State
from plimsoll.venue.chain.digests import OrderDigest
from tools.bench.report import Entry, merge

OPEN: Final = 10_000
ACCOUNTS: Final = 20
BATCH: Final = 100
SENDERS: Final = 4
SETTLED: Final = 60
NAIVE: Final = 60
BLOCK_SEC: Final = 1
MESSAGES: Final = 20_000
#: What the design asks for.
ACCEPT_MUST: Final = 2_000.0
SETTLED_MUST_MS: Final = BLOCK_SEC * 1_000.0 + 250.0
RATES: Final = (
    *("[limits]", "orders_per_sec = 1000000.0", "burst_orders = 1000000"),
    *("requests_per_sec = 1000000.0", "burst_requests = 1000000"),
)


def signed_orders(who: Trader, digest: OrderDigest, count: int, first: int) -> list[PlaceOrder]:
    """Sign bids far below the market, quickly: how fast a client signs is not what is measured."""
    perp, found = who.venue.instrument("ETH-PERP"), []
    for number in range(count):
        message: dict[str, Any] = {
            "accountId": who.account_id,
            "instrument": perp,
            "isBuy": True,
            "quantityWad": WAD // 100,
            "priceWad": (1_000 + (first + number) % 500) * WAD,
            "nonce": first + number,
            "expiryTs": 2**39,
            "signer": str(who.wallet.address),
            "kind": 0,
            "reduceOnly": False,
            "maxFeeWad": WAD // 100,
            "transferCount": 0,
            **UNCONDITIONAL,
        }
        signature = who.wallet.unsafe_sign_hash(digest.fast(message)).signature
        found.append(
            PlaceOrder.model_construct(
                order=Order.model_construct(**message),
                signature="0x" + bytes(signature).hex(),
                timeInForce="gtc",
                clientId="",
            )
        )
    return found


def cpu_sec(process_id: int) -> float:
    """Return the processor time that a process has used, seconds; none where the system does not say."""
    try:
        fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return math.nan
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def accept(url: str, process_id: int, traders: list[Trader], digest: OrderDigest) -> tuple[float, float]:
    """Place 10,000 orders in batches over a few connections; return orders a second, and the venue's own us each."""
    bodies: list[bytes] = []
    for place, who in enumerate(traders):
        orders = signed_orders(who, digest, OPEN // len(traders), 1_000_000 * (place + 1))
        for start in range(0, len(orders), BATCH):
            batch = PlaceOrders.model_construct(orders=orders[start : start + BATCH])
            bodies.append(batch.model_dump_json().encode())
    # Neighbouring batches are of different accounts, as the orders of a market are.
    random.Random(3).shuffle(bodies)  # noqa: S311 (no secret)
    local = threading.local()

    def send(body: bytes) -> int:
        if not hasattr(local, "http"):
            local.http = connect_venue(url).transport._http
        answer = local.http.post("/orders", content=body, headers={"Content-Type": "application/json"}, timeout=120)
        return sum(result["problem"] is None for result in answer.json()["results"])

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(send, bodies[:SENDERS]))
        began, used = time.perf_counter(), cpu_sec(process_id)
        accepted = sum(pool.map(send, bodies[SENDERS:]))
        seconds, used = time.perf_counter() - began, cpu_sec(process_id) - used
    wanted = (len(bodies) - SENDERS) * BATCH
    if accepted != wanted:
        raise SystemExit(f"error: {accepted} of {wanted} orders were accepted")
    return accepted / seconds, 1e6 * used / accepted


def accept_naively(chain: LocalChain, who: Trader) -> float:
    """Accept orders as one would first: eth_account for signatures, web3.py for a preview of each, a dictionary."""
    w3 = Web3(HTTPProvider(chain.client.url))
    preview = w3.eth.contract(
        address=chain.deployment.contracts["OrderPreview"],
        abi=load_artifact("OrderPreview").abi,  # type: ignore[call-overload]
    )
    typed = OrderDigest(chain.deployment)
    bodies = [order.model_dump_json() for order in signed_orders(who, typed, NAIVE, 90_000_000)]
    book: dict[int, list[Any]] = {}
    mine: list[tuple[Any, ...]] = []
    began = time.perf_counter()
    for body in bodies:
        wanted = json.loads(body)
        message = {name: int(v) if isinstance(v, str) and v.isdigit() else v for name, v in wanted["order"].items()}
        signable = encode_typed_data(full_message=typed.document(message))
        if Account.recover_message(signable, signature=wanted["signature"]) != message["signer"]:
            raise SystemExit("error: a signature of the anchor is wrong")
        mine.append(tuple(message.values()))
        preview.functions.previewOrders(message["accountId"], mine[-1:]).call()
        book.setdefault(message["priceWad"], []).append(message)
    return len(bodies) / (time.perf_counter() - began)


def to_settled(anna: Trader, ben: Trader) -> list[float]:
    """Place orders that meet, at random moments; return milliseconds until the stream says that a block has each."""
    asked: dict[str, float] = {}
    took: list[float] = []
    dice = random.Random(5)  # noqa: S311 (no secret)
    with ben.stream() as stream:
        done = threading.Event()

        def listen() -> None:
            for message in stream.messages(wait_sec=30.0):
                now = time.perf_counter()
                for fill in getattr(message.data, "fills", ()):
                    if fill.state == "settled" and fill.orderHash in asked:
                        took.append(1_000.0 * (now - asked.pop(fill.orderHash)))
                if len(took) == SETTLED:
                    break
            done.set()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        for _ in range(SETTLED):
            anna.place("ETH-PERP", 0.01, 1_900.0)
            wanted = ben.signed("ETH-PERP", -0.01, 1_900.0)
            digest = "0x" + ORDER_DIGEST[0].fast(vars(wanted.order)).hex()
            asked[digest] = time.perf_counter()
            ben.place_many([wanted])
            time.sleep(dice.uniform(0.02, 0.4))
        if not done.wait(60) or len(took) < SETTLED:
            raise SystemExit(f"error: {SETTLED - len(took)} of {SETTLED} trades were not settled")
    return took


def settled_naively(chain: LocalChain, anna: Trader, ben: Trader) -> list[float]:
    """Settle signed orders by web3.py: build, sign, send, wait for the receipt, one after the other."""
    w3 = Web3(HTTPProvider(chain.client.url))
    abi: Any = load_artifact("Exchange").abi
    exchange = w3.eth.contract(address=chain.deployment.contracts["Exchange"], abi=abi)  # type: ignore[call-overload]
    relayer, took = chain.world.funded_wallet("bench relayer"), []
    for _ in range(SETTLED // 3):
        maker, taker = anna.signed("ETH-PERP", 0.01, 1_900.0), ben.signed("ETH-PERP", -0.01, 1_900.0)
        began = time.perf_counter()
        parts = [part for one in (maker, taker) for part in (tuple(vars(one.order).values()), one.signature)]
        call = exchange.functions.settle(*parts, WAD // 100)
        nonce = w3.eth.get_transaction_count(relayer.address)
        built = call.build_transaction({"from": relayer.address, "nonce": nonce})
        sent = w3.eth.send_raw_transaction(relayer.sign_transaction(built).raw_transaction)
        w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.1)
        took.append(1_000.0 * (time.perf_counter() - began))
    return took


class _Nothing:
    """No positions, no greeks."""

    def held_wad(self, _account_id: int, _instrument: int) -> int:
        return 0

    def delta_vega_wad(self, _instrument: int) -> tuple[int, int]:
        return (0, 0)


def book_messages() -> list[tuple[bool, int, int]]:
    """Return side, price and quantity of orders around 100,000, most of which rest."""
    dice = random.Random(11)  # noqa: S311 (no secret)
    found = []
    for _ in range(OPEN + MESSAGES):
        is_buy = dice.random() < 0.5
        # One in four meets the other side.
        away = -dice.randint(0, 30) if dice.random() < 0.25 else int(dice.expovariate(1 / 400.0))
        found.append((is_buy, 100_000 - away if is_buy else 100_001 + away, dice.randint(1, 20)))
    return found


def book_of_ours(messages: list[tuple[bool, int, int]]) -> float:
    """Return microseconds of an order that comes to a book of 10,000, matching and all its events included."""
    engine = Engine(State(), _Nothing(), WAD // 100)
    news = []
    for number, (is_buy, price, quantity) in enumerate(messages):
        message = {
            "accountId": number,
            "instrument": (1 << 248) | (3 << 240),
            "isBuy": is_buy,
            "quantityWad": quantity * WAD,
            "priceWad": price * WAD,
            "nonce": number,
            "expiryTs": 2**39,
            "signer": f"0x{number:040x}",
            "kind": 0,
            "reduceOnly": False,
            **UNCONDITIONAL,
        }
        news.append(NewOrder(f"0x{number:064x}", message, "0x"))
    for new in news[:OPEN]:
        engine.place(new, 0)
    engine.take_events()
    return _per_message(lambda: [engine.place(new, 0) for new in news[OPEN:]])


def book_of_dictionaries(messages: list[tuple[bool, int, int]]) -> float:
    """Return the same for prices in a dictionary of lists, the best of which is looked for each time."""
    sides: dict[bool, dict[int, list[list[int]]]] = {True: {}, False: {}}

    def place(number: int, is_buy: bool, price: int, quantity: int) -> None:
        others = sides[not is_buy]
        while quantity and others:
            best = min(others) if is_buy else max(others)
            if best > price if is_buy else best < price:
                break
            queue = others[best]
            met = min(quantity, queue[0][1])
            quantity -= met
            queue[0][1] -= met
            if not queue[0][1]:
                queue.pop(0)
                if not queue:
                    del others[best]
        if quantity:
            sides[is_buy].setdefault(price, []).append([number, quantity])

    for number, message in enumerate(messages[:OPEN]):
        place(number, *message)
    return _per_message(lambda: [place(OPEN + n, *m) for n, m in enumerate(messages[OPEN:])])


def _per_message(work: Callable[[], Any]) -> float:
    # Time of this process alone: what else the machine does is no part of it.
    began = time.process_time()
    work()
    return 1e6 * (time.process_time() - began) / MESSAGES


def p99(values: list[float]) -> float:
    """Return the value that one in a hundred is above."""
    return statistics.quantiles(values, n=100, method="inclusive")[98]


def entry(name: str, unit: str, value: float, peer: str, peer_value: float, *, more_is_better: bool = False) -> Entry:
    """Return a measurement beside its anchor."""
    ratio = value / peer_value if more_is_better else peer_value / value
    return Entry(name, unit, round(value, 2), peer, round(peer_value, 2), round(ratio, 2))


ORDER_DIGEST: list[OrderDigest] = []


def main() -> int:
    """Measure, print, write; return the exit code."""
    messages = book_messages()
    ours, dictionaries = book_of_ours(messages), book_of_dictionaries(messages)
    with local_chain(int(time.time()) - 60) as chain, tempfile.TemporaryDirectory() as name:
        digest = OrderDigest(chain.deployment)
        ORDER_DIGEST.append(digest)
        path = write_venue(Path(name), chain, "[transact]", "confirmations = 2", *RATES)
        with venue(path) as running:
            traders = [trader(running.url, chain, f"trader {n}", 50_000_000.0) for n in range(ACCOUNTS)]
            process_id = running.process.pid if running.process else 0
            rate, own_us = accept(running.url, process_id, traders, digest)
            naive_rate = accept_naively(chain, traders[0])
            state = traders[0].venue.health()
            chain.client.rpc("evm_setAutomine", False)
            chain.client.rpc("evm_setIntervalMining", BLOCK_SEC)
            took = to_settled(traders[0], traders[1])
            naive_took = settled_naively(chain, traders[2], traders[3])
    naive = "web3.py, eth_account and a dictionary"
    merge(
        [
            entry("venue.accept", "orders/s", rate, naive, naive_rate, more_is_better=True),
            Entry("venue.acceptCpu", "us/order", round(own_us, 1)),
            entry("venue.orderToSettled", "ms p99", p99(took), naive, p99(naive_took)),
            entry("venue.book10k", "us/message", ours, "dictionary of lists", dictionaries),
        ]
    )
    rows = (
        ("venue.accept", f"{rate:,.0f} orders/s", f"{naive_rate:,.0f}", f"{ACCEPT_MUST:,.0f}"),
        ("  venue's processor", f"{own_us:,.0f} us/order", "", f"{1e6 / ACCEPT_MUST:,.0f}"),
        ("venue.orderToSettled, p99", f"{p99(took):,.0f} ms", f"{p99(naive_took):,.0f}", f"{SETTLED_MUST_MS:,.0f}"),
        ("  median", f"{statistics.median(took):,.0f} ms", f"{statistics.median(naive_took):,.0f}", ""),
        ("venue.book10k", f"{ours:,.1f} us/message", f"{dictionaries:,.1f}", ""),
    )
    print(f"{'with ' + format(state.openOrders, ',') + ' open orders':28}{'measured':>18}{'anchor':>12}{'goal':>10}")
    for what, value, anchor, goal in rows:
        print(f"{what:28}{value:>18}{anchor:>12}{goal:>10}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
