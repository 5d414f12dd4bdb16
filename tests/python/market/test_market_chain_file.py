"""Chain files: what is read, and the one line that says what is wrong."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from plimsoll.errors import InputError
from plimsoll.market.chain_file import SCHEMA, load_chain, split_table, write_chain

NAN = float("nan")


def changed(table: pa.Table, column: str, row: int, value: object) -> pa.Table:
    values = table[column].to_pylist()
    values[row] = value
    index = SCHEMA.names.index(column)
    return table.set_column(
        index, SCHEMA.field(column), pa.array(values, from_pandas=False).cast(SCHEMA.field(column).type)
    )


@pytest.mark.parametrize("name", ["chain.parquet", "chain.csv", "chain.csv.gz"])
def test_a_written_file_reads_back_the_same(first_table, first, tmp_path, name):
    path = tmp_path / name
    write_chain(first_table, path)
    (read,) = load_chain(path)
    assert (read.ts, read.currency, read.expiries) == (first.ts, "ETH", first.expiries)
    for field in ("strike", "bid", "ask", "mark", "iv", "underlying", "index", "delta", "vega", "is_call", "is_index"):
        np.testing.assert_array_equal(getattr(read, field), getattr(first, field))
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_file_splits_by_time_and_currency(made_up):
    snapshots = split_table(made_up.table, "test")
    keys = [(s.ts, s.currency) for s in snapshots]
    assert len(keys) == 78
    assert keys == sorted(keys)
    assert sum(s.strike.size for s in snapshots) == made_up.table.num_rows


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("currency", "DO GE", "DO GE is no symbol of 1 to 31 letters, digits and underscores"),
        ("type", "X", "X expected C or P"),
        ("mark", NAN, "must be a finite number"),
        ("mark_iv", NAN, "must be a finite number"),
        ("bid", NAN, "must be a finite number"),
        ("index_price", float("inf"), "must be a finite number"),
        ("strike", 0.0, "must be above 0"),
        ("underlying", -1.0, "must be above 0"),
        ("ask", -0.1, "must not be negative"),
        ("vega", -0.1, "must not be negative"),
        ("mark_iv", 56.0, "above 10; volatility in percent?"),
        ("mark", 120.0, "price in USD?"),
        ("delta", 1.5, "outside [-1, 1]"),
        ("underlying", 27.5, "more than 2 times away from index_price"),
        ("mark", None, "is empty"),
    ],
)
def test_a_bad_cell_is_named(first_table, column, value, says):
    with pytest.raises(InputError, match=f"^file.csv: column {column} row 8: ") as error:
        split_table(changed(first_table, column, 7, value), "file.csv")
    assert says in str(error.value)
    split_table(first_table, "file.csv")


def test_an_expired_row_is_named(first_table):
    with pytest.raises(InputError, match=r"column expiry row 8: .* not after ts; the row has expired"):
        split_table(changed(first_table, "expiry", 7, first_table["ts"][0].as_py()), "f")


def test_a_missing_quote_or_volatility_is_no_error(first_table):
    (whole,) = split_table(first_table, "f")
    for column, name in (("bid", "bid"), ("ask", "ask"), ("mark_iv", "iv")):
        row = next(row for row, value in enumerate(first_table[column].to_pylist()) if value is not None)
        (found,) = split_table(changed(first_table, column, row, None), "f")
        missing = np.isnan(getattr(found, name)) & ~np.isnan(getattr(whole, name))
        assert (found.strike.size, missing.sum()) == (whole.strike.size, 1)


def test_a_duplicate_is_named(first_table):
    with pytest.raises(InputError, match=r"duplicates row 1 \(ts, instrument ETH .*\)"):
        split_table(pa.concat_tables([first_table, first_table.slice(0, 1)]), "f")


def test_columns_must_be_the_known_ones(first_table):
    with pytest.raises(InputError, match="missing column vega"):
        split_table(first_table.drop_columns(["vega"]), "f")
    with pytest.raises(InputError, match="unknown column gamma"):
        split_table(first_table.append_column("gamma", first_table["vega"]), "f")
    with pytest.raises(InputError, match="holds no rows"):
        split_table(first_table.slice(0, 0), "f")
    words = first_table.set_column(3, "strike", pa.array(["many"] * first_table.num_rows))
    with pytest.raises(InputError, match="column strike: "):
        split_table(words, "f")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_chain(tmp_path / "none.parquet")
    with pytest.raises(InputError, match=r"expected \.parquet, \.csv or \.csv\.gz"):
        load_chain(tmp_path / "none.xlsx")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"not parquet")
    with pytest.raises(InputError, match="cannot be read"):
        load_chain(broken)
    garbled = tmp_path / "garbled.csv"
    garbled.write_text(",".join(SCHEMA.names) + "\n" + ",".join(["x"] * len(SCHEMA.names)) + "\n")
    with pytest.raises(InputError, match=r"column strike row 1: 'x' is no number with a decimal point") as error:
        load_chain(garbled)
    assert "\n" not in str(error.value)


def test_nothing_is_written_into_a_missing_folder(first_table, tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_chain(first_table, tmp_path / "none" / "chain.parquet")
    assert list(tmp_path.iterdir()) == []
