"""The whole keeper with collateral on another chain: from its file to both chains, beside its other duties."""

from __future__ import annotations

import json
import signal
import socket
import time
from dataclasses import replace

import pytest
from helpers.keeper_runs import PASSWORD, Process, keystore, made, until
from helpers.local_chain import MARKET, LocalChain, shifted
from helpers.two_chains import AWAY_ID, RELAYER, SIGNERS, THRESHOLD, WAD, finalise, two_chains

from plimsoll.cli import run
from plimsoll.errors import InputError
from plimsoll.files.market import load_market

BEFORE_SEC = 3_600
#: Nobody listens there.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def pair():
    start_ts = int(time.time()) - BEFORE_SEC
    with two_chains(start_ts) as found:
        yield found


def write(folder, pair, *more, urls=None, sender=True, keys=SIGNERS[:THRESHOLD]):
    """Write the file of a keeper with one signer of each chain."""
    pair.deployment.save(folder / "deployment.json")
    pair.record.save(folder / "escrow.json")
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    keystore(folder, "prices", RELAYER)
    words = [
        *("[keeper]", 'deployment = "deployment.json"', "interval_sec = 0.3"),
        *("[chain]", f'endpoints = ["{pair.home.url}"]'),
        *("[signers.prices]", 'keystore = "prices.json"', 'pass_file = "password"'),
        *("[web]", 'bind = "127.0.0.1:0"'),
        *("[remote]", 'escrow = "escrow.json"', f"endpoints = {json.dumps(urls or [pair.away.url])}"),
        *("interval_sec = 0.0", "header_sec = 0.0", "timeout_sec = 2.0", *more),
    ]
    if sender:
        words += ["[remote.sender]", 'keystore = "prices.json"', 'pass_file = "password"']
    for place, key in enumerate(keys):
        keystore(folder, f"header{place}", key)
        words += ["[[remote.keys]]", f'keystore = "header{place}.json"', 'pass_file = "password"']
    path = folder / "keeper.toml"
    path.write_text("\n".join(words), encoding="utf-8")
    return path


def keys_of(lines):
    return [line.split(":")[0] for line in lines if ":" in line.split()[0]]


def test_keeper__once_and_once_more__claims_and_releases(pair, tmp_path):
    owner = pair.wallet()
    path = write(tmp_path, pair, 'attest = "127.0.0.1:0"')
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    assert "header" in keys_of(made(path, once=True))
    dry = made(path, dry_run=True)
    assert any(line.startswith("claim:rETH:") and " done " in line for line in dry), dry
    assert pair.held(owner) == 0
    assert "claim" in keys_of(made(path, once=True))
    assert pair.held(owner) == 5 * WAD
    pair.redeem(owner, 2 * WAD)
    for _ in range(2):
        finalise(pair.home)
        lines = made(path, once=True)
    assert "unlock" in keys_of(lines)
    assert pair.owned(owner) == 2 * WAD


def test_keeper__other_chain_away__does_its_other_duties(pair, tmp_path):
    """From the start: its nodes are asked for nothing before the loop."""
    chain = LocalChain(pair.world, shifted(load_market(MARKET), int(time.time()) - BEFORE_SEC))
    maker = pair.world.open("maker", 0, 5_000_000.0, by_permit=False)
    short = chain.trader("short", maker, 12_500, chain.perp(20.0))
    chain.post(1_600.0)
    path = write(tmp_path, pair, urls=[NOWHERE])
    words = path.read_text(encoding="utf-8").replace("[signers.prices]", "[signers.liquidations]")
    path.write_text(words, encoding="utf-8")
    made(path, once=True)
    chain.sync()
    assert set(chain.state.auctions) == {short.account_id}


def test_keeper__process__carries_survives_a_kill_and_tells_what_waits(pair, tmp_path):
    path = write(tmp_path, pair)
    text = path.read_text(encoding="utf-8") + "\n[standby]\nlease_sec = 4.0\ndelay_sec = 0.2\nmargin_sec = 1.0\n"
    path.write_text(text, encoding="utf-8")
    owner = pair.wallet()
    first = Process(path, tmp_path / "first.log")
    until(lambda: "keeper started" in first.log.read_text(), first.log.read_text)
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    until(lambda: "header:10:" in first.log.read_text(), first.log.read_text)
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    second = Process(path, tmp_path / "second.log")

    def is_claimed():
        finalise(pair.home)
        return pair.held(owner) == 5 * WAD

    until(is_claimed, second.log.read_text)
    pair.redeem(owner, 3 * WAD)

    def is_released():
        finalise(pair.home, pair.away)
        return pair.owned(owner) == 3 * WAD

    until(is_released, second.log.read_text)
    assert second.end() == 0, second.log.read_text()
    assert pair.claims.call("claimedRaw", pair.token.address, owner.address) == 5 * WAD
    assert "Traceback" not in first.log.read_text() + second.log.read_text()


def test_status__names_the_signer_of_the_other_chain__also_while_it_is_away(pair, tmp_path, capsys):
    path = write(tmp_path, pair)
    made(path, once=True)
    assert run(["keeper", "status", "--config", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"prices", "remote"}
    path = write(tmp_path, pair, urls=[NOWHERE])
    assert run(["keeper", "status", "--config", str(path), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"prices"}


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("escrow", "the deployment claims against 0x"),
        ("home", f"the escrow's home is chain 5, the deployment is of {31_337}"),
        ("none", "schema is not plimsoll.escrow/1"),
    ],
)
def test_keeper__record_of_another_escrow__is_refused_at_the_start(pair, tmp_path, what, message):
    path, record = write(tmp_path, pair), pair.record
    if what == "escrow":
        record = replace(record, contracts={**record.contracts, "RemoteEscrow": RELAYER.address})
    if what == "home":
        record = replace(record, home_chain_id=5)
    record.save(tmp_path / "escrow.json")
    if what == "none":
        (tmp_path / "escrow.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=message):
        made(path, once=True)


def test_keeper__address_of_attestations_taken__is_refused_at_the_start(pair, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        path = write(tmp_path, pair, f'attest = "127.0.0.1:{taken.getsockname()[1]}"')
        with pytest.raises(InputError, match=r"remote.attest: 127.0.0.1:\d+ cannot be listened on"):
            made(path, once=True)


def test_keeper__quorum_above_its_nodes_or_no_signer__is_refused(pair, tmp_path):
    path = write(tmp_path, pair, "quorum = 2")
    with pytest.raises(InputError, match=r"remote.quorum: 2 is above the number of remote.endpoints, 1"):
        made(path, once=True)
    path = write(tmp_path, pair, urls=[pair.away.url, pair.away.url])
    with pytest.raises(InputError, match=r"remote.endpoints: the same address twice"):
        made(path, once=True)
    words = write(tmp_path, pair).read_text(encoding="utf-8")
    start = words.index("[signers.prices]")
    path.write_text(words[:start] + words[words.index("[web]") :], encoding="utf-8")
    with pytest.raises(InputError, match="signers: missing; somebody has to send the claims"):
        made(path, once=True)
    assert pair.record.chain_id == AWAY_ID
