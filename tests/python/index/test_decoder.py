"""The decoder that is built for each event gives what the general one gives, for every event of the deployment."""

from __future__ import annotations

import random

import pytest
from eth_abi.abi import encode

from plimsoll.chain.abi import canonical_type, decode_event, load_artifact
from plimsoll.index.bloom import Watch, mask_of
from plimsoll.index.decoder import Decoder, LogError
from plimsoll.index.state import SOURCES
from plimsoll.index.wire import Log

HASH = "0x" + "ab" * 32
ADDRESSES = {name: "0x" + f"{place + 1:040x}" for place, name in enumerate(SOURCES)}
EVENTS = [(name, event) for name in SOURCES for event in load_artifact(name).events.values()]


def value_of(kind, components, draw):
    if kind.endswith("]"):
        return [value_of(kind[: kind.rindex("[")], components, draw) for _ in range(draw.randrange(3))]
    if kind == "tuple":
        return tuple(value_of(c["type"], c.get("components"), draw) for c in components)
    if kind.startswith("uint"):
        return draw.choice([0, 1, draw.getrandbits(int(kind[4:])), 2 ** int(kind[4:]) - 1])
    if kind.startswith("int"):
        half = 2 ** (int(kind[3:]) - 1)
        return draw.choice([0, -1, half - 1, -half, draw.randrange(-half, half)])
    if kind.startswith("bytes") and kind != "bytes":
        return draw.randbytes(int(kind[5:]))
    return {
        "bool": draw.random() < 0.5,
        "address": "0x" + draw.randbytes(20).hex(),
        "bytes": draw.randbytes(5),
        "string": "ü",
    }[kind]


@pytest.mark.parametrize(("contract", "event"), EVENTS, ids=lambda item: getattr(item, "name", item))
def test_decode__every_event__equals_the_general_decoder(contract, event):
    draw, decoder = random.Random(event.topic), Decoder(ADDRESSES)
    for _ in range(5):
        values = [value_of(e["type"], e.get("components"), draw) for e in event.inputs]
        pairs = list(zip(event.inputs, values, strict=True))
        topics = [event.topic, *("0x" + encode([e["type"]], [v]).hex() for e, v in pairs if e["indexed"])]
        plain = [(canonical_type(e), v) for e, v in pairs if not e["indexed"]]
        data = encode([kind for kind, _ in plain], [v for _, v in plain])
        packed = bytes.fromhex("".join(topic[2:] for topic in topics))
        log = Log(5, 6, HASH, HASH, bytes.fromhex(ADDRESSES[contract][2:]), packed, data)
        found = decoder.decode(log, 99)
        name, expected = decode_event(event, {"topics": topics, "data": "0x" + data.hex()})
        assert (found.name, found.contract, dict(found.values)) == (name, contract, vars(expected))


def test_decode__data_or_topics_of_another_length__is_one_typed_error():
    decoder, name = Decoder(ADDRESSES), "Accounts"
    event = next(e for e in load_artifact(name).events.values() if e.name == "CashChanged")
    topic, address = bytes.fromhex(event.topic[2:]), bytes.fromhex(ADDRESSES[name][2:])
    for topics, data in ((topic + bytes(32), bytes(95)), (topic, bytes(96)), (topic + bytes(64), bytes(96))):
        with pytest.raises(LogError, match=r"is no Accounts\.CashChanged"):
            decoder.decode(Log(5, 6, HASH, HASH, address, topics, data), 1)


def test_bloom__pairs_in_it__are_possible_and_others_mostly_not():
    decoder = Decoder(ADDRESSES)
    watch = Watch(decoder.topics)
    pairs = [(address, topic) for address, topics in decoder.topics.items() for topic in topics]
    alarms = 0
    for address, topic in pairs:
        bits = mask_of(address) | mask_of(topic)
        bloom = bits.to_bytes(256, "big")
        assert (address, topic) in watch.possible(bloom)
        assert not watch.excludes(bloom, address, topic)
        assert watch.excludes(bloom, address, bytes(32))
        alarms += len(watch.possible(bloom)) - 1
    assert alarms < len(pairs) / 20
    assert watch.possible(bytes(256)) == set()
