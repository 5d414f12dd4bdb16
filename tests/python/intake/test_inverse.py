"""Inverse contracts as linear ones and coins: equal in exact fractions at every price, not near it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as Fr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.errors import InputError
from plimsoll.intake.book import Book, Leg, book_of, counted_value, leg_of
from plimsoll.intake.contract import deribit_contract
from plimsoll.intake.statement import Balance, Holding, Statement
from plimsoll.market.chain_rows import ChainRows
from plimsoll.mirror.linear import linear_unit
from plimsoll.model import Kind, Round, Surface, Svi

PRICES = st.fractions(Fr(1, 1_000), 10**6, max_denominator=10**4)
SIZES = st.fractions(-(10**7), 10**7, max_denominator=100).filter(lambda size: size != 0)
COINS = st.fractions(-(10**4), 10**4, max_denominator=10**6)
PERP, FUTURE = deribit_contract("ETH-PERPETUAL"), deribit_contract("ETH-27MAR26")
LINEAR = deribit_contract("ETH_USDC-PERPETUAL")
PUT = deribit_contract("ETH-27MAR26-1800-P")


def holding(contract, size, entry=None, mark=None):
    return Holding(contract, size, entry, mark, "f")


def statement(holdings=(), **balances):
    found = Statement("deribit", ChainRows("deribit"))
    found.holdings += holdings
    found.balances.update(balances)
    return found


def coin_pnl(size, entry, price):
    """The venue's definition: coins that an inverse contract of so many USD has made."""
    return size * (1 / entry - 1 / price)


def worth(book, spot, perp=None, discount=Fr(1), future=None):
    """Value of a book of one underlying without options, cash."""
    total = book.cash + book.tokens.get("WETH", Fr(0)) * spot
    for leg in book.legs.values():
        price = (perp or spot) if leg.kind is Kind.PERP else future
        scale = Fr(1) if leg.kind is Kind.PERP else discount
        total += scale * leg.quantity * (price - leg.entry)
    return total


@given(SIZES, PRICES, PRICES)
def test_perpetual__at_spot__is_the_linear_one_of_as_many_coins_as_the_entry_bought(size, entry, spot):
    leg = leg_of(holding(PERP, size, entry))
    assert coin_pnl(size, entry, spot) * spot == leg.quantity * (spot - entry) == leg.quantity * spot - size
    assert (leg.quantity, leg.entry) == (size / entry, entry)


@given(SIZES, PRICES, PRICES, PRICES)
def test_future__at_any_spot_and_forward__is_the_linear_one_discounted_by_their_ratio(size, entry, spot, forward):
    leg = leg_of(holding(FUTURE, size, entry))
    discount = spot / forward
    assert coin_pnl(size, entry, forward) * spot == discount * leg.quantity * (forward - entry)


def test_future__in_the_mirror__is_discounted_by_that_ratio():
    """The identity above holds in our own engine: its discount is exp(-rT), and a fitted rate is ln(F/S)/T."""
    years, rate, spot = 50 / 365, 0.05, 2_000.0
    import math

    forward = spot * math.exp(rate * years)
    ts = 1_774_598_400 - 50 * 86_400
    surface = Surface(1_774_598_400, forward, rate, Svi(0.01, 0.05, 0.0, 0.0, 0.1))
    unit = linear_unit(Round("ETH", ts, spot, spot, 1.0, (surface,)), Kind.FUTURE, 1_774_598_400)
    size, entry = 12_000.0, 1_900.0
    coins = size * (1 / entry - 1 / forward)
    assert size / entry * unit.value(entry) == pytest.approx(coins * spot, rel=1e-12)


@given(SIZES, PRICES, PRICES, PRICES)
def test_perpetual__away_from_spot__differs_by_the_premium_alone(size, entry, spot, perp):
    leg = leg_of(holding(PERP, size, entry))
    assert leg.quantity * (perp - entry) == coin_pnl(size, entry, perp) * spot * (perp / spot)


@given(SIZES, PRICES, PRICES, PRICES, COINS)
def test_account__at_every_spot__is_worth_what_the_inverse_account_is(size, entry, mark, spot, cash_coins):
    """Equity of the coin, as the venue states it at its mark; then the price moves anywhere."""
    equity = cash_coins + coin_pnl(size, entry, mark)
    state = statement([holding(PERP, size, entry, mark)], ETH=Balance(equity, True))
    state.spots["ETH"] = mark
    book = book_of(state)
    assert worth(book, spot) == (cash_coins + coin_pnl(size, entry, spot)) * spot


