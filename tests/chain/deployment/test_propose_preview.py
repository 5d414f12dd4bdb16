"""``plimsoll propose`` before anything is sent: every account before and after, against the change really made."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from plimsoll.chain import anvil
from plimsoll.chain.anvil import wallet
from plimsoll.chain.book import plain_rows
from plimsoll.chain.client import Client
from plimsoll.cli import run
from plimsoll.demo.plan import PlannedTrade
from plimsoll.demo.result import GasBook
from plimsoll.demo.world import build_world
from plimsoll.deployment.record import load_deployment
from plimsoll.deployment.spec import spec_for_market
from plimsoll.model import Kind, Market, Mode, Position, Round, Surface, Svi, Token
from plimsoll.params import BookSpec, Params
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.units import wad_to_float

NOW = 1_770_326_940
EXPIRY = NOW + 20 * 86_400
DEPLOYER = wallet("deployer")
STATES = ("healthy", "margin call", "liquidatable", "insolvent")
SHORT = Position("ETH", Kind.CALL, EXPIRY, 2_100.0, -5.0)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Four accounts with the same short calls on less and less cash, a market maker, and one that was closed."""
    svi = Svi(0.01, 0.05, -0.2, 0.0, 0.1)
    rounds = {"ETH": Round("ETH", NOW, 1_900.0, 1_899.5, 1.0, (Surface(EXPIRY, 1_905.0, 0.04, svi),))}
    market = Market(NOW, {"USDC": Token("USDC", 1.0, 0.0), "WETH": Token("WETH", None, 0.2, "ETH", 0.02)}, rounds)
    with anvil.running(NOW) as chain:
        client = Client(chain.url)
        world = build_world(client, spec_for_market(market, PARAMS, ()), GasBook())
        poster, relayer = RoundPoster(client, world.deployment, list(world.signers)), world.funded_wallet("relayer")
        poster.send(relayer, poster.round_call(market.rounds["ETH"]))
        poster.send(relayer, poster.tokens_call(NOW, own_prices(market)))
        maker = world.open("maker", Mode.SINGLE, 1e6, by_permit=False)
        ids = {}
        for name, cash in (("rich", 50_000.0), ("less", 2_700.0), ("poor", 2_000.0), ("poorest", 1_500.0)):
            holder = world.open(name, Mode.SINGLE, cash, by_permit=False)
            world.trade(holder, maker, PlannedTrade(SHORT, 40.0))
            ids[name] = holder.account_id
        accounts, gone = world.contract("Accounts"), world.funded_wallet("gone")
        ids["gone"] = accounts.call("nextAccountId")
        accounts.send(gone, "open", gone.address, 0)
        accounts.send(gone, "close", ids["gone"])
        path = tmp_path_factory.mktemp("deployment") / "D.json"
        world.deployment.save(path)
        yield SimpleNamespace(client=client, world=world, url=chain.url, path=path, ids=ids)


@pytest.fixture
def setter(found):
    """Set something as the governor; it is undone afterwards."""
    snapshot = found.client.rpc("evm_snapshot")
    # A client of its own: the nonces are those of the chain that is set back.
    client = Client(found.url)
    book = found.world.deployment.contract(client, "ScenarioBook")
    yield lambda function, *values: book.send(DEPLOYER, function, *values)
    found.client.rpc("evm_revert", snapshot)


@pytest.fixture
def preview(found, tmp_path, capsys):
    """Run the command on a document; return exit code and what it printed."""

    def asked(document, *options):
        path = tmp_path / "params.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        where = ["--rpc", found.url, "--deployment", str(found.path)]
        capsys.readouterr()
        code = run(["propose", "--params", str(path), *where, *options])
        shown = capsys.readouterr()
        return SimpleNamespace(code=code, out=shown.out, err=shown.err)

    return asked


def seen(preview, document):
    answer = preview(document, "--json")
    assert (answer.code, answer.err) == (0, "")
    return json.loads(answer.out)


def margins(found, ids):
    engine = found.world.deployment.contract(found.client, "MarginEngine")
    answers = [engine.call("marginOf", account_id) for account_id in ids]
    return [
        {"state": STATES[m.state], "equity": wad_to_float(m.equityWad), "initial": wad_to_float(m.initialWad),
         "maintenance": wad_to_float(m.maintenanceWad)}
        for m in answers
    ]  # fmt: skip


