"""Tables of text: marks of byte order, delimiters, quotes, and the one line for what cannot be read."""

from __future__ import annotations

import csv
import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.dialects.csv_text import DELIMITERS, MAX_BYTES, parse_text_table, read_text_table
from plimsoll.errors import InputError

CELLS = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\x85\u2028\u2029"), max_size=8)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6)


@given(ROWS, st.sampled_from(sorted(DELIMITERS)), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_tables__any_delimiter_quotes_and_line_ends__are_read_as_written(rows, delimiter, is_quoted, end):
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows([("name", "size", "price"), *rows])
    found = parse_text_table(f"sep={delimiter}{end}{text.getvalue()}", "f.csv")
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    assert (found.delimiter, found.names) == (delimiter, ("name", "size", "price"))
    assert [tuple(row) for row in found.rows] == kept
    assert found.column("size") == [row[1].strip() for row in kept]


@given(st.lists(st.tuples(st.integers(), st.integers()), min_size=1, max_size=4), st.sampled_from(sorted(DELIMITERS)))
def test_delimiters__without_a_first_line_that_names_them__are_found(rows, delimiter):
    text = "\n".join(delimiter.join(map(str, row)) for row in [("name", "size"), *rows])
    assert parse_text_table(text, "f.csv").delimiter == delimiter


def test_a_decimal_comma__between_semicolons__is_no_delimiter():
    found = parse_text_table("name;size;price\na;1,5;2,25\nb;3,0;4,5\n", "f.csv")
    assert found.rows == [["a", "1,5", "2,25"], ["b", "3,0", "4,5"]]
    assert found.rule == "fields parted by semicolons"


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files__with_a_byte_order_mark_or_packed__are_read(tmp_path, name, encoding):
    content = "name;gr\u00f6\u00dfe\nETH;1\n".encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert read_text_table(tmp_path / name).names == ("name", "gr\u00f6\u00dfe")


def test_lines_that_all_end_in_a_delimiter__have_no_column_more():
    assert parse_text_table("a;b;\n1;2;\n", "f").names == ("a", "b")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no rows"),
        ("\n\n", "holds no rows"),
        ("name\nETH\n", "names one column only"),
        ("a,b\n1,2\n3\n", "line 3 has 1 fields, the first line has 2"),
        ("a,a\n1,2\n", "a column appears twice: a"),
        ("a,,b\n1,2,3\n", "column 2 has no name"),
        ("a,b;c\n1,2;3\n", "may be parted by commas or semicolons"),
        ('a,b\n1,"2\n', "cannot be read"),
        ("a,b\0\n", "is no text"),
    ],
)
def test_texts__that_are_no_table__are_refused_in_one_line(text, says):
    with pytest.raises(InputError, match=r"^f\.csv: ") as error:
        parse_text_table(text, "f.csv")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_files__that_cannot_be_read__are_refused_in_one_line(tmp_path):
    (tmp_path / "latin.csv").write_bytes("name;größe\n".encode("latin-1"))
    (tmp_path / "broken.csv.gz").write_bytes(b"\x1f\x8bnonsense")
    (tmp_path / "half.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n" * 99)[:-12])
    for name, says in (
        ("none.csv", "no such file"),
        ("latin.csv", "byte 8 is not UTF-8 text"),
        ("broken.csv.gz", "cannot be read"),
        ("half.csv.gz", "cannot be read"),
    ):
        with pytest.raises(InputError, match=says):
            read_text_table(tmp_path / name)


def test_files__too_large_unpacked__are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("plimsoll.dialects.csv_text.MAX_BYTES", 1_000)
    (tmp_path / "big.csv.gz").write_bytes(gzip.compress(b"a,b\n" * 1_000))
    with pytest.raises(InputError, match="holds more than 1000 bytes"):
        read_text_table(tmp_path / "big.csv.gz")
    assert MAX_BYTES > 10**8
