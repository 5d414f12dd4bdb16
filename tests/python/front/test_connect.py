"""Which deployment and which node ``connect`` opens, and what it refuses, without a chain."""

import json

import pytest

import plimsoll as pm
from plimsoll.deployment.record import FOLDER_VARIABLE
from plimsoll.front import chain as module

ADDRESS = "0x" + "11" * 20
DEPLOYMENT = {
    "schema": "plimsoll.deployment/1",
    "network": "local",
    "chain_id": 31337,
    "block": 1,
    "contracts": {"Accounts": ADDRESS},
    "tokens": {"USDC": {"token_id": 0, "address": ADDRESS, "decimals": 6}},
    "underlyings": {"ETH": 1},
    "parameters": {},
}


class Node:
    """A node of chain 31337 that has code at every address."""

    chain_id, code = 31337, "0x60"

    def __init__(self, url):
        self.url = url

    def rpc(self, method, *_):
        assert method == "eth_getCode"
        return self.code


@pytest.fixture(autouse=True)
def node(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "Client", Node)
    monkeypatch.delenv(module.NODE_VARIABLE, raising=False)
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build" / "plimsoll").mkdir(parents=True)
    (tmp_path / "build" / "plimsoll" / "mine.json").write_text(json.dumps(DEPLOYMENT))
    return tmp_path


def test_connect__a_file_or_a_name__is_the_same_deployment(node, monkeypatch):
    by_name = pm.connect("mine", "http://a")
    assert repr(by_name) == "<Chain local: chain 31337 at http://a, ETH>"
    for file in ("build/plimsoll/mine.json", node / "build" / "plimsoll" / "mine.json"):
        assert pm.connect(file, "http://a").deployment == by_name.deployment
    monkeypatch.setenv(FOLDER_VARIABLE, str(node / "build" / "plimsoll"))
    monkeypatch.setenv(module.NODE_VARIABLE, "http://b")
    monkeypatch.chdir("/")
    assert repr(pm.connect("mine")) == "<Chain local: chain 31337 at http://b, ETH>"


def test_connect__no_node_named__is_refused():
    with pytest.raises(pm.InputError, match=f"^url: no node named; .* or set {module.NODE_VARIABLE}"):
        pm.connect("mine")


def test_connect__an_unknown_name__names_the_file():
    with pytest.raises(pm.InputError, match=r"build/plimsoll/yours.json: cannot be read"):
        pm.connect("yours", "http://a")


def test_connect__another_chain_or_no_contract__is_refused(monkeypatch):
    monkeypatch.setattr(Node, "chain_id", 1)
    with pytest.raises(pm.UnavailableError, match="chain id is 1, the deployment's is 31337"):
        pm.connect("mine", "http://a")
    monkeypatch.setattr(Node, "chain_id", 31337)
    monkeypatch.setattr(Node, "code", "0x")
    with pytest.raises(pm.UnavailableError, match="no code at the address of Accounts"):
        pm.connect("mine", "http://a")
