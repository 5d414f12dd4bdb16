"""Pure rules: what refusals mean, what replaces a fee, what bounds there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.errors import InputError
from plimsoll.transact.answers import Answer, meaning, strongest
from plimsoll.transact.fees import Fees, Market, replacement
from plimsoll.transact.intent import coins
from plimsoll.transact.policy import TRANSACTION_GAS_CAP, Policy

WEI = st.integers(0, 10**12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("already known", Answer.KNOWN),
        ("AlreadyKnown", Answer.KNOWN),
        ("transaction already imported", Answer.KNOWN),
        ("replacement transaction underpriced", Answer.UNDERPRICED),
        ("ReplacementNotAllowed, New: 1 Old: 2", Answer.UNDERPRICED),
        ("transaction underpriced: gas tip cap 1, minimum needed 2", Answer.FEE_LOW),
        ("max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1", Answer.FEE_LOW),
        ("FeeTooLow, MaxFeePerGas too low", Answer.FEE_LOW),
        ("nonce too low: next nonce 8, tx nonce 7", Answer.NONCE_LOW),
        ("OldNonce, Current nonce: 8, nonce of rejected tx: 7", Answer.NONCE_LOW),
        ("nonce too high", Answer.NONCE_HIGH),
        ("insufficient funds for gas * price + value: balance 1, tx cost 2, overshot 1", Answer.NO_FUNDS),
        ("InsufficientFunds, Account balance: 0", Answer.NO_FUNDS),
        ("exceeds block gas limit", Answer.GAS),
        ("intrinsic gas too low", Answer.GAS),
        ("transaction gas limit too high (cap: 16777216, tx: 20000000)", Answer.GAS),
        ("bananas", Answer.REFUSED),
    ],
)
def test_meaning__texts_of_several_nodes__say_what_to_do(text, expected):
    assert meaning(f"eth_sendRawTransaction: {text}") is expected


def test_strongest__one_endpoint_has_it__it_is_sent():
    assert strongest([Answer.NO_FUNDS, Answer.ACCEPTED, Answer.NONE]) is Answer.ACCEPTED


def test_strongest__one_does_not_answer__it_is_not_refused_for_good():
    assert strongest([Answer.REFUSED, Answer.NONE]) is Answer.NONE
    assert strongest([Answer.REFUSED, Answer.GAS]) is Answer.GAS
    assert strongest([]) is Answer.NONE


@given(WEI, WEI, st.one_of(st.none(), WEI), WEI, st.booleans())
def test_replacement__any_fees__clear_the_minimum_and_keep_the_cap(max_wei, tip_wei, base_wei, suggested_wei, legacy):
    policy = Policy(max_fee_wei=10**12)
    last = Fees(max_wei, max_wei if legacy else min(tip_wei, max_wei), legacy)
    market = Market(None if legacy else base_wei, suggested_wei, suggested_wei)
    fees = replacement(last, market, policy)
    if fees is None:
        assert max_wei * 9 // 8 + 1 >= policy.max_fee_wei
        return
    assert fees.max_wei <= policy.max_fee_wei
    assert fees.tip_wei <= fees.max_wei
    for old, new in ((last.max_wei, fees.max_wei), (last.tip_wei, fees.tip_wei)):
        assert new > old
        assert 10 * new >= 11 * old


@given(WEI, WEI)
def test_opening__any_market__leaves_room_for_the_base_fee_and_keeps_the_cap(base_wei, tip_wei):
    policy = Policy(max_fee_wei=10**11, min_tip_wei=7)
    fees = Market(base_wei, tip_wei, 0).opening(policy)
    if fees is None:
        assert base_wei + 7 > policy.max_fee_wei
        return
    assert base_wei <= fees.max_wei <= policy.max_fee_wei
    assert 7 <= fees.tip_wei <= fees.max_wei


def test_gas_limit__estimate__is_a_fifth_more_and_never_above_the_cap():
    policy = Policy()
    assert policy.gas_limit(100_000) == 120_000
    assert policy.gas_limit(15_000_000) == TRANSACTION_GAS_CAP == 2**24


@pytest.mark.parametrize(
    "wrong",
    [{"bump_bps": 999}, {"max_fee_wei": 0}, {"confirmations": 0}, {"max_replacements": -1}, {"gas_margin_bps": 9_999}],
)
def test_policy__bound_that_cannot_be_kept__is_refused_by_name(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Policy(**wrong)


def test_coins__wei__are_exact():
    assert [coins(amount) for amount in (0, 1, 10**18, 1_500_000_000_000_000_001)] == [
        *("0", "0.000000000000000001", "1", "1.500000000000000001")
    ]
