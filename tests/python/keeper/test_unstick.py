"""``keeper status`` and ``keeper unstick`` as an operator uses them: nothing is mined, and the keeper was killed."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager

import pytest
from helpers.keeper_runs import Process, receipts, until

from plimsoll.cli import run


@contextmanager
def without_mining(client):
    """Let nothing be mined for a while; what waits then is forgotten: the chain is about to be set back."""
    client.rpc("evm_setAutomine", False)
    try:
        yield
    finally:
        client.rpc("anvil_dropAllTransactions")
        client.rpc("evm_setAutomine", True)


def said(capsys, *arguments):
    """Run a command that must succeed; return what it printed."""
    capsys.readouterr()
    assert run(["keeper", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def open_now(capsys, path):
    """Return what the signer has open, by key."""
    document = json.loads(said(capsys, "status", "--config", path, "--json"))
    return {line["key"]: line for line in document["liquidations"]["open"]}


@pytest.fixture
def stuck(keeper_chain, config, tmp_path):
    """A keeper that was killed while what it had sent waited for a block."""
    chain = keeper_chain
    path = config(chain.keeper)
    chain.post(1_600.0)
    with without_mining(chain.client):
        process = Process(path, tmp_path / "keeper.log", "--once")
        until(lambda: "margin-call" in process.log.read_text(), process.log.read_text)
        process.end(signal.SIGKILL)
        yield chain, path


def test_status__pending__shows_intents_in_80_columns(stuck, capsys, monkeypatch):
    chain, path = stuck
    monkeypatch.setenv("COLUMNS", "80")
    shown = said(capsys, "status", "--config", path)
    short = chain.traders[1].account_id
    assert f"start:{short}:0" in shown, shown
    assert max(map(len, shown.splitlines())) <= 80, shown
    assert chain.keeper.address in shown


def test_unstick__pending__is_replaced_at_a_higher_fee_and_lands_once(stuck, capsys):
    chain, path = stuck
    called, short, _ = (holder.account_id for holder in chain.traders)
    before = open_now(capsys, path)
    lines = said(capsys, "unstick", "--config", path).splitlines()
    after = open_now(capsys, path)
    assert set(after) == set(before)
    assert len(lines) == len(before), lines
    for key, line in before.items():
        assert after[key]["nonce"] == line["nonce"]
        # Below a tenth more nodes refuse a replacement, though not the one of this test.
        assert 10 * after[key]["max_fee_wei"] >= 11 * line["max_fee_wei"]
        assert len(after[key]["hashes"]) == len(line["hashes"]) + 1
    chain.client.rpc("evm_mine")
    chain.sync()
    assert set(chain.state.auctions) == {short}
    assert chain.effects.called == {called}
    sent = receipts(chain, chain.keeper)
    assert sorted(receipt["transactionHash"] for receipt in sent) == sorted(
        line["hashes"][-1] for line in after.values()
    )


def test_unstick__fee_cap_in_the_way__says_so_line_by_line(stuck, capsys):
    _, path = stuck
    before = open_now(capsys, path)
    words = path.read_text(encoding="utf-8").replace("[transact]", "[transact]\nmax_fee_wei = 1")
    path.write_text(words, encoding="utf-8")
    lines = said(capsys, "unstick", "--config", path).splitlines()
    assert len(lines) == len(before)
    assert all(": left as it is: " in line and line.endswith("transact.max_fee_wei is 1") for line in lines), lines
    assert {key: line["hashes"] for key, line in open_now(capsys, path).items()} == {
        key: line["hashes"] for key, line in before.items()
    }


def test_unstick__cancel__sends_nothing_but_empty_transfers(stuck, capsys):
    chain, path = stuck
    before = open_now(capsys, path)
    said(capsys, "unstick", "--config", path, "--cancel")
    chain.client.rpc("evm_mine")
    chain.sync()
    assert not chain.state.auctions
    assert not chain.effects.called
    sent = receipts(chain, chain.keeper)
    assert len(sent) == len(before)
    assert all(receipt["gasUsed"] == hex(21_000) for receipt in sent)


def test_unstick__signer_without_a_key__is_one_line_and_exit_code_2(keeper_chain, config, capsys):
    path = config(keeper_chain.keeper)
    assert run(["keeper", "unstick", "--config", str(path), "--signer", "prices"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: --signer: 'prices' is none of liquidations")
