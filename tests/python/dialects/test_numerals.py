"""Numbers of others: exact, one decimal mark for a table, refused where they can be read twice."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.dialects.numerals import decimal_mark, exact, read_float, read_number
from plimsoll.errors import InputError

AMOUNTS = st.decimals(-(10**12), 10**12, places=4, allow_nan=False, allow_infinity=False)
GROUPS = {".": (",", " ", "'", "\u00a0", ""), ",": (".", " ", "'", "\u202f", "")}


def written(amount: Decimal, mark: str, group: str) -> str:
    text = f"{amount:,.4f}"
    return text.replace(",", "\0").replace(".", mark).replace("\0", group)


@given(AMOUNTS, st.sampled_from(".,"), st.data())
def test_numbers__any_amount_mark_and_groups__are_read_exactly(amount, mark, data):
    text = written(amount, mark, data.draw(st.sampled_from(GROUPS[mark])))
    assert read_number(text, mark, "f", "x") == Fraction(amount)
    assert decimal_mark([text], "f", ";")[0] == mark


@given(st.lists(AMOUNTS, min_size=1, max_size=6), st.sampled_from(".,"), st.data())
def test_tables__written_with_one_mark__are_never_read_with_the_other(amounts, mark, data):
    group = data.draw(st.sampled_from(GROUPS[mark]))
    cells = [written(amount, mark, group).rstrip("0").rstrip(mark) for amount in amounts]
    found = outcome(cells)
    assert found is None or found == [Fraction(amount) for amount in amounts]


def outcome(cells):
    """Numbers of a table, or nothing where the user is asked which mark it has."""
    try:
        mark, _ = decimal_mark(cells, "f", ";")
    except InputError as error:
        if "say which with --decimal" in error.message:
            return None
        raise
    return [read_number(cell, mark, "f", "x") for cell in cells]


def test_a_group_of_three__alone__is_refused_unless_the_fields_are_parted_by_commas():
    for cell in ("1.234", "1,234"):
        with pytest.raises(InputError, match="is a whole number or has three decimals; say which with --decimal"):
            decimal_mark([cell, "5"], "f", ";")
        assert decimal_mark([cell, "5"], "f", ",")[0] == "."
    assert read_number("1,234", ".", "f", "x") == 1_234
    assert read_number("1.234", ".", "f", "x") == Fraction("1.234")


@pytest.mark.parametrize(
    ("cell", "mark"),
    [("0.123", "."), ("0,123", ","), ("1234.567", "."), ("1,5", ","), ("1.234,5", ","), ("1,234.5", "."),
     ("1.234.567", ","), ("1,234,567", "."), (".5", "."), ("-0,5", ","), ("1.234e3", ".")],
)  # fmt: skip
def test_one_cell__that_cannot_be_read_twice__decides(cell, mark):
    assert decimal_mark(["7", cell, "x"], "f", ";")[0] == mark


def test_cells__that_contradict_each_other__are_both_named():
    with pytest.raises(InputError, match=r"'1.5' has a decimal point and '2,5' a decimal comma"):
        decimal_mark(["1.5", "2,5"], "f", ";")


@pytest.mark.parametrize(
    "cell",
    ["1,23,4", "1.2.3", "abc", "0.5 BTC", "(1,234.00)", "1e999999", "nan", "inf", "--5", "12,34.5", ",", "1,2345.0"],
)
def test_cells__that_are_no_number__are_refused_in_one_line(cell):
    with pytest.raises(InputError, match=r"^f: column size row 4: .* is no number") as error:
        read_number(cell, ".", "f", "column size row 4")
    assert "\n" not in str(error.value)


def test_signs__of_typesetters__count():
    assert read_number("\u22121,000.5", ".", "f", "x") == Fraction(-2001, 2)
    assert read_number("+3", ".", "f", "x") == 3


def test_exact__what_json_holds__is_not_rounded():
    assert exact(Decimal("0.1"), "f", "x") == Fraction(1, 10)
    assert exact("0.1", "f", "x") == Fraction(1, 10)
    assert exact(10**30, "f", "x") == 10**30


@pytest.mark.parametrize("value", [None, True, [], "", "x", "NaN", float("inf"), Decimal("1e900"), "1,5"])
def test_exact__what_is_no_number__is_refused(value):
    with pytest.raises(InputError, match=r"^f: size: .* is no number"):
        exact(value, "f", "size")


@given(st.floats(-1e15, 1e15), st.sampled_from(".,"))
def test_read_float__of_what_a_program_writes__is_the_same_double(number, mark):
    for text in (repr(number), f"{number:.8f}"):
        cell = text.replace(".", mark)
        assert read_float(cell, mark, "f", "x") == float(text) == float(read_number(cell, mark, "f", "x"))


@pytest.mark.parametrize(("cell", "mark"), [("1.5", ","), ("1,5,0", ","), ("1.5e99", "."), ("x", "."), ("1,5", ".")])
def test_read_float__what_is_no_number__is_refused_as_well(cell, mark):
    with pytest.raises(InputError, match="is no number"):
        read_float(cell, mark, "f", "x")
