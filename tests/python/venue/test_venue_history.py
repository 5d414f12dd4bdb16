"""A venue whose log was replaced by snapshots: what is over can be seen, not doubled, and a start reads little."""

import signal
import time

import pytest
from helpers.keeper_runs import until
from helpers.local_chain import local_chain
from helpers.rpc_proxy import Fault, RpcProxy
from helpers.venue_runs import refusal, settled, trader, venue, write_venue
from sqlalchemy import text

from plimsoll.client import VenueError
from plimsoll.constants import WAD
from plimsoll.storage import open_database, reading

PERP = "ETH-PERP"
OPTIONS = (
    *("[transact]", "confirmations = 2"),
    *("[book]", "max_log_events = 100"),
    *("[limits]", "orders_per_sec = 5000.0", "burst_orders = 5000"),
    *("requests_per_sec = 5000.0", "burst_requests = 5000"),
)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request, tmp_path_factory):
    """The default, and a real server."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('history') / 'venue.sqlite'}"
    return request.getfixturevalue("postgres").new_database()


def count_of(database, table):
    found = open_database(database)
    with reading(found) as connection:
        count = connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
    found.dispose()
    return count


def fill_the_log(who, orders=130):
    """Place orders that nobody meets and take them out again, until a snapshot takes the place of what was before."""
    for price in range(1_000, 1_000 + orders, 10):
        who.place_many([who.signed(PERP, 0.1, price + n) for n in range(10)])
        who.cancel_all()


def settle_by_hand(chain, one, other, quantity_wad):
    """Settle two signed orders without the venue."""
    parts = [part for order in (one, other) for part in (vars(order.order), bytes.fromhex(order.signature[2:]))]
    chain.world.contract("Exchange").send(chain.relayer, "settle", *parts, quantity_wad)


class Ranges:
    """First blocks of the logs that a node is asked for."""

    def __init__(self):
        self.first = []
        self.fault = Fault("watched", frozenset(("eth_getLogs", "eth_getBlockByNumber")), on_request=self._see)

    def _see(self, request):
        if request["method"] == "eth_getLogs" and "fromBlock" in request["params"][0]:
            self.first.append(int(request["params"][0]["fromBlock"], 16))


def test_history__after_snapshots_and_a_restart__is_whole_and_nothing_comes_back(database, tmp_path):
    with local_chain(int(time.time()) - 60) as chain, RpcProxy(chain.client.url) as proxy:
        path = write_venue(tmp_path, chain, *OPTIONS, url=proxy.url, database=database)
        with venue(path) as running:
            anna, ben = (trader(running.url, chain, name) for name in ("anna", "ben"))
            taken_back = anna.signed(PERP, 1, 1_850)
            (placed,) = anna.place_many([taken_back])
            anna.cancel(placed.orderHash)
            maker = anna.place(PERP, 2, 1_890)
            taker = ben.place(PERP, -1, 1_890)
            settled(ben, 1)
            for _ in range(140):
                chain.client.rpc("evm_mine")
            until(lambda: ben.fills().fills[0].state == "final", lambda: ben.fills().fills)
            until(lambda: anna.venue.health().isAccepting, lambda: anna.venue.health())
            fill_the_log(anna)
            until(lambda: count_of(database, "venue_trade") == 1, lambda: running.tail())
            before = shown(anna, ben)
            # Signatures outlive the venue's memory: what was cancelled does not come back.
            assert refusal(lambda: raised(anna, taken_back)).code == "duplicate"
            assert running.end(signal.SIGKILL) == -signal.SIGKILL
            ranges = Ranges()
            proxy.add(ranges.fault)
            running.start()
            for who in (anna, ben):
                who.venue.login(who.wallet)
            assert shown(anna, ben) == before
            assert count_of(database, "venue_event") < 300
            assert count_of(database, "venue_order") > 50
            # Of two hundred blocks the newest are read again, and not those since the deployment.
            assert ranges.first
            assert min(ranges.first) > chain.deployment.block + 60
            assert refusal(lambda: raised(anna, taken_back)).code == "duplicate"
            assert anna.order(maker.orderHash).filledWad == WAD
            with anna.stream("trades:*") as stream:
                told = [message for message in stream.messages(wait_sec=0.5) if message.type == "trades"]
            assert [trade.tradeId for trade in told[0].data.trades] == [taker.matches[0].tradeId]
            # Somebody settles it nevertheless: the venue says so, although the order had left its memory.
            settle_by_hand(chain, taken_back, ben.signed(PERP, -1, 1_850), WAD // 4)
            until(
                lambda: anna.order(placed.orderHash).filledWad == WAD // 4,
                lambda: (anna.order(placed.orderHash), running.tail()),
            )
            assert anna.order(placed.orderHash).state == "cancelled"
            assert running.end(signal.SIGKILL) == -signal.SIGKILL
            running.start()
            anna.venue.login(anna.wallet)
            assert anna.order(placed.orderHash).filledWad == WAD // 4
            assert running.end(signal.SIGINT) == 0


def shown(anna, ben):
    """Return what both see of their orders, fills and the market."""
    return (
        anna.orders(),
        anna.fills().fills,
        ben.fills().fills,
        anna.venue.trades().trades,
        anna.venue.book(PERP).bids,
    )


def raised(who, wanted):
    """Place one signed order; a refusal is raised."""
    (result,) = who.place_many([wanted])
    if result.problem is not None:
        raise VenueError(result.problem)
