"""Live imports against doubles of four venues over real HTTP, which check every signature as the venues do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging

import pytest
from aiohttp import web
from eth_account import Account
from eth_account.messages import encode_defunct
from helpers import venue_forms as forms
from helpers.venue_files import RECORDED, venue_files
from helpers.venue_server import serving

from plimsoll.cli import run
from plimsoll.files.market import load_market
from plimsoll.files.portfolio import load_portfolio

SESSION = Account.from_key("0x" + "11" * 32)
WALLET = "0x00000000000000000000000000000000000000aa"
KEYS = {
    "deribit": {"id": "made-up-id", "secret": "made-up-secret"},
    "okx": {"key": "made-up-key", "secret": "made-up-secret", "passphrase": "made-up-phrase"},
    "bybit": {"key": "made-up-key", "secret": "made-up-secret"},
    "derive": {"wallet": WALLET, "key": "0x" + "11" * 32, "subaccount": "99007"},
}
SECRETS = ("made-up-secret", "made-up-phrase", "11" * 32)
BEARER = "Bearer of-the-double"


def recorded(name):
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


class Double:
    """One venue; refuses what is not signed, and keeps what it was asked."""

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.asked: list[str] = []
        self.failures: list[tuple[int, object]] = []

    async def __call__(self, request: web.Request) -> web.Response:
        self.asked.append(str(request.rel_url))
        if self.failures:
            status, body = self.failures.pop(0)
            return web.Response(status=status, text=body if isinstance(body, str) else json.dumps(body))
        text = await request.text()
        body = json.loads(text) if text else {}
        answer = getattr(self, self.venue)(request, request.path.lstrip("/"), dict(request.query), body)
        return web.Response(status=401) if answer is None else web.json_response(answer)

    def deribit(self, request, path, query, body):
        if path == "public/auth":
            given = body["params"]
            is_right = (given["client_id"], given["client_secret"]) == ("made-up-id", "made-up-secret")
            assert given["scope"].startswith("account:read trade:read")
            found = (
                {"result": {"access_token": BEARER.removeprefix("Bearer ")}}
                if is_right
                else {"error": {"code": 13_004}}
            )
            return {"jsonrpc": "2.0", **found}
        if path.startswith("private/") and request.headers.get("Authorization") != BEARER:
            return None
        if path == "private/get_positions":
            return recorded("deribit_positions")
        if path == "private/get_account_summaries":
            return recorded("deribit_summaries")
        coins = ("SOL", "XRP") if query["currency"] == "USDC" else (query["currency"],)
        return forms.deribit_books(coins, query["kind"])

    def okx(self, request, path, query, body):
        coin = query.get("instFamily", "BTC-USD").split("-")[0]
        head = request.headers
        if "account" in path:
            text = f"{head['OK-ACCESS-TIMESTAMP']}GET{request.rel_url}"
            digest = hmac.new(b"made-up-secret", text.encode(), hashlib.sha256).digest()
            is_right = base64.b64encode(digest).decode() == head["OK-ACCESS-SIGN"]
            if not is_right or (head["OK-ACCESS-KEY"], head["OK-ACCESS-PASSPHRASE"]) != (
                "made-up-key",
                "made-up-phrase",
            ):
                return {"code": "50113", "msg": "Invalid Sign", "data": []}
            return recorded("okx_positions" if path.endswith("positions") else "okx_balance")
        if path.endswith("instruments"):
            every = forms.okx_instruments(forms.COIN_PAID)
            kind = query["instType"]
            family = query.get("instFamily", "")
            rows = [r for r in every["data"] if r["instType"] == kind and r["uly"].startswith(family)]
            return forms.okx_envelope(rows)
        if path.endswith("index-tickers"):
            return forms.okx_indices(forms.COIN_PAID)
        if path.endswith("opt-summary"):
            return forms.okx_summary(coin)
        if path.endswith("mark-price"):
            return forms.okx_marks(coin, query["instType"])
        return forms.okx_tickers(coin)

    def bybit(self, request, path, query, body):
        if path != "v5/market/tickers":
            head = request.headers
            text = (
                f"{head['X-BAPI-TIMESTAMP']}{head['X-BAPI-API-KEY']}{head['X-BAPI-RECV-WINDOW']}{request.query_string}"
            )
            digest = hmac.new(b"made-up-secret", text.encode(), hashlib.sha256).hexdigest()
            if digest != head["X-BAPI-SIGN"]:
                return {"retCode": 10_004, "retMsg": "error sign!", "result": {}, "time": forms.TS * 1_000}
            if path == "v5/account/wallet-balance":
                return recorded("bybit_wallet")
            answer = recorded(f"bybit_{query['category']}")
            if query["category"] == "linear":
                is_usdt = query["settleCoin"] == "USDT"
                rows = answer["result"]["list"]
                answer["result"]["list"] = [r for r in rows if r["symbol"].endswith("USDT") == is_usdt]
            return answer
        return forms.bybit_tickers(query.get("baseCoin", query.get("symbol", "")[:3]), query["category"])

    def derive(self, request, path, query, body):
        if path.startswith("private/"):
            head = request.headers
            message = encode_defunct(text=head["X-LyraTimestamp"])
            signer = Account.recover_message(message, signature=head["X-LyraSignature"])
            if (signer, head["X-LyraWallet"], body) != (SESSION.address, WALLET, {"subaccount_id": 99_007}):
                return None
            return recorded("derive_subaccount")
        return forms.derive_tickers(body["currency"], body.get("expiry_date"))


@pytest.fixture
def ask(tmp_path, capsys, monkeypatch):
    """Import live from a double; returns the double, exit code, output, error."""

    def command(venue, *arguments, key=None, failures=()):
        for part, value in (KEYS[venue] if key is None else key).items():
            monkeypatch.setenv(f"PLIMSOLL_{venue.upper()}_{part.upper()}", value)
        double = Double(venue)
        double.failures += failures
        targets = ["--portfolio", str(tmp_path / "P.json"), "--market", str(tmp_path / "M.json")]
        with serving(double) as root:
            code = run(["import", venue, "--live", "--url", root, *targets, *arguments])
        shown = capsys.readouterr()
        return double, code, shown.out, shown.err

    return command


@pytest.mark.parametrize("venue", KEYS)
def test_live__a_read_only_key__gives_the_book_that_files_give(ask, tmp_path, capsys, caplog, venue):
    caplog.set_level(logging.DEBUG)
    double, code, out, err = ask(venue)
    assert (code, err) == (0, "")
    targets = ["--portfolio", str(tmp_path / "F.json"), "--market", str(tmp_path / "FM.json")]
    assert run(["import", venue, *map(str, venue_files(venue, tmp_path)), *targets]) == 0
    assert load_portfolio(tmp_path / "P.json") == load_portfolio(tmp_path / "F.json")
    live, from_files = load_market(tmp_path / "M.json"), load_market(tmp_path / "FM.json")
    assert live.ts == from_files.ts
    assert {n: r.spot for n, r in live.rounds.items()} == {n: r.spot for n, r in from_files.rounds.items()}
    # Addresses are written into logs on the way: no secret in one, none in what is printed or logged.
    seen = " ".join((*double.asked, out, err, caplog.text))
    assert not any(secret in seen for secret in SECRETS)


def test_live__a_key_file__is_read_when_only_its_owner_may(ask, tmp_path, capsys):
    path = tmp_path / "key.json"
    path.write_text(json.dumps(KEYS["bybit"]), encoding="utf-8")
    path.chmod(0o640)
    _, code, _, err = ask("bybit", "--key-file", str(path), key={})
    assert (code, err.count("\n")) == (2, 1)
    assert "key.json: others may read it" in err
    path.chmod(0o600)
    assert ask("bybit", "--key-file", str(path), key={})[1] == 0
    path.write_text(json.dumps({"key": "made-up-key"}), encoding="utf-8")
    _, code, _, err = ask("bybit", "--key-file", str(path), "--force", key={})
    assert (code, "key.json: missing key 'secret'; bybit needs key, secret" in err) == (2, True)
    path.write_text("secret", encoding="utf-8")
    _, code, _, err = ask("bybit", "--key-file", str(path), "--force", key={})
    assert (code, "key.json: is not valid JSON" in err, "secret\n" in err) == (2, True, False)


def test_live__without_a_key__names_the_variables(ask):
    _, code, _, err = ask("okx", key={})
    assert code == 2
    assert "PLIMSOLL_OKX_KEY, PLIMSOLL_OKX_SECRET, PLIMSOLL_OKX_PASSPHRASE: not set" in err


@pytest.mark.parametrize(
    ("venue", "part", "says"),
    [
        ("deribit", "secret", "deribit public/auth: the key was refused"),
        ("okx", "secret", "50113 Invalid Sign"),
        ("bybit", "secret", "10004 error sign!"),
        ("derive", "wallet", "refused with HTTP status 401; is the key right?"),
    ],
)
def test_live__a_wrong_key__exits_3_with_one_line_and_writes_nothing(ask, tmp_path, venue, part, says):
    _, code, out, err = ask(venue, key=KEYS[venue] | {part: "wrong"})
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert says in err
    assert list(tmp_path.iterdir()) == []


def test_live__a_derive_key_that_is_none__is_refused_without_repeating_it(ask):
    _, code, _, err = ask("derive", key=KEYS["derive"] | {"key": "0xnonsense"})
    assert (code, "nonsense" in err) == (2, False)
    assert "derive: key is no private key, or subaccount no number" in err


def test_live__a_busy_venue__is_asked_again(ask, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    double, code, _, err = ask("bybit", failures=[(429, ""), (503, "busy")])
    assert (code, err) == (0, "")
    assert len(set(double.asked)) == len(double.asked) - 2


@pytest.mark.parametrize(
    ("failures", "code", "says"),
    [
        ([(503, "")] * 9, 3, "failed 4 times: HTTP status 503"),
        ([(200, "<html>")], 2, "is not valid JSON"),
        ([(403, "")], 3, "refused with HTTP status 403"),
        ([(200, {"retCode": 0, "result": {"list": 5}})], 3, "result.list: expected a list of objects"),
    ],
)
def test_live__a_venue_that_fails__is_one_line_and_writes_nothing(ask, tmp_path, monkeypatch, failures, code, says):
    monkeypatch.setattr("time.sleep", lambda _: None)
    _, found, out, err = ask("bybit", failures=failures)
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert says in err
    assert list(tmp_path.iterdir()) == []


def test_live__out_of_reach_or_no_address__is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    for part, value in KEYS["bybit"].items():
        monkeypatch.setenv(f"PLIMSOLL_BYBIT_{part.upper()}", value)
    for url, code, says in (("http://127.0.0.1:9", 3, "failed 4 times"), ("ftp://x", 2, "is no http address")):
        assert run(["import", "bybit", "--live", "--url", url, "--portfolio", str(tmp_path / "P.json")]) == code
        shown = capsys.readouterr().err
        assert (says in shown, shown.count("\n")) == (True, 1)
