"""Reorganisations, a node away, a restart: nothing accepted is lost, no fill counts that is not there."""

import signal
import time

import pytest
from helpers import rpc_proxy as faults
from helpers.keeper_runs import until
from helpers.local_chain import local_chain
from helpers.rpc_proxy import Fault, RpcProxy
from helpers.venue_runs import refusal, settled, trader, venue, write_venue

from plimsoll.client import connect_venue
from plimsoll.constants import WAD

PERP = "ETH-PERP"
LIMITS = (
    "[limits]",
    "orders_per_sec = 5000.0",
    "burst_orders = 5000",
    "requests_per_sec = 5000.0",
    "burst_requests = 5000",
)


@pytest.fixture
def chain():
    with local_chain(int(time.time()) - 60) as running:
        yield running


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


def blocks_that_went(times):
    """Answer that there is no block of a number, so often; tags such as latest are answered as ever."""

    def without(request):
        return {"answer": {"result": None}} if request["params"][0].startswith("0x") else None

    return Fault("blocks that went", frozenset(("eth_getBlockByNumber",)), times, on_request=without)


def test_start__blocks_go_while_they_are_read__opens_all_the_same(chain, tmp_path):
    """The fault: a reorganisation between a head and its block ended the venue that was starting."""
    with RpcProxy(chain.client.url) as proxy:
        path = write_venue(tmp_path, chain, url=proxy.url)
        gone = proxy.add(blocks_that_went(12))
        with venue(path) as running:
            assert gone.struck == 12
            assert trader(running.url, chain, "anna").venue.health().isAccepting


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
