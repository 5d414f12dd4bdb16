"""Fills and cancelled nonces: the same answers in memory, on disk, after a reorganisation and after a restart."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from plimsoll.constants import DAY_SEC
from plimsoll.storage import open_database, upgrade, writing
from plimsoll.venue.chain.ledger import ExchangeLedger
from plimsoll.venue.journal.ledger_store import LedgerStore
from plimsoll.venue.journal.tables import ABOUT, LEDGER

SIGNERS = ("0xA", "0xB")
NONCES = (0, 1, 255, 256, 700)
DIGESTS = tuple(bytes([number]) * 32 for number in (1, 2, 3))


@dataclass
class Event:
    name: str
    block_number: int
    values: dict = field(default_factory=dict)

    @property
    def block_ts(self):
        return 1_000 * self.block_number


class Model:
    """The same from a plain list of events."""

    def __init__(self):
        self.events = []

    def filled_wad(self, digest):
        wanted = bytes.fromhex(digest[2:])
        fills = [e.values for e in self.events if e.name == "Settled"]
        return sum(v["quantityWad"] for v in fills for side in ("buyHash", "sellHash") if v[side] == wanted)

    def is_cancelled(self, signer, nonce):
        mine = [e for e in self.events if e.values.get("signer") == signer]
        below = [e.values["nonce"] for e in mine if e.name == "NoncesCancelledBelow"]
        if below and nonce < below[-1]:
            return True
        words = [e.values for e in mine if e.name == "NoncesCancelled"]
        return any(v["wordPos"] == nonce >> 8 and v["mask"] >> (nonce & 255) & 1 for v in words)

    def is_paused(self, instrument, now_ts):
        mine = [e for e in self.events if e.values.get("instrument") == instrument and "paused" in e.values]
        return bool(mine) and mine[-1].values["paused"] and now_ts < mine[-1].block_ts + DAY_SEC


def happened(number, block):
    """Return one of the things that can happen."""
    signer, nonce = SIGNERS[number % 2], NONCES[number // 2 % 5]
    kind = number % 4
    if kind == 0:
        buy, sell = DIGESTS[number // 4 % 3], (bytes(32), *DIGESTS)[number // 12 % 4]
        return Event("Settled", block, {"buyHash": buy, "sellHash": sell, "quantityWad": number + 1})
    if kind == 1:
        mask = 1 << (nonce & 255)
        return Event("NoncesCancelled", block, {"signer": signer, "wordPos": nonce >> 8, "mask": mask})
    if kind == 2:
        return Event("NoncesCancelledBelow", block, {"signer": signer, "nonce": nonce})
    return Event("InstrumentPauseSet", block, {"instrument": number // 4 % 2, "paused": number // 8 % 2 == 0})


STEP = st.one_of(
    st.tuples(st.just("event"), st.integers(0, 10**6)),
    st.tuples(st.just("event"), st.integers(0, 10**6)),
    st.tuples(st.just("block"), st.integers(1, 3)),
    st.tuples(st.just("fork"), st.integers(0, 4)),
    st.tuples(st.just("keep"), st.integers(0, 6)),
    st.tuples(st.just("restart"), st.just(0)),
)


def same(ledger, model, now_ts):
    for digest in ("0x" + one.hex() for one in DIGESTS):
        assert ledger.filled_wad(digest) == model.filled_wad(digest)
    for signer in SIGNERS:
        for nonce in NONCES:
            assert ledger.is_cancelled(signer, nonce) == model.is_cancelled(signer, nonce), (signer, nonce)
    for instrument in (0, 1):
        assert ledger.is_paused(instrument, now_ts) == model.is_paused(instrument, now_ts)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request):
    """The default, and a real server."""
    is_default = request.param == "sqlite"
    found = open_database("sqlite://" if is_default else request.getfixturevalue("postgres").new_database())
    upgrade(found)
    yield found
    found.dispose()


@given(st.lists(STEP, min_size=10, max_size=40))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ledger__any_history__answers_as_the_events_do(database, steps):
    with writing(database) as connection:
        connection.execute(delete(LEDGER))
        connection.execute(delete(ABOUT))
    asyncio.run(follow(database, steps))


async def follow(database, steps):
    ledger, model, block = ExchangeLedger(LedgerStore(database)), Model(), 1
    for name, number in steps:
        kept = ledger.block_number or 0
        if name == "event":
            event = happened(number, block)
            ledger.apply(event)
            model.events.append(event)
        elif name == "block":
            block += number
        elif name == "fork":
            fork = max(kept, block - number)
            ledger.roll_back(fork)
            model.events = [event for event in model.events if event.block_number <= fork]
            block = fork + 1
        elif name == "keep":
            final = max(kept, block - 1 - number)
            await ledger.keep(final)
        else:
            ledger = ExchangeLedger(LedgerStore(database))
            for event in model.events:
                if event.block_number > kept:
                    ledger.apply(event)
        if number % 2:
            await ledger.know(["0x" + one.hex() for one in DIGESTS], [(SIGNERS[0], NONCES[3])])
        same(ledger, model, 1_000 * block + (DAY_SEC if number % 5 == 0 else 0))