@given(SIZES, PRICES, PRICES, PRICES, PRICES, COINS)
def test_account__whatever_entry_is_named__is_worth_the_same(size, entry, other, mark, spot, equity):
    """Deribit settles profit into the balance every day; the entry that it shows moves coins, and no value."""
    books = []
    for named in (entry, other):
        state = statement([holding(PERP, size, named, mark)], ETH=Balance(equity, True))
        state.spots["ETH"] = mark
        books.append(book_of(state))
    assert worth(books[0], spot) == worth(books[1], spot)


@given(st.lists(st.tuples(SIZES, PRICES), min_size=1, max_size=5), PRICES)
def test_netting__of_any_legs_of_one_instrument__keeps_the_value_at_every_price(legs, spot):
    book = Book()
    for size, entry in legs:
        book.add(Leg("ETH", Kind.PERP, 0, Fr(0), size, entry))
    assert worth(book, spot) == sum(size * (spot - entry) for size, entry in legs)
    assert len(book.legs) <= 1
    turned = Book()
    for size, entry in reversed(legs):
        turned.add(Leg("ETH", Kind.PERP, 0, Fr(0), size, entry))
    assert (turned.legs, turned.cash) == (book.legs, book.cash)


@given(PRICES, PRICES, st.fractions(Fr(1, 100), 10**4, max_denominator=10**4))
def test_debt_of_coins__is_a_short_perpetual_and_owed_cash(entry_spot, spot, owed):
    state = statement([], ETH=Balance(-owed, False))
    state.spots["ETH"] = entry_spot
    book = book_of(state)
    assert worth(book, spot) == -owed * spot
    assert any("owed: a short perpetual" in said for said in state.said)


@given(PRICES, st.fractions(-(10**3), 10**3, max_denominator=100), COINS, PRICES)
def test_options__paid_in_coin__leave_the_coins_without_their_premium(mark, size, equity, spot):
    state = statement([holding(PUT, size, None, mark)], ETH=Balance(equity, True))
    state.spots["ETH"] = spot
    book = book_of(state)
    # The options themselves are worth mark*spot each, as the venue counts them.
    assert (
        worth(replace(book, legs={k: v for k, v in book.legs.items() if v.kind is Kind.PERP}), spot)
        == (equity - size * mark) * spot
    )


def test_recorded__profits_of_deribit__are_those_of_the_definition():
    """An answer of the venue: total profit from the mean price, floating from the last settlement."""
    size, entry, mark, settled = Fr(-540), Fr("2093.33"), Fr("2219.36"), Fr("2208.04")
    assert float(coin_pnl(size, entry, mark)) == pytest.approx(-0.014649126, abs=1e-6)  # prices are rounded to cents
    assert float(coin_pnl(size, settled, mark)) == pytest.approx(-0.001247399, abs=1e-6)  # prices are rounded to cents
    assert counted_value(holding(PERP, size, entry, mark)) == coin_pnl(size, entry, mark)


def test_inverse_and_linear_perpetuals__of_one_coin__are_netted_into_one_leg():
    state = statement(
        [holding(PERP, Fr(4_000), Fr(2_000), Fr(2_100)), holding(LINEAR, Fr(-3), Fr(1_900), Fr(2_100))],
        ETH=Balance(Fr(10), True),
        USDC=Balance(Fr(5_000), True),
    )
    book = book_of(state)
    (leg,) = book.legs.values()
    assert leg.quantity == -1
    before = (10 + coin_pnl(4_000, Fr(2_000), Fr(2_500)) - coin_pnl(4_000, Fr(2_000), Fr(2_100))) * 2_500
    before += 5_000 - 3 * (2_500 - 2_100)
    assert worth(book, Fr(2_500)) == before


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (statement([holding(PERP, Fr(1), Fr(1))], ETH=Balance(Fr(1), True)), "f: ETH-PERPETUAL: has no mark"),
        (
            statement([], USDT=Balance(Fr(1), False)),
            "deribit: USDT: its price is not known; say it with --price USDT=PRICE",
        ),
        (statement([holding(PERP, Fr(1), Fr(1), Fr(1))], ETH=Balance(Fr(-9), True)), "deribit: ETH: 9 are owed and"),
    ],
)
def test_book__without_a_price_that_it_needs__is_refused(state, says):
    with pytest.raises(InputError) as error:
        book_of(state)
    assert str(error.value).startswith(says)


def test_hold__a_future_without_a_price_paid__is_refused():
    for entry in (None, Fr(0)):
        with pytest.raises(InputError, match="f: ETH-27MAR26: has no mean price paid above 0"):
            statement().hold(holding(FUTURE, Fr(1), entry))
