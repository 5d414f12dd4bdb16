"""Reorganisations: what was mined, in whatever state, is pursued again when its block goes."""

import asyncio
from dataclasses import replace

import pytest
from helpers.lab import ONCE, QUICK, Bench, chain, effect
from helpers.rpc_proxy import RpcProxy

from plimsoll.transact.event import Notice

#: Final as soon as it is mined: what the first keeper's users had set, and what a settlement was lost by.
HASTY = replace(QUICK, confirmations=1)


@pytest.fixture
def fresh():
    with chain() as running:
        yield running


def go(work):
    return asyncio.run(work)


@pytest.mark.parametrize("reached", ["sent", "included", "done"])
def test_advance__block_reorganised_away__is_pursued_again_from_any_state(tmp_path, fresh, reached):
    async def work():
        async with Bench(tmp_path, [fresh.url], HASTY if reached == "done" else QUICK) as bench:
            await bench.submit(effect(1), effect(2))
            fresh.mine(2)
            if reached != "sent":
                seen = await bench.advance()
                assert (seen == {"effect:1": "done", "effect:2": "done"}) is (reached == "done")
            fresh.reorganise(2)
            assert (fresh.count(1), fresh.used(), fresh.pool()) == (0, 0, 0)
            await bench.advance()
            assert bench.states() == {"effect:1": "sent", "effect:2": "sent"}
            assert fresh.pool() == 2
            assert (Notice.REOPENED in bench.notices()) is (reached != "sent")
            assert await bench.settle(fresh) == {"effect:1": "done", "effect:2": "done"}
        assert (fresh.count(1), fresh.count(2), fresh.used()) == (1, 1, 2)

    go(work())


def test_advance__only_the_upper_block_goes__the_lower_one_stays(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url], HASTY) as bench:
            await bench.submit(effect(1))
            fresh.mine()
            await bench.submit(effect(2))
            fresh.mine()
            await bench.advance()
            fresh.reorganise(1)
            await bench.advance()
            assert bench.states() == {"effect:2": "sent"}
            assert await bench.settle(fresh) == {"effect:2": "done"}
        assert (fresh.count(1), fresh.count(2), fresh.used()) == (1, 1, 2)

    go(work())


def test_advance__reorganised_while_the_keeper_was_down__is_pursued_again(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url], HASTY) as bench:
            await bench.submit(effect(1))
            fresh.mine()
            assert await bench.advance() == {"effect:1": "done"}
        fresh.reorganise(1)
        async with Bench(tmp_path, [fresh.url], HASTY) as bench:
            # A submission before the first advance keeps clear of the nonce that is about to be pursued again.
            assert (await bench.submit(effect(2))).nonce == 1
            assert await bench.settle(fresh) == {"effect:1": "done", "effect:2": "done"}
        assert (fresh.count(1), fresh.count(2), fresh.used()) == (1, 1, 2)

    go(work())


def test_advance__mined_again_in_another_block__needs_nothing_sent(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url], HASTY) as bench:
                await bench.submit(effect(1))
                raw = "0x" + bench.entries()[0].raw.hex()
                fresh.mine()
                await bench.advance()
                fresh.reorganise(1)
                fresh.rpc("eth_sendRawTransaction", raw)
                fresh.mine()
                assert await bench.settle(fresh) == {"effect:1": "done"}
        assert (fresh.count(1), fresh.used()) == (1, 1)

    go(work())


def test_advance__older_round_wins_after_the_reorganisation__the_newer_one_follows(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url], HASTY) as bench:
            await bench.submit(effect(1, ONCE, replaces="prices"))
            older = "0x" + bench.entries()[0].raw.hex()
            await bench.submit(effect(2, ONCE, replaces="prices"))
            fresh.mine()
            assert await bench.advance() == {"effect:1": "replaced", "effect:2": "done"}
            fresh.reorganise(1)
            fresh.rpc("eth_sendRawTransaction", older)
            fresh.mine()
            seen = await bench.settle(fresh)
            assert seen["effect:2"] in ("done", "already done")
        assert (fresh.count(1), fresh.count(2)) == (1, 1)

    go(work())


def test_advance__reorganisation_below_the_watched_depth__is_left_to_the_index(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url], replace(HASTY, watch_blocks=3)) as bench:
            await bench.submit(effect(1))
            fresh.mine()
            await bench.advance()
            fresh.mine(6)
            fresh.reorganise(7)
            assert await bench.advance() == {}
            assert bench.entries() == []

    go(work())


def test_advance__mined_without_effect_and_reorganised__is_judged_anew(tmp_path, fresh):
    async def work():
        code = fresh.rpc("eth_getCode", effect(1).target, "latest")
        async with Bench(tmp_path, [fresh.url], HASTY) as bench:
            await bench.submit(effect(1))
            fresh.rpc("anvil_setCode", effect(1).target, "0x60006000fd")
            fresh.mine()
            assert await bench.advance() == {"effect:1": "reverted"}
            assert bench.entries() == []
            fresh.reorganise(1)
            fresh.rpc("anvil_setCode", effect(1).target, code)
            assert await bench.settle(fresh) == {"effect:1": "done"}
        assert (fresh.count(1), fresh.used()) == (1, 1)

    go(work())