#: The default book with one tail, and skew at the centre alone.
BOOK = {
    "grid": {"moves": list(BookSpec().grid_moves), "vols": ["up", "flat", "down"]},
    "tails": {"moves": [4.0], "vols": ["up", "flat", "down"]},
    "skew": {"size": 0.25, "at": [{"move": 0.0, "vol": "flat"}]},
}
PARAMS = Params(overrides={"ETH": {"price_range": 0.18}})
RANGE = {"priceRangeWad": 2 * 10**17}
CHANGE = {"imFactor": 1.3, "mmFactor": 1.1, "priceRange": {"ETH": 0.27}, "shortMinRate": 0.02}


def test_preview__is_what_the_change_does(found, preview, setter):
    document = seen(preview, CHANGE)
    ids = [entry["account"] for entry in document["accounts"]]
    assert ids == [i for i in range(found.world.contract("Accounts").call("nextAccountId")) if i != found.ids["gone"]]
    assert [entry["before"] for entry in document["accounts"]] == margins(found, ids)
    assert [call["function"] for call in document["calls"]] == ["setBook", "setAccountParams"]
    names = [entry["name"] for entry in document["changes"]]
    assert names == ["account.mm_factor", "account.im_factor", "ETH.price_range", "ETH.short_min_rate"]
    book = found.world.contract("ScenarioBook")
    account, own = vars(book.call("accountParams")), vars(book.call("bookOf", 1).params)
    setter("setAccountParams", account | {"imFactorWad": 13 * 10**17, "mmFactorWad": 11 * 10**17})
    own |= {"priceRangeWad": 27 * 10**16, "shortMinRateWad": 2 * 10**16}
    setter("setBook", 1, own, book.call("bookOf", 1).rows)
    assert [entry["after"] for entry in document["accounts"]] == margins(found, ids)
    # Once it is so, the file changes nothing.
    assert "nothing to propose" in preview(CHANGE).err


def test_preview__names_who_falls_below_what(found, preview):
    ids, document = found.ids, seen(preview, CHANGE)
    fallen = {entry["account"]: entry["fallsBelow"] for entry in document["accounts"] if entry["fallsBelow"]}
    assert fallen == {ids["less"]: "initial", ids["poor"]: "maintenance", ids["poorest"]: "maintenance"}
    assert document["fallBelowInitial"] == [ids["less"]]
    assert document["fallBelowMaintenance"] == [ids["poor"], ids["poorest"]]
    shown = preview(CHANGE)
    assert shown.code == 0
    assert "2 would fall below maintenance, 1 below initial margin" in shown.out
    assert "ETH.price_range" in shown.out


def test_preview__short_already__does_not_fall(found, preview, setter):
    params = vars(found.world.contract("ScenarioBook").call("accountParams"))
    setter("setAccountParams", params | {"imFactorWad": 13 * 10**17, "mmFactorWad": 13 * 10**17})
    document = seen(preview, {"priceRange": {"ETH": 0.27}})
    poorest = next(entry for entry in document["accounts"] if entry["account"] == found.ids["poorest"])
    assert (poorest["before"]["state"], poorest["after"]["state"]) == ("liquidatable", "liquidatable")
    assert document["fallBelowMaintenance"] == [found.ids["less"], found.ids["poor"]]


def test_preview__sends_nothing(found, preview):
    before = found.client.block_number()
    seen(preview, CHANGE)
    assert found.client.block_number() == before


def test_preview__unnamed_parameters__stay_as_they_are_on_chain(found, preview, setter):
    book = found.world.contract("ScenarioBook")
    setter("setAccountParams", vars(book.call("accountParams")) | {"imFactorWad": 12 * 10**17})
    document = seen(preview, {"priceRange": {"ETH": 0.2}})
    assert [call["function"] for call in document["calls"]] == ["setBook"]
    rich = next(entry for entry in document["accounts"] if entry["account"] == found.ids["rich"])
    assert rich["after"]["initial"] / rich["after"]["maintenance"] == pytest.approx(1.2 / 0.8)


def test_preview__nothing_named__is_refused(preview):
    answer = preview({}, "--json")
    assert (answer.code, answer.out) == (2, "")
    assert "nothing to propose: the contracts hold these parameters already" in answer.err


def test_preview__accounts_named__are_the_only_ones(found, preview):
    answer = preview(CHANGE, "--json", "--account", str(found.ids["poor"]))
    assert [entry["account"] for entry in json.loads(answer.out)["accounts"]] == [found.ids["poor"]]
    gone = preview(CHANGE, "--account", str(found.ids["gone"]))
    assert gone.code == 2
    assert f"--account: {found.ids['gone']} does not exist" in gone.err


