"""Exchange listing rules and the pause of one instrument; tried through a quote, which needs one signature."""

import pytest
from brownie import chain

from plimsoll.model import Kind
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import ETH, WAD, future, option, perp
from tests.chain.helpers.orders import sign_quote

HOUR, DAY = 3_600, 86_400
STEP_E8 = 50 * 10**8
RULES = (15, HOUR, 365 * DAY, STEP_E8)
CALL_BIT, PUT_BIT, FUTURE_BIT, PERP_BIT = 1, 2, 4, 8


@pytest.fixture
def hour():
    """A full hour, a week ahead."""
    return (chain[-1].timestamp // HOUR + 168) * HOUR


@pytest.fixture
def fill(exchange, buyer, seller, trader, maker):
    def send(instrument, nonce=1):
        legs = [(instrument, True, WAD, 50 * WAD)]
        quote = (seller, buyer, legs, nonce, chain[-1].timestamp + HOUR, maker.address, 0, 0)
        return exchange.fillQuote(quote, sign_quote(exchange, maker, quote), buyer, 0, {"from": trader})

    return send


def test_set_rules__event_and_view__tell_them(exchange, governor):
    tx = exchange.setRules(ETH, RULES, {"from": governor})
    assert tuple(tx.events["RulesSet"]["rules"]) == RULES
    assert tuple(exchange.rulesOf(ETH)) == RULES


def test_fill__within_the_rules__fills(exchange, governor, fill, hour):
    exchange.setRules(ETH, RULES, {"from": governor})
    for instrument in (option(hour, 2_050), option(hour, 2_000, Kind.PUT), future(hour), perp()):
        fill(instrument)


def test_fill__underlying_without_rules__reverts_KindNotListed(fill):
    with reverts_with("Exchange__KindNotListed", 2, 3):
        fill(perp() + (1 << 248))


@pytest.mark.parametrize(
    ("bit", "kind"), [(CALL_BIT, Kind.CALL), (PUT_BIT, Kind.PUT), (FUTURE_BIT, Kind.FUTURE), (PERP_BIT, Kind.PERP)]
)
def test_fill__kind_left_out__reverts_KindNotListed(exchange, governor, fill, hour, bit, kind):
    words = {Kind.FUTURE: future(hour), Kind.PERP: perp()}
    word = words.get(kind, option(hour, 2_000, kind))
    exchange.setRules(ETH, (15 - bit, *RULES[1:]), {"from": governor})
    with reverts_with("Exchange__KindNotListed", ETH, int(kind)):
        fill(word)
    exchange.setRules(ETH, (bit, *RULES[1:]), {"from": governor})
    fill(word)


def test_fill__no_such_kind__reverts_KindNotListed(exchange, governor, fill, hour):
    exchange.setRules(ETH, (255, *RULES[1:]), {"from": governor})
    with reverts_with("Exchange__KindNotListed", ETH, 8):
        fill(ETH << 248 | 8 << 240 | hour << 200)


def test_fill__between_expiries__reverts_ExpiryNotListed(exchange, governor, fill, hour):
    exchange.setRules(ETH, RULES, {"from": governor})
    for instrument in (option(hour + 1, 2_000), future(hour + 1)):
        with reverts_with("Exchange__ExpiryNotListed", hour + 1, HOUR):
            fill(instrument)


def test_fill__too_far_away__reverts_ExpiryTooFar(exchange, governor, fill, hour):
    exchange.setRules(ETH, (15, HOUR, DAY, STEP_E8), {"from": governor})
    with reverts_with("Exchange__ExpiryTooFar"):
        fill(option(hour, 2_000))
    fill(option(hour - 160 * HOUR, 2_000))


def test_fill__between_strikes__reverts_StrikeNotListed(exchange, governor, fill, hour):
    exchange.setRules(ETH, RULES, {"from": governor})
    with reverts_with("Exchange__StrikeNotListed", 2_049 * 10**8, STEP_E8):
        fill(option(hour, 2_049))


def test_pause_instrument__that_one__stops_and_goes_on(exchange, governor, fill, expiry):
    word = option(expiry, 2_000)
    tx = exchange.pauseInstrument(word, {"from": governor})
    assert tx.events["InstrumentPauseSet"] == {"instrument": word, "paused": True}
    assert exchange.isInstrumentPaused(word)
    with reverts_with("Exchange__InstrumentPaused", word):
        fill(word)
    fill(option(expiry, 2_001))
    fill(option(expiry, 2_000, Kind.PUT))
    exchange.unpauseInstrument(word, {"from": governor})
    fill(word)


def test_pause_instrument__linear__whatever_its_entry(exchange, governor, fill):
    exchange.pauseInstrument(perp(1_900), {"from": governor})
    with reverts_with("Exchange__InstrumentPaused", perp()):
        fill(perp())


@pytest.mark.parametrize("rules", [(15, 0, DAY, 1), (15, 1, DAY, 0)])
def test_set_rules__no_step__reverts_ZeroStep(exchange, governor, rules):
    with reverts_with("Exchange__ZeroStep", rules[1], rules[3]):
        exchange.setRules(ETH, rules, {"from": governor})


@pytest.mark.parametrize(
    ("name", "values"), [("setRules", (ETH, RULES)), ("pauseInstrument", (1,)), ("unpauseInstrument", (1,))]
)
def test_listing__stranger__reverts_AccessManagedUnauthorized(exchange, stranger, name, values):
    with reverts_with("AccessManagedUnauthorized"):
        getattr(exchange, name)(*values, {"from": stranger})
