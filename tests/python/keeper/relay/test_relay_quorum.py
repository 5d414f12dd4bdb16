"""A quorum of header signatures that is spread over keepers."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from helpers.relay_runs import keys_of, other_header
from helpers.rpc_proxy import RpcProxy
from helpers.two_chains import (
    AWAY_ID,
    HOSTILE,
    SIGNERS,
    WAD,
    Open,
    Relay,
    finalise,
)

from plimsoll.errors import PlimsollError
from plimsoll.remote.headers import header_at


def others(pair, folder, *keys, urls=()):
    """Another keeper with keys of its own, that gives signatures."""
    folder.mkdir()
    return Open(Relay(pair, folder, keys=keys, urls=urls, attest="127.0.0.1:0"))


def test_relay__quorum_over_two_keepers__each_signs_what_its_own_nodes_call_final(pair, tmp_path):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)

    async def whole():
        async with others(pair, tmp_path / "other", SIGNERS[0]) as other:
            services = [other.relayer.attester.address]
            async with Open(Relay(pair, tmp_path, keys=SIGNERS[1:2], services=services)) as mine:
                return [keys_of(await mine.step()) for _ in range(2)]

    assert asyncio.run(whole()) == [["header"], ["claim"]]
    assert pair.held(owner) == 5 * WAD


def test_relay__other_keepers_lie_refuse_or_are_away__posts_nothing_and_names_them(pair, tmp_path):
    """Keys that are no signer's, the own key over again, a page that is none, nobody, a node of another view."""
    pair.lock(pair.wallet(), 5 * WAD)
    finalise(pair.away)

    async def whole(proxy):
        async with (
            others(pair, tmp_path / "stranger", HOSTILE) as stranger,
            others(pair, tmp_path / "twin", SIGNERS[1]) as twin,
            others(pair, tmp_path / "behind", SIGNERS[0], urls=[proxy.url]) as behind,
        ):
            proxy.add(other_header(stateRoot="0x" + "66" * 32))
            services = [one.relayer.attester.address for one in (stranger, twin, behind)]
            services += [pair.away.url, "http://127.0.0.1:9"]
            async with Open(Relay(pair, tmp_path, keys=SIGNERS[1:2], services=services)) as mine:
                found = await mine.step()
                proxy.clear()
                return found, keys_of(await mine.step())

    with RpcProxy(pair.away.url) as proxy:
        found, later = asyncio.run(whole(proxy))
    assert found.deeds == []
    text = found.alerts["claims signatures"]
    assert text.startswith("1 of 2 signatures")
    for words in (" here;", "the answer is no attestation", "no answer (ClientConnectorError)"):
        assert words in text, text
    # The one whose node was wrong sees the chain again.
    assert later == ["header"]


def test_attester__what_is_not_final_or_not_there__is_refused(pair, tmp_path):
    finalise(pair.away)
    newest, final = header_at(pair.away, "latest"), header_at(pair.away, "finalized")

    async def refused(attester, *asked):
        with pytest.raises(PlimsollError) as problem:
            await attester.attest(*asked)
        return str(problem.value)

    async def whole():
        async with others(pair, tmp_path / "one", SIGNERS[0]) as one:
            attester = one.relayer.attester
            assert set(await attester.attest(AWAY_ID, final.number, final.block_hash)) == {SIGNERS[0].address}
            older = header_at(pair.away, hex(final.number - 1))
            assert await attester.attest(AWAY_ID, older.number, older.block_hash)
            texts = [
                await refused(attester, AWAY_ID, newest.number, newest.block_hash),
                await refused(attester, AWAY_ID, final.number - 2, b"\1" * 32),
                await refused(attester, 5, final.number, final.block_hash),
                await refused(attester, AWAY_ID, final.number, b"\1" * 32),
            ]
            async with aiohttp.ClientSession() as session:
                for path in ("x/1/0x00", "10/y/0x00", "10/1/0xzz"):
                    async with session.get(f"{attester.address}/attest/{path}") as response:
                        assert response.status == 400
                async with session.get(f"{attester.address}/attest/10/1/0x00") as response:
                    assert (response.status, list(await response.json())) == (409, ["reason"])
            return texts

    early, other, foreign, second = asyncio.run(whole())
    assert "is not final" in early
    assert f"block {final.number - 2} is 0x" in other
    assert "chain 5 is none of 10, 31337" in foreign
    assert "another hash of block" in second