def test_preview__other_book__replaces_the_rows(found, preview, setter):
    document = seen(preview, {"book": BOOK})
    assert [entry["name"] for entry in document["changes"]] == ["ETH.book.tail_moves", "ETH.book.skew_at"]
    book = found.world.contract("ScenarioBook")
    stored = book.call("bookOf", 1)
    rows = plain_rows(stored.rows) | {"tailMovesWad": [4 * 10**18], "skewAt": [{"moveWad": 0, "vol": 1}]}
    setter("setBook", 1, stored.params, rows)
    ids = [entry["account"] for entry in document["accounts"]]
    assert [entry["after"] for entry in document["accounts"]] == margins(found, ids)


def test_preview__stale_market__is_said(found, preview):
    snapshot = found.client.rpc("evm_snapshot")
    found.client.rpc("evm_setNextBlockTimestamp", found.client.block_ts() + 10**7)
    found.client.rpc("evm_mine")
    document = seen(preview, CHANGE)
    entry = next(entry for entry in document["accounts"] if entry["account"] == found.ids["rich"])
    assert (entry["before"], entry["after"], entry["fallsBelow"]) == (None, None, None)
    assert "cannot be margined now" in " ".join(preview(CHANGE).out.split())
    found.client.rpc("evm_revert", snapshot)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"imFactr": 1.0}, "unknown key 'imFactr'"),
        ({"imFactor": "1"}, "imFactor"),
        ({"imFactor": 99}, "imFactor"),
        ("{", "params.json"),
        ({"priceRange": {"SOL": 0.2}}, "'SOL' is not an underlying"),
        ({"mmFactor": 1.5}, "is below mmFactor"),
        ({"imFactor": 1.0000001}, "ScenarioBook__ParameterStep"),
        ({"priceRange": 0.51}, "priceRange"),
        ({"book": "span"}, "book"),
    ],
)
def test_preview__bad_file__is_one_error_line(preview, document, message):
    answer = preview(document, "--json")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert message in answer.err


def test_preview__rows_that_governance_chose__stay_to_the_wei(found, preview, setter):
    """A third is no double: what a file does not name is sent back as it is stored."""
    book = found.world.contract("ScenarioBook")
    stored = book.call("bookOf", 1)
    third = 10**18 // 3
    rows = plain_rows(stored.rows) | {"gridMovesWad": [-(10**18), -third, 0, third + 1, 10**18]}
    setter("setBook", 1, stored.params, rows)
    (call,) = seen(preview, {"priceRange": 0.2})["calls"]
    assert bytes.fromhex(call["data"][2:]) == book.encode("setBook", 1, vars(stored.params) | RANGE, rows)


def test_preview__missing_files_options_and_nodes__are_refused(found, tmp_path, capsys):
    good = tmp_path / "p.json"
    good.write_text(json.dumps(CHANGE), encoding="utf-8")
    where = {"--params": str(good), "--rpc": found.url, "--deployment": str(found.path)}
    cases = [({"--params": str(tmp_path / "no.json")}, 2), ({"--deployment": str(tmp_path / "no.json")}, 2),
             ({"--rpc": "http://127.0.0.1:1"}, 3)]  # fmt: skip
    for changed, code in cases:
        words = [word for pair in (where | changed).items() for word in pair]
        assert run(["propose", *words]) == code
        assert capsys.readouterr().err.count("error: ") == 1
    for left_out in where:
        words = [word for pair in where.items() if pair[0] != left_out for word in pair]
        assert run(["propose", *words]) == 2
        assert left_out in capsys.readouterr().err


def test_preview__deployment_without_the_lens__is_refused(found, preview, tmp_path, capsys):
    document = json.loads(found.path.read_text(encoding="utf-8"))
    del document["contracts"]["ParameterPreview"]
    old, params = tmp_path / "old.json", tmp_path / "p.json"
    old.write_text(json.dumps(document), encoding="utf-8")
    params.write_text(json.dumps(CHANGE), encoding="utf-8")
    assert "ParameterPreview" not in load_deployment(old).contracts
    assert run(["propose", "--params", str(params), "--rpc", found.url, "--deployment", str(old)]) == 2
    assert "deployment: lacks ParameterPreview" in capsys.readouterr().err
