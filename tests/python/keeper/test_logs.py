"""Logs: one line per event, whatever is in it; secrets never; and no log line ever becomes an error."""

import io
import json
import logging
import signal

import pytest
import structlog
from eth_account import Account

from plimsoll.errors import InputError
from plimsoll.keeper.config.sections import DatabaseSection, KeySection, LoggingSection
from plimsoll.keeper.logs import configure_logs
from plimsoll.keeper.redaction import Redactor, hide_addresses
from plimsoll.keeper.secret_files import database_url, open_key, read_secret

KEY = "0x" + "4c0883a69102937d6231471b5dbb6204fe512961708279feb1be6ae5538da033"
PASSWORD = "correct horse battery"  # noqa: S105 (of a key that everybody knows)
NODE = "https://eth.example.org/v3/84842078b09946638c03157f83405213"


@pytest.fixture
def stream():
    yield io.StringIO()
    structlog.reset_defaults()
    logging.getLogger().handlers = []


@pytest.fixture
def still_running():
    """End a test that does not end: a minute is ten thousand times what it needs."""
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.fixture(params=["json", "console"])
def style(request):
    return request.param


def start(style, stream, redactor=None, level="debug"):
    configure_logs(LoggingSection(format=style, level=level), redactor or Redactor(), stream)
    return structlog.get_logger()


def test_logs__every_way_a_secret_could_get_in__shows_none(style, stream, tmp_path):
    redactor = Redactor()
    (tmp_path / "password").write_text(PASSWORD + "\n")
    (tmp_path / "key.json").write_text(json.dumps(Account.encrypt(KEY, PASSWORD, "pbkdf2", 10)))
    section = KeySection.model_validate({"keystore": "key.json", "pass_file": "password"}, context={"folder": tmp_path})
    account = open_key(section, "signers.prices", redactor)
    log = start(style, stream, redactor)
    log.info("opened", address=account.address, key=account.key.hex(), bare=account.key.hex().removeprefix("0x"))
    log.info(f"password is {PASSWORD}", password=PASSWORD, nested={"a": [{"private_key": 5, "b": KEY}]})
    log.warning("node", url=NODE, user="https://user:hunter2@rpc.example.org/x", query="http://h/?apikey=abc123&x=1")
    log.info("hook", url="https://api.telegram.org/bot123456:AAEhBP0av28Frog/sendMessage")
    log.info(KEY, **{KEY[2:]: 1}, upper=KEY[2:].upper())
    try:
        raise ValueError(f"cannot sign with {KEY} at {NODE}")
    except ValueError:
        log.exception("failed")
        logging.getLogger("web3").exception("failed with %s", PASSWORD)
    logging.getLogger("aiohttp").warning("asked %s", NODE, extra={"token": KEY})
    shown = stream.getvalue()
    for secret in (
        KEY[2:],
        KEY[2:].upper(),
        PASSWORD,
        "84842078b09946638c03157f83405213",
        "hunter2",
        "abc123",
        "AAEhBP0",
    ):
        assert secret not in shown
    assert account.address in shown
    assert "eth.example.org" in shown
    assert len(shown.splitlines()) >= 8


def test_logs__number_of_a_lease__is_shown_and_a_token_of_letters_is_not(stream):
    """The fault: a name that tells a secret hid every number but 0 and 1, which equal false and true."""
    log = start("json", stream)
    for number in (0, 1, 2, 17):
        log.info("lease acquired", token=number, first_token=number)
    log.info("asked", token=KEY, seed_phrase="a b", password=17, seed=1)
    *leases, asked = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["token"], line["first_token"]) for line in leases] == [(n, n) for n in (0, 1, 2, 17)]
    assert {asked[name] for name in ("token", "seed_phrase", "password", "seed")} == {"***"}


def test_json__each_line__is_one_object_with_time_and_level(stream):
    log = start("json", stream)
    log.info("pass", wei=10**30, ratio=float("inf"), missing=None, nan=float("nan"), raw=b"\xff", text="a\nb")
    logging.getLogger("alembic").warning("line\nbreak")
    logging.getLogger("alembic").error("one %s of two %s", 1)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 3
    assert lines[0]["wei"] == 10**30
    assert lines[0]["ratio"] == "inf"
    assert lines[0]["level"] == "info"
    assert {"timestamp", "event"} <= lines[1].keys()


