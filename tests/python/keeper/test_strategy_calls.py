"""The keeper's duty for a strategy vault: what it asks, what it makes of the answers, and that it works on a chain."""

from types import SimpleNamespace

import pytest

from plimsoll.chain.anvil import running
from plimsoll.chain.client import Client
from plimsoll.chain.revert import RevertError
from plimsoll.decide import SettleStrategy, StopStrategy, StrategyState, decide_strategy
from plimsoll.demo.strategy_vault import ROUND_SEC, SceneSettings, build_stage
from plimsoll.errors import PlimsollError
from plimsoll.keeper.encode import action_call
from plimsoll.keeper.strategy_calls import read_strategy, strategy_questions
from plimsoll.units import float_to_raw

START_TS = 1_770_000_000
WORD = "00" * 31
QUEUE = "0x" + "".join(f"{number:064x}" for number in (5, 4, 3, 1_700_000_000))
PRICE = "0x" + "".join(f"{number:064x}" for number in (7, 8, 9))


def refused(name):
    return RevertError("StrategyVault", name, ())


def test_questions__no_vault__none():
    assert strategy_questions(SimpleNamespace(contracts={"Vault": "0x1"})) == ()
    assert read_strategy(()) == (None, ())
    assert decide_strategy(None) == ()


def test_read__settlement_would_pass__is_due():
    answers = (QUEUE, PRICE, "0x" + WORD + "02", refused("StrategyVault__NotDue"))
    state, problems = read_strategy(answers)
    assert state == StrategyState(5, 4, 3, 1_700_000_000, 9, is_due=True, must_stop=False)
    assert problems == ()
    assert decide_strategy(state) == (SettleStrategy(5, 4, 3, 1_700_000_000),)


def test_read__stop_would_pass_without_a_price__comes_first():
    stale = refused("Oracle__Stale")
    state, problems = read_strategy((QUEUE, stale, stale, "0x"))
    assert problems == ()
    assert decide_strategy(state) == (StopStrategy(1_700_000_000, 0),)


def test_read__another_refusal__is_a_line_and_no_duty():
    answers = (QUEUE, PRICE, refused("Vault__Illiquid"), PlimsollError("node", "does not answer"))
    state, problems = read_strategy(answers)
    assert decide_strategy(state) == ()
    assert len(problems) == 2
    assert "Vault__Illiquid" in problems[0]


def test_read__no_queue__nothing_is_done():
    state, problems = read_strategy((PlimsollError("node", "does not answer"), PRICE, "0x" + WORD + "02", "0x"))
    assert state is None
    assert len(problems) == 1


@pytest.fixture(scope="module")
def stage():
    with running(START_TS) as chain:
        yield build_stage(Client(chain.url), START_TS, SceneSettings())


def test_duty__on_a_chain__closes_then_settles_and_is_done(stage):
    client, deployment = stage.world.client, stage.world.deployment
    person, raw = stage.people["first depositor"], float_to_raw(1_000.0, 6)
    token = deployment.token_contract(client, "USDC")
    token.send(person, "mint", person.address, raw)
    token.send(person, "approve", stage.vault.address, raw)

    def due():
        answers = []
        for question in strategy_questions(deployment):
            try:
                answers.append(client.rpc(*_flat(question.request(deployment, "latest"))))
            except RevertError as error:
                answers.append(error)
        state, problems = read_strategy(answers)
        assert problems == ()
        return decide_strategy(state)

    def act(intents):
        for intent in intents:
            call = action_call(deployment, intent)
            client.send(stage.keeper, call.target, call.data, 5_000_000, intent.key)

    assert due() == ()
    stage.vault.send(person, "requestDeposit", raw, person.address, person.address)
    (closing,) = due()
    act([closing])
    assert due() == ()
    stage.world.set_time(client.block_ts() + ROUND_SEC)
    stage.post(stage.spot)
    (settling,) = due()
    assert settling.key != closing.key
    act([settling])
    assert due() == ()
    assert stage.vault.call("maxDeposit", person.address) == raw


def _flat(request):
    method, parameters = request
    return method, *parameters
