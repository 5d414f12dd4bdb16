"""Clocks that jump, both ways: the venue's own, which nothing that settles may depend on, and the chain's."""

import signal
import time

import pytest
from helpers.keeper_runs import until
from helpers.local_chain import local_chain
from helpers.venue_runs import settled, trader, venue, write_venue

from plimsoll.client.client import Terms
from plimsoll.client.schema.market import ChainView
from plimsoll.constants import WAD

PERP = "ETH-PERP"
HOUR_SEC = 3_600
OPTIONS = (
    *("[transact]", "confirmations = 40"),
    *("[limits]", "orders_per_sec = 5000.0", "burst_orders = 5000"),
    *("requests_per_sec = 5000.0", "burst_requests = 5000"),
)


@pytest.fixture
def chain():
    with local_chain(int(time.time()) - 60) as running:
        yield running


def jump(clock, seconds):
    """Let the venue's clock be wrong by so much from now on, in one step that no reader sees half of."""
    fresh = clock.with_suffix(".fresh")
    fresh.write_text(str(seconds), encoding="ascii")
    fresh.replace(clock)


def test_own_clock__jumps_an_hour_both_ways__orders_fills_and_the_stream_go_on(chain, tmp_path):
    clock = tmp_path / "clock"
    jump(clock, 0)
    path = write_venue(tmp_path, chain, *OPTIONS)
    with venue(path, clock) as running:
        anna, ben = (trader(running.url, chain, name) for name in ("anna", "ben"))
        rests = anna.place(PERP, 1, 1_500)
        with anna.stream("trades:*") as stream:
            # The last one is a clock that starts wrong and is put right.
            for count, offset_sec in enumerate((2 * HOUR_SEC, -2 * HOUR_SEC, 0), start=1):
                jump(clock, offset_sec)
                for who in (anna, ben):
                    # A token ends by the venue's own clock, and a new one works at once.
                    who.venue.login(who.wallet)
                maker = anna.place(PERP, 1, 1_890)
                assert abs(maker.order.acceptedMs / 1_000 - offset_sec - time.time()) < 60
                ben.place(PERP, -1, 1_890)
                settled(ben, count)
                assert anna.order(rests.orderHash).state == "open"
                until(lambda: ben.venue.health().isOk, lambda: ben.venue.health())
            told = [m for m in stream.messages(wait_sec=1.0) if m.channel == "trades:*"]
        assert stream.gaps == stream.restarts == 0
        assert {trade.tradeId for m in told for trade in m.data.trades} == {f.tradeId for f in ben.fills().fills}
        # Old events carry times that lie in the future by now; a start reads them as it reads others.
        assert running.end(signal.SIGKILL) == -signal.SIGKILL
        jump(clock, -2 * HOUR_SEC)
        running.start()
        anna.venue.login(anna.wallet)
        assert anna.order(rests.orderHash).state == "open"


def test_chain_clock__jumps_forward__ends_what_ended_and_waits_for_a_round(chain, tmp_path):
    path = write_venue(tmp_path, chain, *OPTIONS)
    with venue(path) as running:
        anna, ben = (trader(running.url, chain, name) for name in ("anna", "ben"))
        jump_sec = anna.venue.markets()[0].heartbeatSec + HOUR_SEC
        short = anna.place(PERP, 1, 1_500, Terms(life_sec=600))
        long = anna.place(PERP, 1, 1_501, Terms(life_sec=2 * jump_sec))
        chain.wait(jump_sec)
        until(lambda: anna.order(short.orderHash).state == "expired", lambda: anna.order(short.orderHash))
        assert anna.order(long.orderHash).state == "open"
        taker = ben.signed(PERP, -1, 1_501, Terms(life_sec=2 * jump_sec))
        (refused,) = ben.place_many([taker])
        assert refused.problem.code == "roundStale"
        chain.post(1_900.0)
        until(lambda: not ben.venue.markets()[0].isStale, lambda: ben.venue.markets())
        (placed,) = ben.place_many([taker])
        assert placed.problem is None
        settled(ben, 1)
        # By the signer's clock the order lives; by the chain's it is over, and that one counts.
        late = anna.signed(PERP, 1, 1_502, Terms(life_sec=HOUR_SEC))
        (refused,) = anna.place_many([late])
        assert refused.problem.code == "expired"


def test_chain_clock__goes_back_with_a_reorganisation__fills_live_again_and_settle_once(chain, tmp_path):
    path = write_venue(tmp_path, chain, *OPTIONS)
    with venue(path) as running:
        anna, ben = (trader(running.url, chain, name) for name in ("anna", "ben"))
        chain.client.rpc("evm_mine")
        before_ts = chain.client.block_ts()
        chain.wait(90)
        chain.post(1_900.0)
        blocks = chain.client.block_number()
        maker = anna.place(PERP, 1, 1_890)
        ben.place(PERP, -1, 1_890)
        settled(ben, 1)
        depth = chain.client.block_number() - blocks + 4
        chain.client.rpc("anvil_reorg", depth, [])
        chain.client.rpc("anvil_dropAllTransactions")
        chain.client.forget_nonces()
        until(lambda: ben.venue.transport.get("/chain", ChainView).blockTs < before_ts + 90, lambda: running.tail())
        chain.post(1_900.0)
        settled(ben, 1, 60.0)
        until(lambda: anna.order(maker.orderHash).filledWad == WAD, lambda: anna.order(maker.orderHash))
        held = {position.name: position.quantityWad for position in anna.venue.account(anna.account_id).positions}
        assert held == {PERP: WAD}
