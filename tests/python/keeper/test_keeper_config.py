"""The keeper's file: what is wrong is one line with file, option and limit; what is right can be explained."""

import re
import tomllib
from pathlib import Path

import pytest

from plimsoll.cli import run as plimsoll
from plimsoll.errors import InputError
from plimsoll.keeper.config import KeeperConfig, example, explain, load_config
from plimsoll.keeper.config.options import options_of, toml_of

LEAST = '[keeper]\ndeployment = "d.json"\n[chain]\nendpoints = ["http://127.0.0.1:8545"]\n'
KEY = "4c0883a69102937d6231471b5dbb6204fe512961708279feb1be6ae5538da033"
OPTIONS = list(options_of(KeeperConfig))


@pytest.fixture
def write(tmp_path):
    def written(text):
        path = tmp_path / "keeper.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def refusal(path, *overrides):
    with pytest.raises(InputError) as caught:
        load_config(path, overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_load__least_file__has_every_default(write, tmp_path):
    loaded = load_config(write(LEAST))
    assert loaded.config.keeper.deployment == tmp_path / "d.json"
    assert loaded.config.database.url == f"sqlite:///{tmp_path}/keeper.sqlite"
    assert loaded.config.transact.max_gas == 16_777_216
    assert set(loaded.origins.values()) == {"file"}
    for option in OPTIONS:
        section = loaded.config
        if option.is_required or "[]" in option.path or option.section.startswith(("signers.", "solver", "remote")):
            continue
        for part in option.path.split("."):
            section = getattr(section, part)
        assert section == option.default or option.path == "database.url", option.path


def test_load__database_in_a_folder_with_a_long_name__is_no_secret(write):
    url = "sqlite:////srv/keeper-of-the-main-market-2026/keeper.sqlite"
    assert load_config(write(f'{LEAST}[database]\nurl = "{url}"\n')).config.database.url == url


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("[transact]\nmax_fee_wei = 0", "transact.max_fee_wei: 0 is below the limit 1"),
        ("[transact]\nmax_fee_wei = 1.5", "transact.max_fee_wei: expected a whole number"),
        ("[transact]\nmax_fee_wei = true", "transact.max_fee_wei: expected a whole number"),
        ('[transact]\nmax_fee_wei = "5"', "transact.max_fee_wei: expected a whole number"),
        ("[transact]\nbump_bps = 999", "transact.bump_bps: 999 is below the limit 1000"),
        ("[oracle]\nmove = nan", "oracle.move: expected a finite number"),
        ("[oracle]\nmove = inf", "oracle.move: expected a finite number"),
        ("[oracle]\nage_sec = 0", "oracle.age_sec: 0 is not above 0"),
        ("[liquidation]\nmax_fe = 1", "liquidation.max_fe: unknown option; known are bidder"),
        ("[liquidation]\ncusion = 1", "liquidation.cusion: unknown option; did you mean cushion?"),
        ("[liqidation]\na = 1", "liqidation: unknown option; did you mean liquidation?"),
        ('[fleet]\nengine = "spark"', "fleet.engine: is not one of 'numba' or 'ray'"),
        ('[feed]\nsources = "deribit"', "feed.sources: expected an array"),
        ("[feed]\nsources = [1]", "feed.sources[0]: expected a text"),
        ('[web]\nbind = "9464"', "web.bind: is no HOST:PORT"),
        ('[web]\nbind = "127.0.0.1:70000"', "web.bind: is no HOST:PORT with a port from 0 to 65535"),
        ('[database]\nurl = "mysql://x/y"', "database.url: is neither sqlite:///PATH nor postgresql+psycopg://"),
        ('[signers]\nprices = "key.json"', "signers.prices: expected a table"),
        ("[signers.prices]\nkeystore = 5", "signers.prices.keystore: expected a text with a path"),
        ('[signers.prices]\npass_file = "p"', "signers.prices.keystore: missing, and it has no default"),
        ('[signers.prices]\nkeystore = "k"', "signers.prices: give one of pass_file and pass_env"),
        ('[signers.prices]\nkeystore = "k"\npass_file = "p"\npass_env = "E"', "signers.prices: give one of"),
        ('[[oracle.keys]]\nkeystore = "k"', "oracle.keys[0]: give one of pass_file and pass_env"),
        ('[[alerts.webhooks]]\nurl = "ftp://x"', "alerts.webhooks[0].url: is no address that starts with http://"),
        ('[[alerts.telegrams]]\nchat = "1"', "alerts.telegrams[0]: give one of token_file and token_env"),
        ('[feed]\nsources = ["deribit"]', "oracle.services: missing; feed.sources gives rounds that nobody would sign"),
        ("[standby]\nlease_sec = 6\nmargin_sec = 3", "standby.margin_sec: 3 is not below half of standby.lease_sec, 3"),
        ('[database]\npassword_file = "a"\npassword_env = "B"', "database: give only one of"),
        ('[oracle]\ntoken_file = "a"\ntoken_env = "B"', "oracle: give only one of token_file and token_env"),
        ('[feed]\nsources = ["file:"]', "feed.sources: an empty path names no file"),
        ("[keeper]\n", "is not valid TOML"),
        ("x = ", "is not valid TOML"),
    ],
)
def test_load__wrong_value__is_one_line_with_file_option_and_limit(write, extra, message):
    assert f"keeper.toml: {message}" in refusal(write(LEAST + extra))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "keeper: missing, and it has no default (and 1 more)"),
        ('[keeper]\ndeployment = "d"\n[chain]\nendpoints = []', "chain.endpoints: 0 entries, at least 1 are needed"),
        (LEAST + "quorum = 2", "chain.quorum: 2 is above the number of chain.endpoints, 1"),
        (LEAST.replace("8545", "x"), "chain.endpoints[0]: Port could not be cast"),
        (LEAST.replace('["', '["http://127.0.0.1:8545", "'), "chain.endpoints: the same address twice"),
    ],
)
def test_load__wrong_whole__is_one_line(write, text, message):
    assert f"keeper.toml: {message}" in refusal(write(text))


