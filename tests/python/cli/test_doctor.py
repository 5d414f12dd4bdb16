"""``plimsoll doctor`` without a chain: what is installed, exit codes, bad options, the document."""

import json
import subprocess
from importlib.metadata import PackageNotFoundError

import pytest

from plimsoll.chain import abi
from plimsoll.cli import run
from plimsoll.deployment.record import Deployment, TokenRecord, record_path
from plimsoll.doctor import installed as machine
from plimsoll.doctor.finding import Finding, State, document_of, is_well
from plimsoll.doctor.onchain import node
from plimsoll.errors import InputError, UnavailableError

NOW_TS = 1_770_000_000


def doctor(capsys, *options):
    """Exit code, standard output and standard error of one call."""
    code = run(["doctor", *options])
    said = capsys.readouterr()
    return code, said.out, said.err


def findings(capsys, *options):
    code, out, err = doctor(capsys, "--json", *options)
    assert err == ""
    document = json.loads(out)
    assert document["schema"] == "plimsoll.doctor/1"
    assert document["isWell"] is (code == 0)
    return {finding["name"]: finding for finding in document["findings"]}


class Node:
    """A node that answers with fixed numbers."""

    def __init__(self, chain_id, block_ts):
        self.chain_id, self._block_ts = chain_id, block_ts

    def block_number(self):
        return 7

    def block_ts(self):
        return self._block_ts


def test_doctor__plain__is_well_and_fits_a_terminal(capsys):
    code, out, err = doctor(capsys)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "installed"
    assert max(map(len, lines)) <= 80
    assert any(line.split()[:2] == ["ok", "python"] for line in lines)


def test_doctor__extra_that_is_not_installed__is_missing_and_says_what_for(capsys, monkeypatch):
    real = machine.version

    def version(name):
        if name in ("cvxpy", "textual"):
            raise PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(machine, "version", version)
    found = findings(capsys)
    assert found["extra desk"]["state"] == "missing"
    assert found["extra desk"]["seen"] == "without cvxpy, textual"
    assert "pip install 'plimsoll-margin[desk]'" in found["extra desk"]["advice"]
    assert found["extra frames"]["state"] == "ok"


