"""Kill -9 under load, reorganisations, a node away: nothing accepted is lost, no fill counts that is not there."""

import signal
import threading
import time

import pytest
from helpers import rpc_proxy as faults
from helpers.keeper_runs import until
from helpers.local_chain import local_chain
from helpers.rpc_proxy import RpcProxy
from helpers.venue_runs import refusal, settled, trader, venue, write_venue

from plimsoll.client import connect_venue
from plimsoll.constants import WAD
from plimsoll.errors import PlimsollError

PERP = "ETH-PERP"
LIMITS = (
    "[limits]",
    "orders_per_sec = 5000.0",
    "burst_orders = 5000",
    "requests_per_sec = 5000.0",
    "burst_requests = 5000",
)
KILLS = 5


@pytest.fixture
def chain():
    with local_chain(int(time.time()) - 60) as running:
        yield running


class Crowd(threading.Thread):
    """Places orders that cross, as fast as the venue takes them, and remembers what was accepted."""

    def __init__(self, url, traders):
        super().__init__(daemon=True)
        self.traders, self.accepted, self.stop, self.refused = traders, set(), threading.Event(), 0

    def run(self):
        number = 0
        while not self.stop.is_set():
            number += 1
            who, side = self.traders[number % 2], 1 if number % 2 else -1
            orders = [who.signed(PERP, side * 0.01 * (1 + n), 1_900 + n - 2 * side) for n in range(5)]
            try:
                results = who.place_many(orders)
            except PlimsollError:
                time.sleep(0.05)
                continue
            self.accepted |= {result.orderHash for result in results if result.problem is None}
            self.refused += sum(result.problem is not None for result in results)


def same_as_the_chain(chain, traders):
    """Compare what the venue says is filled with what the exchange says, order by order."""
    exchange = chain.world.contract("Exchange")
    found = {}
    for who in traders:
        for order in who.orders():
            on_chain = exchange.call("filledOf", bytes.fromhex(order.orderHash[2:]))
            assert order.filledWad == on_chain, (order, on_chain)
            found[order.orderHash] = order
    return found


def quiet(who):
    """Wait until nothing is on its way to the chain."""
    until(lambda: who.venue.health().pendingTrades == 0, lambda: who.venue.health(), 90)


def test_kill__under_load__loses_no_accepted_order_and_doubles_no_fill(chain, tmp_path):
    path = write_venue(tmp_path, chain, "[transact]", "confirmations = 3", *LIMITS)
    with venue(path) as running:
        traders = [trader(running.url, chain, name, 50_000_000.0) for name in ("anna", "ben")]
        crowd = Crowd(running.url, traders)
        crowd.start()
        until(lambda: len(crowd.accepted) > 20, lambda: crowd.refused)
        for number in range(KILLS):
            time.sleep(0.3 + 0.37 * number % 1)
            before = len(crowd.accepted)
            assert running.end(signal.SIGKILL) == -signal.SIGKILL
            running.start()
            until(lambda before=before: len(crowd.accepted) > before + 10, lambda: crowd.refused)
        crowd.stop.set()
        crowd.join(timeout=30)
        for who in traders:
            who.venue.login(who.wallet)
            who.cancel_all()
        quiet(traders[0])
        until(lambda: not traders[0].orders("open"), lambda: traders[0].orders("open"))
        for who in traders:
            orders = {order.orderHash for order in who.orders()}
            assert orders
        missing = [one for one in crowd.accepted if not known(traders, one)]
        assert missing == []
        compared = same_as_the_chain(chain, traders)
        assert sum(order.filledWad > 0 for order in compared.values()) > 20
        assert running.end(signal.SIGINT) == 0


def known(traders, order_hash):
    """Whether the venue knows an order of one of them."""
    for who in traders:
        try:
            return who.order(order_hash).orderHash == order_hash
        except PlimsollError:
            continue
    return False


def test_reorganisation__three_times__fills_roll_back_live_again_and_settle_once(chain, tmp_path):
    path = write_venue(tmp_path, chain, "[transact]", "confirmations = 40", *LIMITS)
    with venue(path) as running:
        anna, ben = (trader(running.url, chain, name) for name in ("anna", "ben"))
        for _ in range(6):
            chain.client.rpc("evm_mine")
        with anna.stream("chain") as stream:
            for depth in (1, 2, 3):
                maker = anna.place(PERP, 1, 1_890 + depth)
                taker = ben.place(PERP, -1, 1_890 + depth)
                until(
                    lambda m=maker: anna.order(m.orderHash).state == "filled", lambda: running.log.read_text()[-2_000:]
                )
                chain.client.rpc("anvil_reorg", depth, [])
                chain.client.rpc("anvil_dropAllTransactions")
                chain.client.forget_nonces()
                until(
                    lambda t=taker: is_settled_again(chain, ben, t),
                    lambda: (ben.fills().fills[0], running.log.read_text()[-2_000:]),
                )
            told = list(stream.messages(wait_sec=2.0))
        forks = [m.data.forkNumber for m in told if m.type == "chain" and m.data.forkNumber is not None]
        assert len(forks) >= 3
        states = [fill.state for m in told if m.type == "ordersChange" for fill in m.data.fills]
        assert states.count("pending") >= 6
        assert stream.gaps == 0
        quiet(anna)
        assert all(order.filledWad == WAD for order in same_as_the_chain(chain, (anna, ben)).values())
        held = {p.name: p.quantityWad for p in anna.venue.account(anna.account_id).positions}
        assert held == {PERP: 3 * WAD}


def is_settled_again(chain, who, result):
    """Whether the fill is on the chain that there is now."""
    fill = next(f for f in who.fills().fills if f.tradeId == result.matches[0].tradeId)
    if fill.state not in ("settled", "final"):
        return False
    receipt = chain.client.find_receipt(fill.txHash)
    return receipt is not None and receipt.block_number == fill.blockNumber


def test_node__away_for_a_while__refuses_with_a_reason_and_settles_afterwards(chain, tmp_path):
    with RpcProxy(chain.client.url) as proxy:
        path = write_venue(tmp_path, chain, "[transact]", "confirmations = 3", *LIMITS, url=proxy.url)
        with venue(path) as running:
            anna, ben = (trader(running.url, chain, name) for name in ("anna", "ben"))
            anna.place(PERP, 1, 1_890)
            proxy.add(faults.status(503))
            until(lambda: not anna.venue.health().isOk, lambda: anna.venue.health())
            problem = refusal(lambda: ben.place(PERP, -1, 1_890))
            assert problem.code == "chainDown"
            proxy.clear()
            until(lambda: anna.venue.health().isOk, lambda: anna.venue.health())
            ben.place(PERP, -1, 1_890)
            settled(ben, 1)


def test_connect__after_a_restart__needs_a_new_login_and_finds_its_orders(chain, tmp_path):
    path = write_venue(tmp_path, chain, *LIMITS)
    with venue(path) as running:
        anna = trader(running.url, chain, "anna")
        order = anna.place(PERP, 1, 1_500)
        epoch = anna.venue.health().epoch
        running.end(signal.SIGKILL)
        running.start()
        assert refusal(lambda: anna.order(order.orderHash)).code == "notLoggedIn"
        again = connect_venue(running.url).trade_as(anna.wallet, anna.account_id)
        found = again.order(order.orderHash)
        assert (found.state, found.seq, found.acceptedMs) == ("open", order.order.seq, order.order.acceptedMs)
        assert again.venue.health().epoch != epoch
        assert [level.orders for level in again.venue.book(PERP).bids] == [1]
