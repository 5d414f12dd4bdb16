"""An account that really traded, through the index into dashboard and report, against the contracts' own view of it."""

from __future__ import annotations

import json

import pytest
from helpers.no_feed import NoFeed

from plimsoll.chain import anvil
from plimsoll.chain.anvil import wallet
from plimsoll.chain.book import plain_rows
from plimsoll.chain.client import Client
from plimsoll.cli import run
from plimsoll.demo.keeper.encoder import Encoder
from plimsoll.demo.keeper.loop import Keeper
from plimsoll.demo.plan import PlannedTrade
from plimsoll.demo.result import GasBook
from plimsoll.demo.world import build_world
from plimsoll.deployment.record import load_deployment
from plimsoll.deployment.spec import spec_for_market
from plimsoll.index.store import MEMORY, Store
from plimsoll.index.sync import Index
from plimsoll.keeper.account_feed import AccountFeed
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Kind, Market, Mode, Position, Round, Surface, Svi, Token
from plimsoll.params import Params
from plimsoll.protocol.account import read_account
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.transact.journal import Journal
from plimsoll.transact.sender import Policy, Transactor
from plimsoll.units import wad_to_float

NOW = 1_770_326_940
AGREEMENT = 1e-6  #: of gross notional
EXPIRY = NOW + 20 * 86_400


@pytest.fixture(scope="module")
def market():
    svi = Svi(0.01, 0.05, -0.2, 0.0, 0.1)
    rounds = {"ETH": Round("ETH", NOW, 1_900.0, 1_899.5, 1.0, (Surface(EXPIRY, 1_905.0, 0.04, svi),))}
    tokens = {"USDC": Token("USDC", 1.0, 0.0), "WETH": Token("WETH", None, 0.2, "ETH", 0.02, 1.0)}
    return Market(NOW, tokens, rounds)


@pytest.fixture(scope="module")
def deployed(market, tmp_path_factory):
    """Address of a local chain, the artefact, and the account of the taker."""
    with anvil.running(NOW) as chain:
        client = Client(chain.url)
        world = build_world(client, spec_for_market(market, Params(), ()), GasBook())
        relayer = world.funded_wallet("relayer")
        poster = RoundPoster(client, world.deployment, list(world.signers))
        poster.send(relayer, poster.round_call(market.rounds["ETH"]))
        poster.send(relayer, poster.tokens_call(NOW, own_prices(market)))
        maker = world.open("maker", Mode.SINGLE, 1e6, by_permit=False)
        taker = world.open("taker", Mode.SINGLE, 20_000.0, by_permit=False)
        world.deposit(taker, "WETH", 2.0)
        for position, price in (
            (Position("ETH", Kind.CALL, EXPIRY, 2_100.0, -5.0), 40.0),
            (Position("ETH", Kind.PERP, 0, 1_900.0, 1.0), 1_900.0),
        ):
            world.trade(taker, maker, PlannedTrade(position, price))
        path = tmp_path_factory.mktemp("deployment") / "D.json"
        world.deployment.save(path)
        yield chain.url, path, taker.account_id


def test_the_feed_sees_what_the_contracts_hold(deployed):
    url, path, account_id = deployed
    feed = AccountFeed(url, path, account_id)
    seen = feed.read()
    held = {(p.kind, p.price, p.quantity) for p in seen.portfolio.positions}
    assert held == {(Kind.CALL, 2_100.0, -5.0), (Kind.PERP, 1_900.0, 1.0)}
    from plimsoll.deployment.record import load_deployment

    chain = read_account(Client(url), load_deployment(path), account_id).margin
    ours = evaluate(seen.market, seen.portfolio, feed.params)
    for name in ("equity", "initial_margin", "maintenance_margin"):
        assert getattr(ours, name) == pytest.approx(getattr(chain, name), abs=AGREEMENT * ours.gross_notional)
    assert not seen.auction


