"""Answers of a node to a batch: each stands for itself, and none that is no answer does more than leave its own out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from eth_abi.abi import encode

from plimsoll.chain.revert import RevertError
from plimsoll.decide import AccountView
from plimsoll.errors import PlimsollError, UnavailableError
from plimsoll.keeper.calls import Question, call_data
from plimsoll.keeper.chain_margins import margin_requests, read_margins
from plimsoll.keeper.upkeep_calls import LOSS, Spot, queue_questions, read_queues, read_upkeep, upkeep_questions

WAD = 10**18
STATE = "(uint8,int256,int256,int256,uint256,uint256,uint256,(uint8)[])"
DEPLOYMENT: Any = SimpleNamespace(
    contracts={
        name: "0x" + f"{number:040x}" for number, name in enumerate(("MarginEngine", "Auction", "RangeRule", "Vault"))
    },
    underlyings={"ETH": 2, "BTC": 1},
    tokens={"USDC": SimpleNamespace(token_id=0, address="0x" + "11" * 20)},
)


def margin(equity: int, maintenance: int = 100) -> str:
    figures = (0, equity * WAD, equity * WAD, 0, 120 * WAD, maintenance * WAD, 0, [])
    return "0x" + encode([STATE], [figures]).hex()


def word(*values: int) -> str:
    return "0x" + b"".join(value.to_bytes(32, "big") for value in values).hex()


def test_margin_requests__one_block__is_asked_for_all():
    block = {"blockHash": "0x" + "ab" * 32}
    requests = margin_requests(DEPLOYMENT, [4, 5], block)
    assert [method for method, _ in requests] == ["eth_call", "eth_call"]
    assert [parameters[1] for _, parameters in requests] == [block, block]
    data = "0x" + call_data("MarginEngine", "auctionMarginOf", 5).hex()
    assert requests[1][1][0] == {"to": DEPLOYMENT.contracts["MarginEngine"], "data": data}


BROKEN = [None, "", "0x", "0x12", "0xzz", "0x1", 5, [], {}, margin(90)[:-64], margin(90)[:130]]


@pytest.mark.parametrize("answer", [*BROKEN, UnavailableError("node", "down")], ids=str)
def test_read_margins__answer_that_is_none__fails_its_own_account_alone(answer):
    found = read_margins([4, 5, 6], [margin(90), answer, margin(50)])
    assert found.views == {4: AccountView(4, 90.0, 90.0, 120.0, 100.0), 6: AccountView(6, 50.0, 50.0, 120.0, 100.0)}
    assert list(found.failed) == [5]
    assert found.refused == {}


def test_read_margins__revert__is_the_word_of_the_chain():
    found = read_margins([4, 5], [RevertError("eth_call", "Oracle__Stale", (1, 2)), margin(50)])
    assert found.refused == {4: "reverted with Oracle__Stale(1, 2)"}
    assert list(found.views) == [5]


def test_read_margins__short_batch__the_rest_is_asked_again():
    assert list(read_margins([4, 5], [margin(50)]).failed) == [5]


def test_question__any_broken_answer__is_one_typed_error():
    for answer in (*BROKEN[:-2], word(1)):
        with pytest.raises(PlimsollError, match=r"Vault\.queueOf"):
            Question("Vault", "queueOf", (0,)).read(answer)


def test_read_upkeep__one_broken_answer__leaves_its_own_part_out():
    spots = {"ETH": Spot(100, 2_000.0), "BTC": Spot(100, 60_000.0)}
    questions = upkeep_questions(DEPLOYMENT, spots, {9, 7})
    terms = word(1, WAD, 1, 1, 1, 1)
    seen = word(0, 50, 1_900 * WAD, 0, 2_100 * WAD, 0, 0, 0)
    answers = {
        LOSS: word(0),
        Question("RangeRule", "termsOf", (2,)): terms,
        Question("RangeRule", "observationOf", (2,)): seen,
        Question("RangeRule", "termsOf", (1,)): None,
        Question("RangeRule", "observationOf", (1,)): seen,
        Question("Vault", "queueOf", (0,)): word(3, 5),
        Question("Vault", "leftOf", (7,)): UnavailableError("node", "down"),
        Question("Vault", "leftOf", (9,)): word(10, 4),
    }
    assert set(questions) == set(answers)
    found = read_upkeep(DEPLOYMENT, questions, [answers[question] for question in questions], spots, {9: 2})
    (state,) = found.ranges
    assert (state.underlying, state.seen_ts, state.low, state.high) == ("ETH", 50, 1_900.0, 2_100.0)
    assert found.heads == {"USDC": 3}
    assert [(share.account_id, share.left_wad, share.release_count) for share in found.shares] == [(9, 4, 2)]
    assert not found.is_loss_open
    assert len(found.problems) == 2


def test_read_upkeep__open_loss_unknown__counts_as_open():
    questions = upkeep_questions(DEPLOYMENT, {}, ())
    assert read_upkeep(DEPLOYMENT, questions, [], {}, {}).is_loss_open
    assert read_upkeep(DEPLOYMENT, questions, [word(1), word(0, 0)], {}, {}).is_loss_open


def test_read_queues__request_and_payment__tell_what_a_call_would_do():
    heads = {"USDC": 3}
    assert [question.function for question in queue_questions(DEPLOYMENT, heads)] == ["requestOf", "payRequests"]
    request = "0x" + encode(["(uint64,uint64,uint128,address)"], [(4, 0, 50, "0x" + "22" * 20)]).hex()
    queues, problems = read_queues(DEPLOYMENT, heads, [request, word(20)])
    assert problems == ()
    assert [(queue.token, queue.first_id, queue.payable_raw) for queue in queues] == [("USDC", 3, 20)]
    assert queues[0].amount_raw == 50
    assert read_queues(DEPLOYMENT, heads, [request, None])[0] == ()
