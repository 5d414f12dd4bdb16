"""``plimsoll fund --config``: the fund by the index of a keeper, against the contracts' own word on every account."""

from __future__ import annotations

import json

import pytest
from helpers.keeper_runs import made

from plimsoll.cli import run

AGREEMENT = 1e-6  #: of gross notional, which is below this many units of cash
GROSS = 200_000.0
ACCOUNTS = 5  #: maker, three traders, bidder


def printed(capsys, *arguments):
    """Run the command; return its document and what it said on standard error."""
    capsys.readouterr()
    assert run(["fund", *map(str, arguments), "--json"]) == 0
    shown = capsys.readouterr()
    return json.loads(shown.out), shown.err


def test_config__before_a_keeper_has_run__says_so_and_makes_no_database(keeper_chain, config, tmp_path, capsys):
    path = config(keeper_chain.keeper)
    before = sorted(path.name for path in tmp_path.iterdir())
    assert run(["fund", "--config", str(path)]) == 2
    assert "does not exist: no keeper has run with it yet" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_config__the_index_of_a_keeper__says_what_the_contracts_say(keeper_chain, config, tmp_path, capsys):
    path = config(keeper_chain.keeper)
    made(path, once=True)
    by_index, said = printed(capsys, "--config", path)
    record = tmp_path / "deployment.json"
    by_contracts, _ = printed(capsys, "--rpc", keeper_chain.client.url, "--deployment", record)
    assert said == ""
    assert by_index["fund"] == pytest.approx(100_000.0)
    assert by_index["accounts"] == by_contracts["accounts"] == ACCOUNTS
    assert by_index["unknown"] == by_contracts["unknown"] == []
    assert by_index["cover"][1]["cost"] > 0.0
    for name in ("cover", "coverWithin"):
        for mine, theirs in zip(by_index[name], by_contracts[name], strict=True):
            assert mine["cost"] == pytest.approx(theirs["cost"], abs=AGREEMENT * GROSS)
            assert (mine["row"], mine["accounts"]) == (theirs["row"], theirs["accounts"])
    assert by_index["bears"] == by_contracts["bears"]
    assert 0 < by_index["block"] <= by_contracts["block"]


def test_config__an_index_far_behind_its_node__is_warned_of(keeper_chain, config, capsys):
    path = config(keeper_chain.keeper)
    made(path, once=True)
    keeper_chain.wait(3_600)
    _, said = printed(capsys, "--config", path)
    assert said.count("\n") == 1
    assert "s behind the node: is its keeper running?" in said
