"""Chain files as others write them: times in every unit, spreadsheets of every country, and what is refused."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.cli import run
from plimsoll.dialects.times import UNITS, zone_of
from plimsoll.errors import InputError
from plimsoll.market.chain_file import SCHEMA, load_chain, split_table
from plimsoll.market.replay.synthetic import START_TS

TIMES = ("ts", "expiry")
FIELDS = ("strike", "bid", "ask", "mark", "iv", "underlying", "index", "delta", "vega", "expiry_ts", "is_call")


def with_times(table, make):
    """Replace both columns of times by what ``make`` makes of their unix seconds."""
    for name in TIMES:
        seconds = table[name].cast(pa.int64()).to_pylist()
        table = table.set_column(SCHEMA.names.index(name), name, pa.array(make(seconds)))
    return table


def assert_same(found, wanted):
    assert (found.ts, found.currency) == (wanted.ts, wanted.currency)
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(found, field), getattr(wanted, field))


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_integers__in_any_unit__are_the_same_chain(first_table, first, unit):
    """Milliseconds were taken for seconds once: a thousand times the time to expiry, and exit code 0."""
    (found,) = split_table(with_times(first_table, lambda ts: [t * UNITS[unit] for t in ts]), "f")
    assert_same(found, first)
    assert found.reading == tuple(f"{name} read as {unit} since 1970, UTC" for name in TIMES)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_columns_of_times__in_any_unit__are_the_same_chain(first_table, first, tmp_path, unit):
    stamp = pa.timestamp(unit, tz="UTC")
    table = with_times(first_table, lambda ts: pa.array([datetime.fromtimestamp(t, UTC) for t in ts], stamp))
    (found,) = split_table(table, "f")
    assert_same(found, first)


def test_days__of_expiries__are_at_eight(first_table, first):
    column = first_table["expiry"].cast(pa.int64()).to_pylist()
    days = pa.array([datetime.fromtimestamp(t, UTC).date() for t in column], pa.date32())
    (found,) = split_table(first_table.set_column(SCHEMA.names.index("expiry"), "expiry", days), "f")
    assert set(found.expiry_ts % 86_400) == {8 * 3_600}
    assert "expiry read as days, each at 08:00 UTC" in found.reading
    ts = pa.array([datetime.fromtimestamp(START_TS, UTC).date()] * first_table.num_rows, pa.date32())
    with pytest.raises(InputError, match="f: column ts row 1: 2026-01-30 is a day without a time"):
        split_table(first_table.set_column(0, "ts", ts), "f")


def test_local_times__need_a_zone(first_table, first):
    zone = zone_of("Asia/Tokyo")
    local = pa.timestamp("us")
    table = with_times(
        first_table,
        lambda ts: pa.array([datetime.fromtimestamp(t, zone).replace(tzinfo=None) for t in ts], local),
    )
    with pytest.raises(InputError, match=r"column ts row 1: .* names no time zone; say which with --timezone"):
        split_table(table, "f")
    (found,) = split_table(table, "f", zone)
    assert_same(found, first)


def text_of(table, delimiter, mark, stamp):
    """Write a chain as a spreadsheet does."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(SCHEMA.names)
    for row in table.to_pylist():
        cells = []
        for name, cell in row.items():
            if name in TIMES:
                cells.append(stamp(cell))
            elif isinstance(cell, float):
                cells.append(repr(cell).replace(".", mark))
            else:
                cells.append("" if cell is None else cell)
        writer.writerow(cells)
    return text.getvalue()


STAMPS = {
    "milliseconds with a Z": lambda t: f"{t:%Y-%m-%dT%H:%M:%S}.000Z",
    "an offset": lambda t: f"{t:%Y-%m-%d %H:%M:%S}+00:00",
    "a count": lambda t: str(int(t.timestamp() * 1_000)),
}


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(",;\t|"), st.sampled_from(".,"), st.sampled_from(sorted(STAMPS)), st.booleans(), st.booleans())
def test_texts__of_any_dialect__are_the_same_chain(
    tmp_path_factory, made_up_first, delimiter, mark, stamp, bom, packed
):
    table, wanted = made_up_first
    content = text_of(table, delimiter, mark, STAMPS[stamp]).encode("utf-8-sig" if bom else "utf-8")
    path = tmp_path_factory.mktemp("dialect") / ("chain.csv.gz" if packed else "chain.csv")
    path.write_bytes(gzip.compress(content) if packed else content)
    (found,) = load_chain(path)
    assert_same(found, wanted)


@pytest.fixture(scope="session")
def made_up_first(first_table, first):
    return first_table, first


def test_numbers_with_quoted_groups__are_read_right(first_table, first, tmp_path):
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(SCHEMA.names)
    for row in first_table.to_pylist():
        head = {**row, **{name: f"{row[name]:%Y-%m-%dT%H:%M:%SZ}" for name in TIMES}}
        head |= {name: f"{row[name]:,.10f}" for name in ("strike", "underlying", "index_price")}
        writer.writerow(["" if cell is None else cell for cell in head.values()])
    path = tmp_path / "chain.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    (found,) = load_chain(path)
    np.testing.assert_allclose(found.strike, first.strike, rtol=1e-12)
    np.testing.assert_allclose(found.underlying, first.underlying, rtol=1e-10)


def test_commands__say_how_a_file_was_read_and_take_a_zone(first_table, tmp_path, capsys):
    zone = zone_of("Asia/Tokyo")
    local = with_times(
        first_table,
        lambda ts: pa.array([datetime.fromtimestamp(t, zone).replace(tzinfo=None) for t in ts], pa.timestamp("us")),
    )
    path = tmp_path / "local.parquet"
    pq.write_table(local, path)
    for command in ("fit", "smile", "errors"):
        assert run(["market", command, str(path)]) == 2
        shown = capsys.readouterr()
        assert (shown.out, shown.err.count("\n")) == ("", 1)
        assert "say which with --timezone" in shown.err
    assert run(["market", "fit", str(path), "--timezone", "Asia/Tokyo"]) == 0
    assert "ts read as times without a zone, taken as Asia/Tokyo (--timezone)" in capsys.readouterr().out
    counted = tmp_path / "counted.parquet"
    pq.write_table(with_times(first_table, lambda ts: [t * 1_000 for t in ts]), counted)
    assert run(["market", "fit", str(counted)]) == 0
    assert "expiry read as milliseconds since 1970, UTC" in capsys.readouterr().out


def test_any_symbol__is_an_underlying(first_table):
    names = pa.array(["1000PEPE"] * first_table.num_rows)
    (found,) = split_table(first_table.set_column(1, "currency", names), "f")
    assert found.currency == "1000PEPE"