def test_watch_and_report_from_a_deployment(deployed, tmp_path, capsys, monkeypatch):
    url, path, account_id = deployed
    monkeypatch.setattr("plimsoll.cli.report.find_data", lambda: None)
    where = ["--rpc", url, "--deployment", str(path)]
    assert run(["watch", str(account_id), *where, "--data", str(tmp_path / "index"), "--json"]) == 0
    look = json.loads(capsys.readouterr().out)
    assert run(["report", str(account_id), *where, "--out", str(tmp_path / "r.html")]) == 0
    capsys.readouterr()
    written = json.loads((tmp_path / "r.json").read_text())
    assert written["margin"]["equity"] == pytest.approx(look["margin"]["equity"])
    assert (tmp_path / "index").is_dir()
    assert run(["watch", "99", *where, "--json"]) == 2
    assert "account: 99 does not exist" in capsys.readouterr().err
    assert run(["report", "99", *where, "--out", str(tmp_path / "x.html")]) == 2
    assert not (tmp_path / "x.html").exists()


def test_the_feed_follows_a_change_of_parameters(deployed, tmp_path, capsys):
    url, path, account_id = deployed
    where = ["--rpc", url, "--deployment", str(path)]
    before = AccountFeed(url, path, account_id)
    held = evaluate(before.read().market, before.read().portfolio, before.params)
    (tmp_path / "P.json").write_text(json.dumps({"priceRange": {"ETH": 0.3}, "mmFactor": 0.9}))
    arguments = ["propose", "--params", str(tmp_path / "P.json"), *where, "--account", str(account_id), "--json"]
    assert run([*arguments, "--execute"]) == 0
    effect = json.loads(capsys.readouterr().out)["accounts"][0]
    foreseen = [side["equity"] - side["initial"] for side in (effect["before"], effect["after"])]
    assert foreseen[0] == pytest.approx(held.equity - held.initial_margin, abs=1e-3)

    feed = AccountFeed(url, path, account_id)
    seen = feed.read()
    assert feed.params.for_underlying("ETH").price_range == 0.3
    assert feed.params.account.mm_factor == 0.9
    ours = evaluate(seen.market, seen.portfolio, feed.params)
    assert foreseen[1] == pytest.approx(ours.equity - ours.initial_margin, abs=1e-3)
    assert run(["watch", str(account_id), *where, "--json"]) == 0
    look = json.loads(capsys.readouterr().out)
    assert look["margin"]["initialMargin"] == pytest.approx(ours.initial_margin)
    assert look["margin"]["initialMargin"] > held.initial_margin


def test_the_keeper_follows_a_change_of_parameters_and_limits(deployed):
    url, path, account_id = deployed
    client, deployment, governor = Client(url), load_deployment(path), wallet("deployer")
    transactor = Transactor(client, wallet("keeper"), Journal(None), Policy(), clock=client.block_ts)
    index, encoder = Index(client, deployment, Store(MEMORY)), Encoder(client, deployment, NoFeed(), None)
    keeper = Keeper(client, deployment, index, encoder, transactor, None)
    keeper.observe()
    before = keeper.margins([account_id])[account_id].initial_margin

    book, oracle = deployment.contract(client, "ScenarioBook"), deployment.contract(client, "Oracle")
    book.send(governor, "setAccountParams", {**vars(book.call("accountParams")), "imFactorWad": 2 * 10**18})
    oracle.send(governor, "setLimits", 7_200, oracle.call("maxMoveWad"), oracle.call("maxVarianceMoveWad"))
    assert keeper.observe().heartbeat_sec == 7_200
    after = keeper.margins([account_id])[account_id].initial_margin
    there = deployment.contract(client, "MarginEngine").call("marginOf", account_id)
    assert after == pytest.approx(wad_to_float(there.initialWad), rel=AGREEMENT)
    assert after > 1.5 * before

    # Rows of governance's own making: they are margined like any others.
    stored = book.call("bookOf", 1)
    rows = plain_rows(stored.rows) | {"tailMovesWad": [4 * 10**18], "skewAt": [{"moveWad": 0, "vol": 2}]}
    book.send(governor, "setBook", 1, stored.params, rows)
    keeper.observe()
    there = deployment.contract(client, "MarginEngine").call("marginOf", account_id)
    ours = keeper.margins([account_id])[account_id]
    assert ours.initial_margin == pytest.approx(wad_to_float(there.initialWad), rel=AGREEMENT)
    assert keeper.observe().posted_round_ts == {"ETH": NOW}