def test_doctor__nobody_installed_the_package__fails(capsys, monkeypatch):
    def version(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(machine, "version", version)
    monkeypatch.setattr(machine, "requires", version)
    code, out, _ = doctor(capsys)
    assert code == 1
    assert "pip install ." in out


def test_doctor__old_python__is_bad(monkeypatch):
    monkeypatch.setattr(machine.sys, "version_info", (3, 9, 1))
    monkeypatch.setattr(machine.platform, "python_version", lambda: "3.9.1")
    (found,) = [finding for finding in machine.installed() if finding.name == "python"]
    assert (found.state, found.seen) == (State.BAD, "3.9.1, 3.11 is the oldest")


@pytest.mark.parametrize(
    ("stated", "state", "seen"),
    [
        ("v22.1.0\n", "ok", "22.1.0"),
        ("v18.19.1\n", "bad", "18.19.1, 20 is the oldest"),
        ("", "bad", "/usr/bin/node does not run"),
    ],
)
def test_doctor__node__is_judged_by_its_version_and_fails_nothing(capsys, monkeypatch, stated, state, seen):
    def answer(command, **_):
        return subprocess.CompletedProcess(command, 0, stdout=stated if command[0] == "/usr/bin/node" else "9.9.9")

    monkeypatch.setattr(machine.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(machine.subprocess, "run", answer)
    found = findings(capsys)
    assert (found["node"]["state"], found["node"]["seen"]) == (state, seen)


def test_doctor__no_tools_and_no_artefacts__are_missing_and_fail_nothing(capsys, monkeypatch, tmp_path):
    def nowhere():
        raise UnavailableError("anvil", "none")

    monkeypatch.setattr(machine.shutil, "which", lambda _: None)
    monkeypatch.setattr(machine, "find_binary", nowhere)
    monkeypatch.setenv("SOLCX_BINARY_PATH", str(tmp_path))
    monkeypatch.setattr(abi, "ARTIFACTS", tmp_path)
    found = findings(capsys)
    assert {name for name, finding in found.items() if finding["state"] == "missing"} == {
        *("node", "npm", "anvil", "solc", "artefacts"),
    }
    assert all(finding["advice"] for finding in found.values() if finding["state"] != "ok")


def test_doctor__artefacts__are_counted(capsys, monkeypatch, tmp_path):
    for name in ("Vault", "Oracle"):
        (tmp_path / f"{name}.json").write_text("{}")
    monkeypatch.setattr(abi, "ARTIFACTS", tmp_path)
    assert findings(capsys)["artefacts"]["seen"] == "2 built contracts"


def test_doctor__compiler_of_another_version__is_bad(monkeypatch, tmp_path):
    compiler = tmp_path / "solc-v0.8.30"
    compiler.write_text("#!/bin/sh\necho Version: 0.8.26+commit\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("SOLCX_BINARY_PATH", str(tmp_path))
    (found,) = [finding for finding in machine.installed() if finding.name == "solc"]
    assert (found.state, found.seen) == (State.BAD, "0.8.26, the contracts are pinned to 0.8.30")


def test_doctor__node_that_does_not_answer__is_bad_and_fails(capsys):
    found = findings(capsys, "--rpc", "http://127.0.0.1:9")
    assert found["answer"]["state"] == "bad"
    assert "--rpc" in found["answer"]["advice"]


@pytest.mark.parametrize(
    ("chain_id", "age_sec", "state", "seen"),
    [
        (1, 12, State.OK, "7, 12 s old"),
        (1, 3_700, State.BAD, "7, 1 h 1 min old"),
        (31_337, 3_700, State.OK, "7, 1 h 1 min old"),
        (1, -30, State.OK, "7, 0 s old"),
    ],
)
def test_doctor__block__is_judged_by_its_age_on_public_chains(chain_id, age_sec, state, seen):
    block = node(Node(chain_id, NOW_TS - age_sec), NOW_TS)[-1]
    assert (block.state, block.seen) == (state, seen)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--deployment", "development"), "error: --rpc: missing; a deployment is looked at through a node"),
        (("--rpc", "http://127.0.0.1:9", "--feed"), "error: --deployment: missing; the feed is that of a deployment"),
        (("--rpc", "http://127.0.0.1:9", "--deployment", "no/where.json"), "error: no/where.json: cannot be read"),
        (("--rpc", "http://127.0.0.1:9", "--deployment", "../up"), "error: deployment: '../up' is neither a .json"),
    ],
)
def test_doctor__bad_option__gives_one_line_and_looks_at_nothing(capsys, options, text):
    code, out, err = doctor(capsys, *options)
    assert (code, out) == (2, "")
    assert err.startswith(text)
    assert err.count("\n") == 1


def test_doctor__deployment_behind_a_silent_node__is_not_judged(capsys, tmp_path):
    record = tmp_path / "local.json"
    Deployment("local", 31_337, 1, {"Accounts": "0x" + "1" * 40}, {"USDC": TokenRecord(0, "", 6)}, {}, {}).save(record)
    found = findings(capsys, "--rpc", "http://127.0.0.1:9", "--deployment", str(record))
    assert found["answer"]["state"] == "bad"
    assert not any(finding["group"] == "deployment" for finding in found.values())


@pytest.mark.parametrize(
    ("named", "path"), [("development", "build/plimsoll/development.json"), ("a/b.json", "a/b.json")]
)
def test_record_path__name_or_file__says_where(named, path):
    assert record_path(named).as_posix() == path


@pytest.mark.parametrize("named", ["", "a/b", "..", "/"])
def test_record_path__neither__is_refused(named):
    with pytest.raises(InputError, match=r"neither a \.json file nor the name of a network"):
        record_path(named)


def test_is_well__only_what_is_needed__counts():
    fine = Finding("installed", "python", State.OK, "3.11")
    optional = Finding("installed", "npm", State.MISSING, "not found", "install it", needed=False)
    asked = Finding("node", "answer", State.BAD, "none", "start it")
    assert is_well([fine, optional])
    assert not is_well([fine, asked])
    assert document_of([fine, optional])["findings"][1]["state"] == "missing"
