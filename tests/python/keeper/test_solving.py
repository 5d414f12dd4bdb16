"""Signed intents that a keeper is handed: filled once where that pays, and a bad document stops nothing else."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from aiohttp import web
from helpers.keeper_runs import keystore, made
from helpers.venue_server import serving

from plimsoll.chain.signing import domain_of, sign, struct_types
from plimsoll.constants import WAD
from plimsoll.errors import InputError
from plimsoll.keeper.config import load_config
from plimsoll.keeper.signed_intents import FUNCTIONS
from plimsoll.units import wad_to_float


@pytest.fixture
def asked(keeper_chain, config, tmp_path):
    """A keeper that solves, and an owner who wants most of a perpetual closed at a cost."""
    chain = keeper_chain
    owner = chain.traders[2]
    chain.world.contract("Accounts").send(
        owner.wallet, "setApprovalForAll", chain.deployment.contracts["Intents"], True
    )
    keystore(tmp_path, "solver", chain.bidder.wallet)
    contract = chain.world.contract("Intents")

    def intent(cost, nonce=7):
        message = {
            "accountId": owner.account_id,
            "transferCount": 0,
            "nonce": nonce,
            "expiryTs": chain.client.block_ts() + 3_600,
            "signer": owner.wallet.address,
            "underlyingId": chain.deployment.underlyings["ETH"],
            "kinds": 8,
            "minDeltaWad": 4 * WAD,
            "maxDeltaWad": 6 * WAD,
            "maxCostWad": cost * WAD,
            "minExcessWad": -(2**255),
        }
        primary, types = struct_types(contract, FUNCTIONS["delta"])
        ordered = {field["name"]: message[field["name"]] for field in types[primary]}
        signature = sign(owner.wallet, domain_of(contract), primary, types, ordered)
        plain = {name: str(value) for name, value in ordered.items()}
        return {"kind": "delta", "intent": plain, "signature": "0x" + signature.hex()}

    def path(source, *more):
        section = ("[solver]", f'intents = "{source}"', f"account = {chain.bidder.account_id}", *more)
        key = ("[solver.key]", 'keystore = "solver.json"', 'pass_file = "password"')
        return config(chain.keeper, *section, *key)

    def write(*entries):
        text = json.dumps({"schema": "plimsoll.intents/1", "intents": list(entries)})
        (tmp_path / "intents.json").write_text(text, encoding="utf-8")
        return text

    return SimpleNamespace(chain=chain, owner=owner, intent=intent, path=path, write=write)


def held(asked):
    asked.chain.sync()
    (word,) = asked.chain.state.accounts[asked.owner.account_id].words
    return wad_to_float(word & (2**128 - 1))


def fills(lines):
    return [line for line in lines if line.startswith("intent:")]


def test_intents__one_that_pays_among_bad_and_poor_ones__is_filled_once(asked):
    chain = asked.chain
    chain.post(1_900.0)
    asked.write(asked.intent(1, nonce=9), {"kind": "swap"}, 5, asked.intent(60))
    path = asked.path("file:intents.json", "hedge_cost = 0.0")
    first = made(path, once=True)
    assert held(asked) == pytest.approx(6.0, abs=1e-3), first
    assert [line.split()[1] for line in fills(first)] == ["sent", "done"], first
    assert len(chain.state.intents) == 1
    second = made(path, once=True)
    assert fills(second) == [], second


def test_intents__from_a_service__are_filled(asked):
    asked.chain.post(1_900.0)
    text = asked.write(asked.intent(60))
    with serving(lambda _: web.Response(text=text, content_type="application/json")) as url:
        lines = made(asked.path(url, "hedge_cost = 0.0"), once=True)
    assert held(asked) == pytest.approx(6.0, abs=1e-3), lines


@pytest.mark.parametrize("garbage", ["", '{"schema": "plimsoll.intents/1"}'])
def test_intents__no_document__stops_no_liquidation(asked, tmp_path, garbage):
    chain = asked.chain
    (tmp_path / "intents.json").write_text(garbage, encoding="utf-8")
    chain.post(1_600.0)
    lines = made(asked.path("file:intents.json"), once=True)
    chain.sync()
    assert set(chain.state.auctions) == {chain.traders[1].account_id}, lines
    assert fills(lines) == []


@pytest.mark.parametrize(
    ("word", "message"), [("intents.json", "solver.intents: is no address"), ("file:", "solver.intents: an empty path")]
)
def test_load__intents_from_nowhere__is_one_line(asked, word, message):
    with pytest.raises(InputError, match=message):
        load_config(asked.path(word))
