"""``plimsoll fund`` on every account of a chain, against the same accounts in the mirror."""

from __future__ import annotations

import json

import pytest

from plimsoll.analytics.fund.size import fund_size
from plimsoll.analytics.fund.standing import standing_of
from plimsoll.chain import anvil
from plimsoll.chain.client import Client
from plimsoll.cli import run
from plimsoll.demo.plan import PlannedTrade
from plimsoll.demo.result import GasBook
from plimsoll.demo.world import build_world
from plimsoll.deployment.spec import spec_for_market
from plimsoll.mirror.margin_engine import evaluate_many
from plimsoll.model import Kind, Market, Mode, Position, Round, Surface, Svi, Token
from plimsoll.params import Params
from plimsoll.protocol.account import read_account
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.units import float_to_wad

NOW = 1_770_326_940
EXPIRY = NOW + 20 * 86_400
AGREEMENT = 1e-6  #: of gross notional
SHORT = Position("ETH", Kind.CALL, EXPIRY, 2_100.0, -5.0)
FUND = 12_345.0


@pytest.fixture(scope="module")
def market():
    svi = Svi(0.01, 0.05, -0.2, 0.0, 0.1)
    rounds = {"ETH": Round("ETH", NOW, 1_900.0, 1_899.5, 1.0, (Surface(EXPIRY, 1_905.0, 0.04, svi),))}
    return Market(NOW, {"USDC": Token("USDC", 1.0, 0.0), "WETH": Token("WETH", None, 0.2, "ETH", 0.02)}, rounds)


@pytest.fixture(scope="module")
def town(market, tmp_path_factory):
    """Client, deployment, its file and the holders: a maker, and two who could not pay a great rise."""
    with anvil.running(NOW) as chain:
        client = Client(chain.url)
        world = build_world(client, spec_for_market(market, Params(), ()), GasBook())
        poster, relayer = RoundPoster(client, world.deployment, list(world.signers)), world.funded_wallet("relayer")
        poster.send(relayer, poster.round_call(market.rounds["ETH"]))
        poster.send(relayer, poster.tokens_call(NOW, own_prices(market)))
        world.seed_fund(FUND)
        maker = world.open("maker", Mode.SINGLE, 1e6, by_permit=False)
        holders = [maker]
        for name, cash in (("less", 3_500.0), ("poor", 2_700.0)):
            holder = world.open(name, Mode.SINGLE, cash, by_permit=False)
            world.trade(holder, maker, PlannedTrade(SHORT, 40.0))
            holders.append(holder)
        path = tmp_path_factory.mktemp("deployment") / "D.json"
        world.deployment.save(path)
        yield chain.url, client, world.deployment, path, holders


def asked(url, path, capsys):
    """The document that the command prints."""
    assert run(["fund", "--rpc", url, "--deployment", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_fund__every_account_of_the_chain__is_what_the_mirror_makes_of_the_same_accounts(town, market, capsys):
    url, client, deployment, path, holders = town
    ids = [holder.account_id for holder in holders]
    document = asked(url, path, capsys)
    folios = [read_account(client, deployment, number).portfolio for number in ids]
    margins = evaluate_many(market, folios, Params())
    standing = standing_of([str(number) for number in ids], margins, Params())
    ours = fund_size(FUND, standing, Params()).to_json()
    gross = max(margin.gross_notional for margin in margins)
    assert document["fund"] == pytest.approx(FUND, abs=1e-9)
    assert document["accounts"] == len(ids)
    # The poorer of two with the same position leaves more.
    assert document["cover"][1]["accounts"] == [str(ids[2]), str(ids[1])]
    for name in ("cover", "coverWithin"):
        costs = [[cover["cost"] for cover in found[name]] for found in (document, ours)]
        assert costs[0] == pytest.approx(costs[1], abs=AGREEMENT * gross)
        assert [cover["row"] for cover in document[name]] == [cover["row"] for cover in ours[name]]
    assert document["cover"][0]["cost"] > 0.0


def test_fund__a_guarantee_line__pays_first_and_is_no_account(town, capsys):
    url, client, deployment, path, (maker, _, poor) = town
    before = asked(url, path, capsys)
    line = 1_000.0
    guarantees = deployment.contract(client, "Guarantees")
    guarantees.send(poor.wallet, "invite", poor.account_id, maker.account_id)
    terms = (float_to_wad(line), client.block_ts() + 30 * 86_400, 86_400)
    guarantees.send(maker.wallet, "give", maker.account_id, poor.account_id, *terms)
    after = asked(url, path, capsys)
    assert after["accounts"] == before["accounts"]
    assert after["lines"]["held"] == pytest.approx(line)
    assert after["lines"]["coverWithout"]["cost"] == pytest.approx(before["cover"][1]["cost"], rel=1e-6)
    # The loss falls by what the line holds, and with it the bonus, as long as that grows with the loss.
    saved = before["cover"][1]["cost"] - after["cover"][1]["cost"]
    assert line * (1.0 - 1e-6) <= saved <= 2.0 * line * (1.0 + 1e-6)
