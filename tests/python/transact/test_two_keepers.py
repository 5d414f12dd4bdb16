"""Two keepers at once: with one key and one database, with one key and two, with two keys."""

import asyncio

import pytest
from helpers.lab import ETHER, KEEPER, ONCE, Bench, chain, effect

from plimsoll.chain.anvil import wallet
from plimsoll.transact.intent import Result


@pytest.fixture
def fresh():
    with chain() as running:
        yield running


def go(work):
    return asyncio.run(work)


async def settle_all(running, *benches):
    for _ in range(30):
        await asyncio.gather(*(bench.advance() for bench in benches))
        if not any(bench.entries() for bench in benches):
            return
        running.mine()
    raise AssertionError([bench.entries() for bench in benches])


def test_two__one_key_and_one_database__share_the_journal(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url]) as one, Bench(tmp_path, [fresh.url]) as two:
            await asyncio.gather(*(bench.look() for bench in (one, two)))
            intents = [effect(n) for n in range(12)]
            submitted = await asyncio.gather(
                one.transactor.submit_all(intents),
                two.transactor.submit_all(intents[::-1]),
                one.transactor.submit_all(intents[6:]),
            )
            nonces = {
                ticket.key: ticket.nonce for tickets in submitted for ticket in tickets if ticket.nonce is not None
            }
            assert sorted(nonces.values()) == list(range(12))
            await settle_all(fresh, one, two)
        assert [fresh.count(n) for n in range(12)] == [1] * 12
        assert fresh.used() == 12

    go(work())


def test_two__one_key_and_two_databases__no_effect_twice(tmp_path, fresh):
    async def work():
        folders = [tmp_path / name for name in ("a", "b")]
        for folder in folders:
            folder.mkdir()
        async with Bench(folders[0], [fresh.url]) as one, Bench(folders[1], [fresh.url]) as two:
            for n in range(6):
                await asyncio.gather(one.submit(effect(n, ONCE)), two.submit(effect(n, ONCE)))
                fresh.mine(2)
                await asyncio.gather(one.advance(), two.advance())
            await settle_all(fresh, one, two)
        assert [fresh.count(n) for n in range(6)] == [1] * 6

    go(work())


def test_two__two_keys__the_second_to_be_mined_is_already_done(tmp_path, fresh):
    async def work():
        other = wallet("second keeper")
        fresh.rpc("anvil_setBalance", other.address, hex(ETHER))
        fresh.mine()
        async with Bench(tmp_path, [fresh.url]) as one, Bench(tmp_path, [fresh.url], account=other) as two:
            await one.submit(effect(1, ONCE))
            await two.submit(effect(1, ONCE))
            fresh.mine()
            seen = [await one.advance(), await two.advance()]
            assert sorted(map(str, seen)) == ["{'effect:1': 'already done'}", "{}"]
            await settle_all(fresh, one, two)
        assert fresh.count(1) == 1
        assert (fresh.used(KEEPER.address), fresh.used(other.address)) == (1, 1)

    go(work())


def test_two__standby__sends_nothing_until_it_may(tmp_path, fresh):
    async def work():
        leads = [False]
        async with Bench(tmp_path, [fresh.url]) as one, Bench(tmp_path, [fresh.url], may_send=lambda: leads[0]) as two:
            await one.submit(effect(1))
            fresh.forget()
            assert (await two.submit(effect(2))).outcome.result is Result.STANDBY
            await two.advance()
            assert fresh.pool() == 0
            leads[0] = True
            await two.advance()
            assert fresh.pool() == 1
            await settle_all(fresh, two)
        assert (fresh.count(1), fresh.used()) == (1, 1)

    go(work())
