"""The parts of compose.yaml as processes: every command as it stands in the file, hosts and volumes mapped to here."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from helpers import restartable
from sqlalchemy import create_engine, text

from plimsoll.chain.anvil import find_binary
from plimsoll.keeper.config import load_config

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
SERVICES = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
PROGRAMS = {"plimsoll": [sys.executable, "-m", "plimsoll"], "python": [sys.executable]}
pytestmark = pytest.mark.skipif(not restartable.is_installed(), reason="PostgreSQL is not installed")


class Installation:
    """Services of the file, each started as a process with its own command."""

    def __init__(self, folder, server):
        self.folder, self.processes = folder, {}
        self.ports = {
            "node": restartable.free_port(),
            "keeper": restartable.free_port(),
            "standby": restartable.free_port(),
        }
        for volume in ("state", "chain", "secrets"):
            (folder / volume).mkdir()
        password = "deploy test"  # noqa: S105 (of a server that lives as long as this test)
        (folder / "secrets" / "database-password").write_text(password)
        # A restart of the pattern's own role and database, as the image of PostgreSQL makes them.
        with create_engine(server.url, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(f"CREATE ROLE plimsoll LOGIN PASSWORD '{password}'"))
            connection.execute(text("CREATE DATABASE plimsoll OWNER plimsoll"))
        config = (DEPLOY / "keeper.toml").read_text(encoding="utf-8")
        config = config.replace("@database:5432", f"@127.0.0.1:{server.port}")
        self.config = folder / "keeper.toml"
        self.config.write_text(self.mapped(config))

    def mapped(self, word):
        """A word of a command with the places of containers replaced by those of this run."""
        word = word.replace("http://node:8545", f"http://127.0.0.1:{self.ports['node']}")
        word = word.replace("/etc/plimsoll/keeper.toml", str(self.folder / "keeper.toml"))
        word = word.replace("/run/secrets/", f"{self.folder}/secrets/").replace("/deploy/", f"{DEPLOY}/")
        return re.sub(r"(?<![\w/.])/(state|chain)/", rf"{self.folder}/\1/", word)

    def command(self, name):
        service = SERVICES[name]
        first, *rest = service.get("entrypoint", ["plimsoll"])
        program = [str(find_binary())] if first == "anvil" else PROGRAMS[first]
        words = [self.mapped(word) for word in (*rest, *service["command"])]
        if name == "node":
            words = [str(self.ports["node"]) if word == "8545" else word for word in words]
            words = ["127.0.0.1" if word == "0.0.0.0" else word for word in words]  # noqa: S104 (it is replaced)
        return [*program, *words]

    def run(self, name):
        ended = subprocess.run(self.command(name), capture_output=True, text=True, timeout=240, env=self.environment())
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def start(self, name, *more):
        out = (self.folder / f"{name}.log").open("w")
        command = [*self.command(name), *more]
        self.processes[name] = subprocess.Popen(command, stderr=out, stdout=out, env=self.environment())
        out.close()

    def environment(self):
        return {
            **os.environ,
            "HOME": str(self.folder),
            "PYTHONPATH": os.pathsep.join((str(ROOT / "offchain"), str(ROOT))),
        }

    def end(self):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def waited(condition, longest_sec=120.0):
    until = time.monotonic() + longest_sec
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.2)
    return False


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        return json.loads(refusal.read())
    except OSError:
        return {}


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deploy")
    with restartable.running() as server:
        parts = Installation(folder, server)
        parts.start("node")
        assert waited(lambda: listens(parts.ports["node"]))
        try:
            yield parts
        finally:
            parts.end()
            shutil.rmtree(folder, ignore_errors=True)


def test_keys_and_contracts__as_processes__make_what_the_keepers_file_names(installation):
    installation.run("keys")
    before = (installation.folder / "state" / "keys" / "prices.json").read_text()
    installation.run("keys")
    assert (installation.folder / "state" / "keys" / "prices.json").read_text() == before
    assert "are as configured" in installation.run("contracts")
    config = load_config(installation.config).config
    for path in (config.keeper.deployment, config.signers.prices.keystore, config.signers.liquidations.pass_file):
        assert path.exists(), path


def test_config__of_both_keepers__passes_the_command(installation):
    for name in ("keeper", "standby"):
        command = installation.command(name)
        checked = [*command[: command.index("run")], "config", *command[command.index("run") + 1 :]]
        ended = subprocess.run(checked, capture_output=True, text=True, env=installation.environment())
        assert ended.returncode == 0, ended.stderr
        assert "all as they should be" in ended.stdout


def test_keeper_and_standby__as_processes__one_leads_and_the_other_takes_over(installation):
    ports = installation.ports
    installation.start("keeper", "--set", f"web.bind=127.0.0.1:{ports['keeper']}")
    assert waited(lambda: ready(ports["keeper"]).get("role") == "leader")
    installation.start("standby", "--set", f"web.bind=127.0.0.1:{ports['standby']}")
    assert waited(lambda: ready(ports["standby"]).get("ok") and ready(ports["standby"])["role"] == "standby")
    installation.processes["keeper"].kill()
    assert waited(lambda: ready(ports["standby"])["role"] == "leader")
    installation.processes["standby"].terminate()
    assert installation.processes["standby"].wait(30) == 0