def test_logs__below_the_level_and_chatter_of_libraries__are_left_out(stream):
    log = start("json", stream, level="info")
    log.debug("nothing")
    logging.getLogger("aiohttp.access").info("GET /health")
    assert stream.getvalue() == ""


def test_logs__endless_answer__is_cut(stream):
    start("json", stream).info("node", answer="x" * 1_000_000)
    assert len(stream.getvalue()) < 10_000


@pytest.mark.parametrize(
    "text", ["x" * 10**6, "://a/" * 10**5, "http://" * 10**5, "a://" + "b:" * 10**5, "?key=" * 10**5]
)
def test_redactor__text_made_to_be_slow__is_read_once(text, still_running):
    # A pattern that looks back at every character needs 10^12 steps here, and never ends.
    Redactor().text(text)


def test_logs__full_disk_or_closed_pipe__raise_nothing(style):
    class Full(io.StringIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    log = start(style, Full())
    log.error("still here")
    logging.getLogger("x").error("still here")
    closed = io.StringIO()
    log = start(style, closed)
    closed.close()
    log.error("still here")
    structlog.reset_defaults()
    logging.getLogger().handlers = []


@pytest.mark.parametrize(
    "shown",
    [
        "postgresql+psycopg://plimsoll@db:5432/plimsoll",
        "http://127.0.0.1:8545",
        "0x5f3f1dbd7b74c6b46e8c44f98792a1daf8d69154a0e0f6a4f7b8b2a2ffd6d1c2 mined",
        "docs/operate/runbook.md#round-age",
        "https://docs.example.org/operate/keeper-config.html",
    ],
)
def test_hide_addresses__nothing_secret__stays(shown):
    assert hide_addresses(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://TOKEN@rpc.example.org/a", "https://***@rpc.example.org/a"),
        ("postgresql+psycopg://u:p@ss@db/x failed", "postgresql+psycopg://***@db/x failed"),
        ("wss://x.org/ws/abcdefghij0123456789 and", "wss://x.org/ws/*** and"),
    ],
)
def test_hide_addresses__credentials__go(text, shown):
    assert hide_addresses(text) == shown


def test_read_secret__missing_empty_or_not_text__names_the_option_alone(tmp_path, monkeypatch):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    monkeypatch.delenv("NOT_SET", raising=False)
    for file, variable in ((tmp_path / "none", None), (tmp_path / "empty", None), (tmp_path / "binary", None)):
        with pytest.raises(InputError, match=r"^signers\.prices: "):
            read_secret(file, variable, "signers.prices", Redactor())
    with pytest.raises(InputError, match="NOT_SET is empty or not set"):
        read_secret(None, "NOT_SET", "signers.prices", Redactor())


def test_open_key__wrong_password__says_so_without_it(tmp_path, monkeypatch):
    (tmp_path / "key.json").write_text(json.dumps(Account.encrypt(KEY, PASSWORD, "pbkdf2", 10)))
    monkeypatch.setenv("PASS", "wrong password")
    section = KeySection.model_validate({"keystore": "key.json", "pass_env": "PASS"}, context={"folder": tmp_path})
    with pytest.raises(InputError, match=r"^signers\.prices: .*does not open") as caught:
        open_key(section, "signers.prices", Redactor())
    assert "wrong password" not in str(caught.value)


def test_database_url__password_and_limits__are_in_it_and_nowhere_else(tmp_path, monkeypatch):
    monkeypatch.setenv("DB_PASS", "p@ss/word")
    redactor = Redactor()
    section = DatabaseSection(**{"url": "postgresql+psycopg://u@h:1/d", "password_env": "DB_PASS", "timeout_sec": 7})
    url = database_url(section, redactor, 7)
    assert "p%40ss%2Fword" in url
    assert "statement_timeout%3D7000" in url
    assert "p@ss/word" not in redactor.text("failed: p@ss/word")
    assert "word" not in redactor.text(f"could not connect to {url}")
    assert database_url(DatabaseSection(url="sqlite:////a/b.sqlite"), redactor, 7) == "sqlite:////a/b.sqlite"
