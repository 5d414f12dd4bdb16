"""What a person types into a script, read; anything else is one error that names the argument and the limit."""

import pytest

from plimsoll.errors import InputError
from plimsoll.session.arguments import choice, number, quantity


@pytest.mark.parametrize(("text", "value"), [("1", 1.0), ("1e3", 1_000.0), ("0.000001", 1e-6), ("5", 5.0)])
def test_number__within_bounds__is_read(text, value):
    assert number("amount", text, 0.0, 1_000.0) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "amount: '' is no number"),
        ("1,000", "amount: '1,000' is no number"),
        ("nan", "amount: nan must be above 0 and at most 10"),
        ("inf", "amount: inf must be above 0 and at most 10"),
        ("0", "amount: 0 must be above 0 and at most 10"),
        ("10.1", "amount: 10.1 must be above 0 and at most 10"),
    ],
)
def test_number__anything_else__is_refused_with_the_limit(text, message):
    with pytest.raises(InputError) as refused:
        number("amount", text, 0.0, 10.0)
    assert str(refused.value) == message


@pytest.mark.parametrize("text", ["-2.5", "3"])
def test_quantity__either_sign__is_read(text):
    assert quantity(text) == float(text)


@pytest.mark.parametrize("text", ["0", "-0", "-inf", "two"])
def test_quantity__no_trade__is_refused(text):
    with pytest.raises(InputError, match=r"^quantity: "):
        quantity(text)


def test_choice__unknown__names_the_known():
    assert choice("token", "USDC", ("USDC", "WETH")) == "USDC"
    with pytest.raises(InputError, match="token: 'DAI' is none of USDC, WETH"):
        choice("token", "DAI", ("USDC", "WETH"))