@pytest.mark.parametrize(
    ("extra", "option"),
    [
        (f'[signers.prices]\nkeystore = "0x{KEY}"', "signers.prices.keystore"),
        (f'[keeper2]\nname = "{KEY}"', "keeper2.name"),
        ('[database]\nurl = "postgresql+psycopg://u:hunter2hunter2@h/d"', "database.url"),
        (
            '[[alerts.webhooks]]\nurl = "https://hooks.example.org/T0/hunter2hunter2hunter2hunter2"',
            "alerts.webhooks[0].url",
        ),
        (f'[fleet]\naddress = "{" ".join(["hunter"] * 12)}"', "fleet.address"),
    ],
)
def test_load__secret_in_the_file__is_refused_by_name_and_never_shown(write, extra, option):
    message = refusal(write(LEAST + extra))
    assert f"/keeper.toml: {option}: " in message
    assert KEY not in message
    assert "hunter" not in message


@pytest.mark.parametrize(
    ("extra", "option"),
    [
        (f'[signers.prices]\nprivate_key = "{KEY}"', "signers.prices.private_key"),
        ('[signers.prices]\npassword = "hunter2hunter2"', "signers.prices.password"),
        ('[[alerts.telegrams]]\ntoken = "123:hunter2hunter2"', "alerts.telegrams[0].token"),
    ],
)
def test_load__option_made_for_a_secret__is_refused_twice_over_and_never_shown(write, extra, option):
    """There is no such option, and none of that name would be taken."""
    test_load__secret_in_the_file__is_refused_by_name_and_never_shown(write, extra, option)


def test_load__variable_in_an_address__is_filled_in_and_shown_by_its_name(write, monkeypatch):
    path = write(LEAST.replace("http://127.0.0.1:8545", "https://rpc.example.org/v3/${NODE_KEY}"))
    assert "chain.endpoints[0]: ${NODE_KEY} is not set in the environment" in refusal(path)
    monkeypatch.setenv("NODE_KEY", "0123456789abcdef0123456789")
    loaded = load_config(path)
    assert loaded.config.chain.endpoints == ("https://rpc.example.org/v3/0123456789abcdef0123456789",)
    assert loaded.secrets == {"0123456789abcdef0123456789"}
    assert "0123456789abcdef" not in "\n".join(explain(loaded))
    assert "${NODE_KEY}" in "\n".join(explain(loaded))


def test_load__file_sources__are_relative_to_the_folder_of_the_file_and_keep_their_options(write, tmp_path):
    words = ["file:data/feed.json?start=now&cash=0.99", "file:/srv/feed.json", "deribit", "http://127.0.0.1:1/file:x"]
    text = f"[feed]\nsources = {toml_of(words)}\n[oracle]\nservices = ['http://127.0.0.1:8700']\n"
    loaded = load_config(write(LEAST + text))
    assert loaded.config.feed.sources == (f"file:{tmp_path}/data/feed.json?start=now&cash=0.99", *words[1:])
    assert loaded.config.feed.min_sources is None


def test_load__override__wins_and_is_named_as_the_origin(write):
    path = write(LEAST + "[transact]\nconfirmations = 2\n")
    loaded = load_config(path, ("transact.confirmations=9", "keeper.name=standby", "web.bind=127.0.0.1:0"))
    assert loaded.config.transact.confirmations == 9
    assert loaded.config.keeper.name == "standby"
    assert loaded.origins["transact.confirmations"] == "command line"
    assert loaded.origins["keeper.deployment"] == "file"
    assert "--set: transact.confirmations: 0 is below the limit 1" in refusal(path, "transact.confirmations=0")


