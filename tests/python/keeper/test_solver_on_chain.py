"""Signed intents on a real deployment: what the solver finds, the contracts accept, to the bound that was signed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from helpers.local_chain import local_chain

from plimsoll.chain.revert import RevertError
from plimsoll.chain.signing import domain_of, sign, struct_types
from plimsoll.constants import WAD
from plimsoll.decide.solver import Desk, SolverRule, solve
from plimsoll.keeper.signed_intents import FUNCTIONS, read_intents, signed_intent, wish_of
from plimsoll.keeper.solver_calls import fill_call, quote_message
from plimsoll.keeper.view import market_of, portfolio_of
from plimsoll.units import wad_to_float

RULE = SolverRule(min_profit=1.0)


@pytest.fixture(scope="module")
def chain():
    with local_chain() as made:
        made.maker = made.world.open("maker", 0, 5_000_000.0, by_permit=False)
        made.owner = made.trader("owner", made.maker, 20_000.0, made.perp(20.0))
        made.solver = made.world.open("solver", 0, 200_000.0, by_permit=False)
        made.world.contract("Accounts").send(
            made.owner.wallet, "setApprovalForAll", made.deployment.contracts["Intents"], True
        )
        yield made


def signed(chain, kind, **fields):
    """An intent of the owner, signed with its key."""
    message = {
        "accountId": chain.owner.account_id,
        "transferCount": 0,
        "nonce": 7,
        "expiryTs": chain.client.block_ts() + 3_600,
        "signer": chain.owner.wallet.address,
        **fields,
    }
    contract = chain.world.contract("Intents")
    primary, types = struct_types(contract, FUNCTIONS[kind])
    ordered = {field["name"]: message[field["name"]] for field in types[primary]}
    signature = sign(chain.owner.wallet, domain_of(contract), primary, types, ordered)
    return signed_intent(kind, ordered, signature, chain.deployment)


def delta(chain, cost=40, low=4, high=6, excess=-(2**255), nonce=7):
    fields = {
        "underlyingId": chain.deployment.underlyings["ETH"],
        "kinds": 8,
        "minDeltaWad": low * WAD,
        "maxDeltaWad": high * WAD,
    }
    return signed(chain, "delta", **fields, maxCostWad=cost * WAD, minExcessWad=excess, nonce=nonce)


def filled(chain, intent, rule=RULE):
    """What the solver finds, and the transaction that settles it."""
    chain.sync()
    market = market_of(chain.state, chain.deployment)
    own, account = (
        portfolio_of(chain.state, i, chain.deployment) for i in (chain.solver.account_id, intent.account_id)
    )
    fill = solve(wish_of(intent, chain.deployment), account, Desk(market, own, chain.params, rule))
    if fill is None:
        return None, None
    solver = chain.solver
    quote = quote_message(fill, intent, solver.account_id, solver.wallet.address, 0, chain.deployment)
    return fill, fill_call(intent, quote, solver.wallet, chain.world.contract("Exchange"), chain.deployment)


def send(chain, call):
    receipt = chain.client.send(chain.relayer, call.target, call.data, source=call.key)
    (event,) = [values for name, values in chain.world.contract("Intents").events(receipt) if name == "IntentFilled"]
    return event


def test_solve__delta_intent__is_settled_at_the_cost_that_was_signed(chain):
    intent = delta(chain)
    assert intent.digest == "0x" + chain.world.contract("Intents").call("hashOfDelta", intent.message).hex()
    fill, call = filled(chain, intent)
    assert call.key == f"intent:{intent.digest}"
    event = send(chain, call)
    assert "0x" + event.digest.hex() == intent.digest
    assert event.solverId == chain.solver.account_id
    # The solver asks for 99.9 % of the 40 that were signed, and the chain measures what the mirror said.
    assert wad_to_float(event.costWad) == pytest.approx(0.999 * 40, abs=1e-6)
    assert fill.cost == pytest.approx(wad_to_float(event.costWad), abs=1e-6)
    assert fill.profit == pytest.approx(fill.cost, rel=1e-6)
    chain.sync()
    (word,) = chain.state.accounts[chain.owner.account_id].words
    assert wad_to_float(word & (2**128 - 1)) == pytest.approx(6.0, abs=1e-3)
    # Again it is no work, and for whoever tries the contract says why.
    assert filled(chain, intent) == (None, None)
    with pytest.raises(RevertError, match="Intents__Filled"):
        send(chain, call)
    assert "Intents__Filled" in call.already_done


def test_solve__close_intent__is_settled(chain):
    chain.sync()
    excess = chain.ask([chain.owner.account_id]).views[chain.owner.account_id]
    bound = int((excess.equity - excess.initial + 500.0) * WAD)
    intent = signed(chain, "close", minExcessWad=bound, maxCostWad=30 * WAD, nonce=8)
    assert intent.digest == "0x" + chain.world.contract("Intents").call("hashOfClose", intent.message).hex()
    fill, call = filled(chain, intent)
    event = send(chain, call)
    assert wad_to_float(event.costWad) == pytest.approx(fill.cost, abs=1e-6)
    then = chain.ask([chain.owner.account_id]).views[chain.owner.account_id]
    assert then.equity - then.initial >= bound / WAD


@pytest.mark.parametrize(
    ("rule", "cost"),
    [
        (replace(RULE, min_profit=50.0), 40),
        (replace(RULE, gas_cost=39.5), 40),
        (RULE, 0),
        (replace(RULE, cushion=1e6), 40),
    ],
)
def test_solve__does_not_pay_or_is_too_large__no_fill(chain, rule, cost):
    assert filled(chain, delta(chain, cost, low=-30, high=-25, nonce=9), rule) == (None, None)


def test_solve__more_excess_signed_than_a_trade_brings__no_fill(chain):
    assert filled(chain, delta(chain, low=-30, high=-25, excess=10**6 * WAD, nonce=9)) == (None, None)


def document(*entries):
    return json.dumps({"schema": "plimsoll.intents/1", "intents": list(entries)})


def entry(intent):
    plain = {name: str(value) for name, value in intent.message.items()}
    return {"kind": intent.kind, "intent": plain, "signature": "0x" + intent.signature.hex()}


def test_read_intents__bad_entries__leave_the_good_ones(chain):
    good = delta(chain)
    bad = entry(good)
    entries = [
        entry(good),
        5,
        {**bad, "kind": "swap"},
        {**bad, "intent": {}},
        {**bad, "signature": "0xzz"},
        {**bad, "intent": {**bad["intent"], "nonce": "-1"}},
        {**bad, "intent": {**bad["intent"], "nonce": 1.5}},
        {**bad, "intent": {**bad["intent"], "nonce": "9" * 5_000}},
        {**bad, "intent": {**bad["intent"], "kinds": 256}},
        {**bad, "intent": {**bad["intent"], "signer": "nobody"}},
    ]
    found, problems = read_intents(document(*entries), "inbox.json", chain.deployment)
    assert found == (good,)
    assert len(problems) == len(entries) - 1
    assert all(line.startswith(f"inbox.json, intent {number}") for number, line in enumerate(problems, 1))
