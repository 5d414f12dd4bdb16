"""The whole keeper on a real chain: from its file to what it sends, and what it says about it."""

from __future__ import annotations

import signal
import socket
from urllib.request import urlopen

from helpers.keeper_runs import Process, made, receipts, until
from sqlalchemy import text

from plimsoll.storage import open_database


def test_run__once__starts_auctions_and_calls_for_margin(keeper_chain, config):
    chain = keeper_chain
    called, short, _ = (holder.account_id for holder in chain.traders)
    chain.post(1_600.0)
    lines = made(config(chain.keeper), once=True)
    chain.sync()
    assert set(chain.state.auctions) == {short}, lines
    assert chain.effects.called == {called}, lines
    assert any(line.split()[:2] == [f"start:{short}:0", "done"] for line in lines), lines


def test_run__dry_run__says_what_it_would_do_and_sends_nothing(keeper_chain, config):
    chain = keeper_chain
    called, short, _ = (holder.account_id for holder in chain.traders)
    chain.post(1_600.0)
    before = chain.client.rpc("eth_getTransactionCount", chain.keeper.address, "latest")
    lines = made(config(chain.keeper), dry_run=True)
    shown = {line.split()[0]: line for line in lines if not line.startswith(" ")}
    for key in (f"start:{short}:0", f"margin-call:{called}:0"):
        _, result, gas, gas_word, cost, unit = shown[key].split()[:6]
        assert (result, gas_word, unit) == ("done", "gas", "coin"), shown[key]
        assert int(gas.replace(",", "")) > 21_000, shown[key]
        assert float(cost) > 0, shown[key]
    below = lines[lines.index(shown[f"start:{short}:0"]) + 1]
    assert below.startswith("    equity "), lines
    assert lines[-1].startswith("dry run, nothing was sent"), lines
    # One below the other, and within a terminal of 80 columns.
    assert len({line.index(" gas ") for line in lines if " gas " in line}) == 1, lines
    assert max(map(len, lines)) <= 80, lines
    assert chain.client.rpc("eth_getTransactionCount", chain.keeper.address, "latest") == before
    chain.sync()
    assert not chain.state.auctions


def test_run__dry_run_beside_a_keeper_with_the_same_file__leaves_it_alone(keeper_chain, config):
    path = config(keeper_chain.keeper)
    with socket.socket() as keeper:
        keeper.bind(("127.0.0.1", 0))
        keeper.listen()
        bind = f"127.0.0.1:{keeper.getsockname()[1]}"
        path.write_text(path.read_text(encoding="utf-8").replace("127.0.0.1:0", bind), encoding="utf-8")
        keeper_chain.post(1_600.0)
        assert made(path, dry_run=True)[-1].startswith("dry run, nothing was sent")
    with open_database(f"sqlite:///{path.parent / 'keeper.sqlite'}").connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM lease")).scalar() == 0


def test_run__dry_run_with_nothing_to_do__says_so(keeper_chain, config):
    keeper_chain.post(1_900.0)
    made(config(keeper_chain.keeper), once=True)
    assert made(config(keeper_chain.keeper), dry_run=True) == ["nothing to do"]


def test_run__bidder__takes_the_slice_that_pays(keeper_chain, config):
    chain = keeper_chain
    _, short, _ = (holder.account_id for holder in chain.traders)
    path = config(chain.bidder.wallet, "[liquidation]", f"bidder = {chain.bidder.account_id}")
    chain.post(1_600.0)
    made(path, once=True)
    chain.wait(600)
    lines = made(path, once=True)
    chain.sync()
    assert chain.effects.ends == {short: 1}, lines


def test_run__gas_above_the_cap_of_bids__bids_nothing(keeper_chain, config):
    chain = keeper_chain
    short = chain.traders[1].account_id
    bidder = ("[liquidation]", f"bidder = {chain.bidder.account_id}")
    chain.post(1_600.0)
    made(config(chain.bidder.wallet, *bidder), once=True)
    chain.wait(600)
    lines = made(config(chain.bidder.wallet, *bidder, "max_gas_price_wei = 1"), once=True)
    assert not any(line.startswith(f"bid:{short}:") for line in lines), lines
    chain.sync()
    assert set(chain.state.auctions) == {short}


def test_run__process__tells_what_a_signer_has_and_alerts_below_the_limit(keeper_chain, config, tmp_path):
    chain = keeper_chain
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = config(chain.keeper)
    words = path.read_text(encoding="utf-8").replace("127.0.0.1:0", f"127.0.0.1:{port}")
    path.write_text(words.replace("[transact]", f"[transact]\nlow_balance_wei = {10**24}"), encoding="utf-8")
    chain.client.rpc("anvil_setBalance", chain.keeper.address, hex(10**18))
    process = Process(path, tmp_path / "keeper.log")

    def shown():
        try:
            return urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
        except OSError:
            return ""

    until(lambda: 'plimsoll_balance_wei{signer="liquidations"} 1e+18' in shown(), process.log.read_text)
    until(lambda: "kind=low-balance" in process.log.read_text(), process.log.read_text)
    assert process.end() == 0


def test_run__process__acts_on_a_new_round_survives_a_kill_and_ends_with_0(keeper_chain, config, tmp_path):
    chain = keeper_chain
    called, short, _ = (holder.account_id for holder in chain.traders)
    # A killed leader leaves its lease behind, and the next one waits for its end.
    path = config(chain.keeper, "[standby]", "lease_sec = 4.0", "delay_sec = 0.2", "margin_sec = 1.0")
    first = Process(path, tmp_path / "first.log")
    until(lambda: "keeper started" in first.log.read_text(), first.log.read_text)
    chain.post(1_600.0)

    def has_acted():
        chain.sync()
        return set(chain.state.auctions) == {short} and chain.effects.called == {called}

    until(has_acted, first.log.read_text)
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    second = Process(path, tmp_path / "second.log")
    until(lambda: "keeper started" in second.log.read_text(), second.log.read_text)
    chain.post(1_900.0)

    def has_ended():
        chain.sync()
        return not chain.state.auctions and not chain.effects.called

    until(has_ended, second.log.read_text)
    assert second.end() == 0, second.log.read_text()
    # Each effect once, and nothing that reverted.
    effects = chain.effects
    assert (effects.starts, effects.ends, effects.notes) == ({short: 1}, {short: 1}, {called: 2})
    sent = receipts(chain, chain.keeper)
    assert sent
    assert all(receipt["status"] == "0x1" for receipt in sent)
    assert "Traceback" not in first.log.read_text() + second.log.read_text()
