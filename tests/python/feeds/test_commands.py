"""The commands as processes: three signers, a poster that asks them, a settlement by hand, an orderly end."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from eth_account import Account
from helpers.feed_poster import Poster
from helpers.feed_world import RELAYER, SIGNERS, Market, World, reading
from typer.testing import CliRunner

from plimsoll.cli import build_app
from plimsoll.feeds.document import document_of

PASSWORD = "of no value"  # noqa: S105 (of throw-away keys)


@pytest.fixture(autouse=True)
def _logs_as_they_were(monkeypatch):
    """The commands send logs to the standard error of this moment, which a test runner closes."""
    monkeypatch.setattr("plimsoll.cli.logs.log_to_stderr", lambda _level: None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def keystore(folder: Path, name: str, account) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(Account.encrypt(account.key, PASSWORD, kdf="pbkdf2", iterations=2)))
    return path


@pytest.fixture
def files(world: World, tmp_path):
    """Deployment, password and the market as documents on disk."""
    world.deployment.save(tmp_path / "deployment.json")
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "feed.json").write_text(json.dumps(document_of(reading(world.now), world.now)))
    return tmp_path


def signer_process(world: World, files: Path, number: int, port: int):
    """A process of its own, forked so that it does not import everything once more."""
    arguments = [
        *("signer", "run", "--rpc", world.url, "--deployment", str(files / "deployment.json")),
        *("--keystore", str(keystore(files, f"signer-{number}", SIGNERS[number]))),
        *("--pass-file", str(files / "password"), "--feed", f"file:{files / 'feed.json'}"),
        *("--port", str(port), "--database", f"sqlite:///{files / f'signer-{number}.sqlite'}"),
    ]

    def work():
        log = os.open(files / f"signer-{number}.log", os.O_CREAT | os.O_WRONLY)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        build_app("signer")(arguments, standalone_mode=True)

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def until_healthy(url: str) -> dict:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:  # noqa: S310 (a test's own server)
                return json.load(answer)
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} did not start")


def test_signer_run__three_processes__sign_what_the_oracle_accepts_and_end_with_0(world, files, engine):
    ports = [free_port() for _ in SIGNERS]
    processes = [signer_process(world, files, number, port) for number, port in enumerate(ports)]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    try:
        assert [until_healthy(url)["address"] for url in urls] == [s.address for s in SIGNERS]
        poster = Poster(world, engine, Market("own", reading(world.now)), urls)
        assert {post.group for post in poster.posts().posts} == {"tokens", "round:ETH", "round:BTC"}
        processes[0].kill()
    finally:
        for process in processes:
            if process.is_alive():
                os.kill(process.pid, signal.SIGTERM)
        for process in processes:
            process.join(20)
    logged = [(files / f"signer-{number}.log").read_text() for number in range(3)]
    assert [process.exitcode for process in processes] == [-signal.SIGKILL, 0, 0], logged
    assert all(SIGNERS[0].key.hex() not in text and PASSWORD not in text for text in logged)


def invoke(*arguments):
    result = CliRunner().invoke(build_app(arguments[0]), list(arguments))
    return result.exit_code, result.output, result.exception


def test_feed_settle__one_price_by_hand__settles_the_series(world, files):
    expiry = world.now + 60
    world.at(expiry)
    words = (
        *("feed", "settle", "ETH", str(expiry), "1987.5", "--rpc", world.url),
        *("--deployment", str(files / "deployment.json"), "--pass-file", str(files / "password")),
        *("--keystore", str(keystore(files, "relayer", RELAYER))),
    )
    keys = [str(keystore(files, f"signer-{i}", SIGNERS[i])) for i in range(2)]
    _, _, refused = invoke(*words, "--signer", keys[0])
    assert "1 of 2 signatures" in str(refused)
    code, output, problem = invoke(*words, "--signer", keys[0], "--signer", keys[1])
    assert (code, problem) == (0, None)
    assert f"settlement:ETH:{expiry}: settled in block" in output
    assert world.oracle("settlementPriceOf", 1, expiry) / 1e18 == pytest.approx(1_987.5)


def test_feed_show__file__prints_the_document_and_names_what_is_missing(files):
    document = json.loads((files / "feed.json").read_text())
    document["underlyings"]["BTC"]["spot"] = None
    (files / "feed.json").write_text(json.dumps(document))
    code, output, _ = invoke("feed", "show", f"file:{files / 'feed.json'}")
    assert code == 0
    assert '"ETH"' in output
    assert "BTC: underlyings.BTC.spot" in output


def test_signer_run__wrong_words__are_refused_before_anything_starts(world, files, monkeypatch):
    words = (
        *("signer", "run", "--rpc", world.url, "--deployment", str(files / "deployment.json")),
        *("--keystore", str(keystore(files, "one", SIGNERS[0])), "--pass-file", str(files / "password")),
    )
    assert "'deribt' is none of" in str(invoke(*words, "--feed", "deribt")[2])
    assert "is reached from other machines" in str(invoke(*words, "--feed", "none", "--host", "192.0.2.1")[2])
    assert "'X=Y' is not TOKEN=UNDERLYING" in str(invoke(*words, "--feed", "none", "--wraps", "X=Y")[2])
    monkeypatch.setenv("PLIMSOLL_SIGNER_TOKEN", "short")
    assert "at least 16" in str(invoke(*words, "--feed", "none")[2])
