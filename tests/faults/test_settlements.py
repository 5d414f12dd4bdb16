"""Series that expire: reorganised prices, samples across a restart, batches too large for a transaction."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from feed import Feed
from files import price_lines
from helpers.rpc_proxy import Fault
from scene import until
from test_market import rounds_of

from plimsoll.chain.words import unpack
from plimsoll.feeds.document import document_of
from plimsoll.feeds.oracle_view import OracleView
from plimsoll.feeds.reading import Price, Reading
from plimsoll.model import Kind, Position
from plimsoll.units import wad_to_float

FINALITY = 12
EACH_GAS = 6_000_000


class Series:
    """The first expiry of ETH, who holds it, and a feed that knows its window."""

    def __init__(self, scene) -> None:
        self.scene, self.chain = scene, scene.chain
        self.number = self.chain.deployment.underlyings["ETH"]
        self.expiry_ts = self.chain.market.rounds["ETH"].surfaces[0].expiry_ts
        self.option = Position("ETH", Kind.CALL, self.expiry_ts, 1_950.0, 1.0)
        self.asked = 0
        self.samples: tuple[tuple[int, float], ...] = ()
        self.eth = 1_900.0
        self.feed = Feed(self._document)

    def _document(self):
        ts = self.chain.client.block_ts()
        rounds = {found.underlying: found for found in rounds_of(self.chain, self.eth, ts)}
        history = {"ETH": {self.expiry_ts: self.samples}}
        reading = Reading(rounds, tokens={"USDC": Price(ts, 1.0)})
        self.asked += 1
        return 200, json.dumps(document_of(reading, ts, history)).encode()

    def hold(self, count: int) -> list[int]:
        """Open accounts with one option each."""
        holders = [self.chain.trader(f"holder {n}", self.chain.maker, 20_000.0, self.option) for n in range(count)]
        return [holder.account_id for holder in holders]

    def wait_until(self, ts: int) -> None:
        """Move the chain to a time."""
        self.chain.wait(ts - self.chain.client.block_ts())

    def is_priced(self) -> bool:
        """Whether the chain has its price."""
        self.chain.sync()
        return (self.number, self.expiry_ts) in self.chain.state.settled

    def holders(self) -> list[int]:
        """Who still holds it."""
        self.chain.sync()
        accounts = self.chain.state.accounts.items()
        return [n for n, found in accounts if any(unpack(word).expiry_ts == self.expiry_ts for word in found.words)]

    def file(self, **options):
        """The file of a keeper that posts by this feed."""
        self.scene.senders.append(self.chain.prices)
        lines = price_lines(self.scene.folder, self.feed.url, self.chain.prices, self.chain.world.signers)
        return self.scene.file(more=lines, **options)


@pytest.fixture
def series(scene, monkeypatch):
    """A series, and clocks of this process that show the time of the chain."""
    shift = scene.chain.client.block_ts() - time.time()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + shift)
    monkeypatch.setattr(OracleView.__init__, "__defaults__", (None, time.time))
    found = Series(scene)
    yield found
    found.feed.close()


def window(expiry_ts, eth=1_900.0):
    """Samples of every minute of a window."""
    return tuple((expiry_ts - 1_800 + 60 * step, eth) for step in range(1, 31))


def crash(scene, series):
    """Let another poster bring the crash, and see it attended."""
    series.feed.close()
    # What the keeper still posts on its last reading would come after the newer rounds of the crash, in vain.
    scene.quiet()
    scene.crash()
    scene.wait_auction()
    scene.quiet()


def test_settlement__price_is_reorganised_away__it_is_posted_again_and_nobody_settled_before_it_was_final(
    scene, series
):
    """The first keeper said "done" for ever: the series never settled, and nobody was liquidated."""
    chain = scene.chain
    (holder,) = series.hold(1)
    series.samples = window(series.expiry_ts)
    series.wait_until(series.expiry_ts + 30)
    scene.start(series.file(index__finality_blocks=FINALITY))
    until(series.is_priced, scene.story)
    scene.quiet()
    assert holder in series.holders(), "settled on a price that was not final"
    posted = [one.block for one in scene.sent() if one.call.startswith("Oracle.postSettlement")]
    assert len(posted) == 1
    chain.client.rpc("anvil_reorg", scene.block() - posted[0] + 1, [])
    chain.client.forget_nonces()
    until(series.is_priced, scene.story)
    assert holder in series.holders(), "settled on a price that was not final"
    chain.client.rpc("anvil_mine", hex(FINALITY + 1))
    until(lambda: holder not in series.holders(), scene.story)
    crash(scene, series)
    scene.judge("reorganisation of a posted settlement price", "settled once final", others=True, rounds=2)


def test_settlement__restart_inside_the_window__samples_are_kept(scene, series):
    """The first keeper kept samples in memory: after a restart inside the window the series never settled."""
    (holder,) = series.hold(1)
    series.wait_until(series.expiry_ts - 1_800)
    path, seen = series.file(index__finality_blocks=1), []
    keeper = scene.start(path)
    for step in range(1, 31):
        series.eth = 1_900.0 + step
        series.wait_until(series.expiry_ts - 1_800 + 60 * step)
        before = series.asked
        until(lambda before=before: series.asked > before + 1, scene.story)
        seen.append(series.eth)
        if step == 15:
            keeper.end()
            keeper = scene.start(path)
    series.wait_until(series.expiry_ts + 60)
    until(series.is_priced, scene.story)
    price = wad_to_float(scene.chain.state.settled[series.number, series.expiry_ts])
    assert price == pytest.approx(sum(seen) / len(seen), rel=2e-3)
    until(lambda: holder not in series.holders(), scene.story)
    crash(scene, series)
    scene.judge("restart inside a settlement window", "settled on the samples of both", others=True, rounds=None)


def heavy_settlements(address):
    """Settling one account takes a third of what one transaction may use."""

    def heavier(request, answer):
        call = request["params"][0]
        if call.get("to", "").lower() != address.lower() or "result" not in answer:
            return None
        # Selector, underlying, expiry, offset; then the number of accounts.
        count = int(call["data"][2 + 8 + 3 * 64 : 2 + 8 + 4 * 64], 16)
        return [{**answer, "result": hex(EACH_GAS * count)}]

    return Fault("heavy settlements", frozenset({"eth_estimateGas"}), on_answer=heavier)


def test_settlement__batch_above_what_a_transaction_may_use__is_cut(scene, series):
    """The first keeper asked for 1.2 times the estimate of twenty accounts: never mined where EIP-7825 holds."""
    holders = series.hold(5)
    series.samples = window(series.expiry_ts)
    series.wait_until(series.expiry_ts + 30)
    fault = scene.proxy.add(heavy_settlements(scene.chain.deployment.contracts["Settlement"]))
    scene.start(series.file(index__finality_blocks=1))
    until(lambda: not set(holders) & set(series.holders()), scene.story)
    assert fault.struck
    settled = [one for one in scene.sent() if one.call.startswith("Settlement.settle")]
    # The five and the maker: two at a time fit.
    assert len(settled) >= 3
    assert all(one.is_done for one in settled)
    crash(scene, series)
    scene.judge("estimate of a batch above 16.7 M gas", "cut into parts that fit", others=True, rounds=2)


def test_settlement__nobody_has_samples__a_person_gives_a_price_and_the_keeper_settles_on_it(scene, series):
    """The first keeper had no command for it: a series that it had not seen end never settled."""
    (holder,) = series.hold(1)
    series.wait_until(series.expiry_ts + 30)
    scene.start(series.file(index__finality_blocks=1))
    scene.quiet()
    assert not series.is_priced(), scene.story()
    signers = [scene.key(f"by-hand-{n}", wallet) for n, wallet in enumerate(scene.chain.world.signers)]
    words = ["feed", "settle", "ETH", str(series.expiry_ts), "1987.5", "--rpc", scene.chain.client.url]
    words += ["--deployment", "deployment.json", "--pass-file", "password"]
    words += ["--keystore", scene.key("person", scene.chain.relayer)]
    words += [word for name in signers for word in ("--signer", name)]
    said = subprocess.run(
        [sys.executable, "-m", "plimsoll", *words], cwd=scene.folder, capture_output=True, text=True, timeout=60
    )
    assert said.returncode == 0, said.stderr
    scene.chain.client.forget_nonces()
    assert series.is_priced()
    assert wad_to_float(scene.chain.state.settled[series.number, series.expiry_ts]) == pytest.approx(1_987.5)
    scene.chain.client.rpc("evm_mine")
    until(lambda: holder not in series.holders(), scene.story)
    crash(scene, series)
    scene.judge("no samples of a series", "a person gives its price, the keeper settles", others=True, rounds=2)
