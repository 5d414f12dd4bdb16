"""Keystore files and their passwords."""

import json

import pytest
from eth_account import Account

from plimsoll.chain.anvil import wallet
from plimsoll.errors import InputError
from plimsoll.keeper.keys import PASSWORD_VARIABLE, load_key

KEY = wallet("keystore test")


@pytest.fixture(scope="module")
def keystore(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "keeper.json"
    path.write_text(json.dumps(Account.encrypt(KEY.key, "right", kdf="pbkdf2", iterations=2)), encoding="utf-8")
    return path


def test_load_key__pass_file__opens(keystore, tmp_path):
    (tmp_path / "pass").write_text("right\n", encoding="utf-8")
    assert load_key(keystore, tmp_path / "pass").address == KEY.address


def test_load_key__environment__opens(keystore, monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, "right")
    assert load_key(keystore, None).address == KEY.address


def test_load_key__wrong_password__says_neither_key_nor_password(keystore, monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, "wrong-secret")
    with pytest.raises(InputError) as problem:
        load_key(keystore, None)
    assert "wrong-secret" not in str(problem.value)
    assert KEY.key.hex() not in str(problem.value)


def test_load_key__no_password_anywhere__is_an_input_error(keystore, monkeypatch):
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    with pytest.raises(InputError, match=PASSWORD_VARIABLE):
        load_key(keystore, None)


def test_load_key__not_a_keystore__is_an_input_error(tmp_path, monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, "x")
    (tmp_path / "k.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="does not open"):
        load_key(tmp_path / "k.json", None)