def test_load__secret_on_the_command_line__is_refused_like_one_in_the_file(write):
    for name in ("fleet.address", "signers.prices.keystore"):
        message = refusal(write(LEAST), f"{name}={KEY}")
        assert message.startswith(f"--set: {name}: looks like a private key")
        assert KEY not in message


@pytest.mark.parametrize("text", ["", "name", "=5", "a=5", "keeper.name", "feed.sources[0]=1"])
def test_load__override_that_is_none__is_refused(write, text):
    assert refusal(write(LEAST), text).startswith("--set: ")


def test_load__file_that_is_missing_binary_or_a_folder__is_refused(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "none.toml", tmp_path / "binary", tmp_path):
        assert path.name in refusal(path)


def test_explain__every_option__once_with_value_origin_and_meaning_in_eighty_columns(write):
    lines = explain(load_config(write(LEAST), ("logging.level=debug",)))
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for option in OPTIONS:
        assert re.search(rf"^  {re.escape(option.name)}( = .*|  \(.*)", text, re.MULTILINE), option.path
        assert " ".join(option.meaning.split()[:3]) in text
    assert '  deployment = "d.json"  (file)' in lines
    assert '  level = "debug"  (command line)' in lines
    assert "  quorum = 1  (default)" in lines


def test_explain__arrays__are_shown_as_they_were_given(write, monkeypatch):
    monkeypatch.setenv("HOOK", "https://h/0")
    text = '[[alerts.webhooks]]\nurl = "${HOOK}"\n[[alerts.webhooks]]\nurl = "http://b"\n[feed]\nsources = []\n'
    lines = explain(load_config(write(LEAST + text)))
    assert '  alerts.webhooks[0].url = "${HOOK}"  (file)' in lines
    assert '  alerts.webhooks[1].url = "http://b"  (file)' in lines
    assert '  endpoints = ["http://127.0.0.1:8545"]  (file)' in lines


def test_example__as_printed__loads_and_uncommented_says_the_same_as_the_defaults(write, monkeypatch):
    monkeypatch.setenv("ALERT_WEBHOOK", "https://hooks.example.org/x")
    load_config(write("\n".join(example())))
    bare = [re.sub(r"^# (?=\[|\w+ =)", "", line) for line in example()]
    given = tomllib.loads("\n".join(line for line in bare if not line.endswith(" =")))
    # Exactly one of two places of a secret may be given.
    keys = given["signers"]["prices"], given["signers"]["liquidations"], given["oracle"]["keys"][0]
    remote = given["remote"]
    for section in (*keys, given["solver"]["key"], remote["sender"], remote["keys"][0]):
        del section["pass_env"]
    del given["alerts"]["telegrams"][0]["token_env"], given["database"]["password_env"], given["oracle"]["token_env"]
    given["alerts"]["webhooks"][0]["url"] = "https://hooks.example.org/x"
    config = KeeperConfig.model_validate(given)
    for option in OPTIONS:
        if "[]" not in option.path and option.default not in (None, ()) and option.path != "database.url":
            section = config
            for part in option.path.split("."):
                section = getattr(section, part)
            assert section == option.default, option.path


@pytest.mark.parametrize("value", [1, 10**20, 0.1, 1e-9, True, 'a\\b"c', ["x", 2], ("y",)])
def test_toml_of__any_value__reads_back(value):
    read = tomllib.loads(f"v = {toml_of(value)}")["v"]
    assert read == (list(value) if isinstance(value, tuple) else value)


def test_every_option__has_meaning_and_numbers_have_limits():
    for option in OPTIONS:
        assert option.meaning.endswith("."), option.path
        assert len(option.meaning) < 160
        if isinstance(option.default, int | float) and not isinstance(option.default, bool):
            assert option.limit, option.path
            assert option.unit, option.path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--example"], 0),
        (["--explain"], 0),
        ([], 2),
        (["--example", "--explain"], 2),
        (["--explain", "--set", "keeper.name=a"], 2),
        (["--config", "nothing.toml"], 2),
    ],
)
def test_command__combinations_of_options__exit_as_documented(arguments, code, capsys):
    assert plimsoll(["keeper", "config", *arguments]) == code
    shown = capsys.readouterr()
    assert shown.err.count("\n") == (1 if code else 0)


def test_load__files_that_it_names__are_told_from_where_the_file_itself_was_given(tmp_path, monkeypatch):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "keeper.toml").write_text(LEAST, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("conf/keeper.toml")).config
    assert config.keeper.deployment.parent == Path("conf")
    assert config.database.url.startswith("sqlite:///conf/")
