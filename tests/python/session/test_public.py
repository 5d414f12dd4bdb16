"""On a public network nothing is made up: no prices, no keys, no signers; and its record is not overwritten."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from plimsoll.deployment.record import Deployment
from plimsoll.errors import InputError, UnavailableError
from plimsoll.files.market import load_market
from plimsoll.session.install import install, recorded
from plimsoll.session.rounds import post_round
from plimsoll.session.session import Session, open_session

MARKET = Path(__file__).resolve().parents[3] / "examples" / "market.json"
SEPOLIA = 11_155_111


class Elsewhere:
    """A node of a public network with nothing on it, which refuses to be asked for anything else."""

    url, chain_id = "http://elsewhere", SEPOLIA

    def rpc(self, method, *_):
        assert method == "eth_getCode", method
        return "0x"


def record_at(path):
    Deployment("sepolia", SEPOLIA, 1, {"Accounts": "0x" + "1" * 40, "Oracle": "0x" + "2" * 40}, {}, {}, {}).save(path)
    return path


def no_key(name):
    raise AssertionError(f"{name} was asked for")


def test_install__no_signers__is_refused_before_a_key_is_asked_for(tmp_path):
    with pytest.raises(InputError, match="signers: missing; sepolia is public"):
        install(Elsewhere(), tmp_path / "sepolia.json", "sepolia", (), no_key, print)
    assert not list(tmp_path.iterdir())


def test_install__local_configuration__is_refused(tmp_path):
    with pytest.raises(InputError, match="config: local has chain id 31337, the node 11155111"):
        install(Elsewhere(), tmp_path / "sepolia.json", "local", (), no_key, print)


def test_recorded__contracts_are_not_there__is_an_error_and_not_a_new_deployment(tmp_path):
    with pytest.raises(UnavailableError, match="no code at the address of Accounts"):
        recorded(Elsewhere(), record_at(tmp_path / "sepolia.json"))
    assert recorded(Elsewhere(), tmp_path / "none.json") is None


def test_open_session__no_record__says_what_makes_one(tmp_path):
    with pytest.raises(InputError, match="there is no deployment; `brownie run deploy` makes one"):
        open_session(Elsewhere(), tmp_path / "none.json", load_market(MARKET), no_key)


def test_post_round__public_network__is_the_keepers():
    with pytest.raises(InputError, match="rounds of a public network come from its keeper"):
        post_round(Session(Elsewhere(), None, None, no_key), "ETH", 1_900.0)


def test_wallet__public_network__is_the_callers_key():
    own = SimpleNamespace(address="0x1")
    there = Session(Elsewhere(), None, None, {"alice": own}.__getitem__)
    assert there.wallet("alice") is own
