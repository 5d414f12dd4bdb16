"""The scene of a strategy vault: deposits, a cycle of options within the mandate, the fee, a redemption."""

import json

import pytest

from plimsoll.cli import run
from plimsoll.decide.strategy import Strategy
from plimsoll.demo.strategy_vault import COVER, DEPOSITS, SPOT, SceneSettings, play_strategy

START_TS = 1_770_000_000


@pytest.fixture(scope="module")
def short_vol():
    return play_strategy(START_TS)


@pytest.fixture(scope="module")
def covered():
    return play_strategy(START_TS, SceneSettings(Strategy.COVERED_CALL, rounds=4))


def test_short_vol__a_week__everybody_can_be_paid_after_every_step(short_vol):
    assert short_vol.problems == ()
    assert short_vol.deposited == sum(DEPOSITS.values())
    assert short_vol.premium > 30_000


def test_short_vol__hedges__keep_delta_within_the_band_of_the_optimiser(short_vol):
    assert short_vol.band > 0.0
    assert short_vol.hedges > 0
    # The first entry is before the first hedge, the last after all is closed.
    assert all(abs(one.delta) <= short_vol.band + 1e-6 for one in short_vol.history[1:])
    assert short_vol.history[-1].delta == pytest.approx(0.0, abs=1e-9)


def test_short_vol__prices_calmer_than_sold__a_tenth_of_the_gain_is_the_fee(short_vol):
    gain = short_vol.history[-1].value - short_vol.deposited
    assert gain > 1_000.0
    assert short_vol.fee == pytest.approx(gain / 10, rel=1e-3)
    assert short_vol.price == pytest.approx(short_vol.high, rel=1e-9)


def test_short_vol__who_leaves__gets_the_share_of_what_is_left_after_the_fee(short_vol):
    after_fee = short_vol.history[-1].value - short_vol.fee
    assert short_vol.left_with == pytest.approx(after_fee * short_vol.left_by / short_vol.deposited, rel=1e-6)
    assert short_vol.left_with + short_vol.stays == pytest.approx(short_vol.history[-1].value, abs=0.01)


def test_covered_call__begins__with_half_the_value_in_perpetuals_and_no_hedge(covered):
    assert covered.problems == ()
    assert covered.hedges == 0
    units = COVER * sum(DEPOSITS.values()) / SPOT
    assert 0.0 < covered.history[0].delta < units
    assert covered.premium > 0.0


def test_covered_call__loss__takes_no_fee(covered):
    if covered.price < 1.0:
        assert covered.fee == 0.0
    assert covered.left_with == pytest.approx(covered.price * covered.left_by, rel=1e-6)


def test_command__document__is_the_story(capsys):
    assert run(["strategy", "run", "--strategy", "covered-call", "--rounds", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "plimsoll.strategy/1"
    assert document["conservation"] is True
    assert len(document["rounds"]) == 3


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--strategy", "martingale", "'martingale' is none of covered-call, short-vol"),
        ("--rounds", "42", "42 is outside 1 to 41"),
        ("--realised", "0", "0.0 is outside 0.01 to 3.0"),
    ],
)
def test_command__option_out_of_bounds__one_line(capsys, option, value, message):
    assert run(["strategy", "run", option, value]) == 2
    assert capsys.readouterr().err == f"error: {option}: {message}\n"
