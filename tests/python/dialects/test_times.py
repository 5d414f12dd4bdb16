"""Times of others: the unit by its range, the zone by what is written, days only where they mean an expiry."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.dialects.time_units import END_SEC, FIRST_SEC, UNITS
from plimsoll.dialects.times import read_times, zone_of
from plimsoll.errors import InputError

INSTANTS = st.integers(FIRST_SEC, END_SEC - 1)
UNIT_NAMES = st.sampled_from(sorted(UNITS))


def read(cells, **options):
    return read_times(cells, "f.csv", "ts", **options)


@given(st.lists(INSTANTS, min_size=1, max_size=8), UNIT_NAMES, st.data())
def test_numbers__any_unit_and_any_instant__are_the_seconds_and_the_unit_is_said(instants, unit, data):
    scale = UNITS[unit]
    cells = [ts * scale + data.draw(st.integers(0, scale - 1)) for ts in instants]
    for written in (cells, [str(cell) for cell in cells], pa.chunked_array([pa.array(cells, pa.int64())])):
        found = read(written)
        assert found.ts.tolist() == instants
        assert found.rule == f"{unit} since 1970, UTC"


@given(st.integers(-(2**62), 2**62))
def test_numbers__outside_every_range__are_refused(number):
    is_known = any(FIRST_SEC * s <= number < END_SEC * s for s in UNITS.values())
    if is_known:
        assert FIRST_SEC <= read([number]).ts[0] < END_SEC
    else:
        with pytest.raises(
            InputError, match=r"^f.csv: column ts row 1: .* is no time; whole numbers count from 1970"
        ) as error:
            read([number])
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("edge", [FIRST_SEC - 1, END_SEC])
@pytest.mark.parametrize("unit", sorted(UNITS))
def test_numbers__one_beyond_a_range__are_refused(edge, unit):
    with pytest.raises(InputError, match="is no time"):
        read([edge * UNITS[unit]])


def test_numbers__a_second_unit_in_the_column__is_named_with_its_row():
    with pytest.raises(InputError, match=r"column ts row 3: 1770326977000 is not in seconds since 1970 like row 1"):
        read([1_770_326_977, 1_770_326_978, 1_770_326_977_000])


@given(st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)), st.integers(-840, 840), st.sampled_from("T "))
def test_texts__iso_with_an_offset__are_the_instant(moment, minutes, between):
    moment = moment.replace(microsecond=0)
    offset = timezone(timedelta(minutes=minutes))
    text = moment.replace(tzinfo=offset).isoformat(sep=between)
    assert read([text]).ts[0] == int(moment.replace(tzinfo=offset).timestamp())
    assert read([text]).rule == "times with their zone, as UTC"


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-05T21:29:37.000Z",
        "2026-02-05T21:29:37,123Z",
        "2026-02-05 21:29:37Z",
        "2026-02-05 21:29:37 UTC",
        "2026-02-05T22:29:37+01",
        "05 Feb 2026 21:29:37 UTC",
        "5-FEB-26 21:29:37 UTC",
    ],
)
def test_texts__forms_of_venues_and_spreadsheets__are_one_instant(text):
    assert read([text]).ts[0] == 1_770_326_977


@given(st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)))
def test_local_times__without_a_zone__are_refused_and_with_one_are_its_instant(moment):
    moment = moment.replace(microsecond=0)
    column = pa.chunked_array([pa.array([moment], pa.timestamp("us"))])
    for cells in ([moment.isoformat()], column):
        with pytest.raises(InputError, match="names no time zone; say which with --timezone"):
            read(cells)
        zone = zone_of("Asia/Tokyo")  # no summer time, so that each local time is there once
        found = read(cells, zone=zone)
        assert found.ts[0] == int(moment.replace(tzinfo=zone).timestamp())
        assert "Asia/Tokyo (--timezone)" in found.rule


@pytest.mark.parametrize("text", ["2026-10-25 02:30:00", "2026-03-29 02:30:00"])
def test_local_times__where_the_clocks_change__are_refused(text):
    with pytest.raises(InputError, match="twice or not at all in Europe/Berlin"):
        read([text], zone=zone_of("Europe/Berlin"))


def test_columns_of_times__every_unit_and_zone__are_the_instant():
    moment = datetime(2026, 2, 5, 21, 29, 37, tzinfo=UTC)
    for unit in ("s", "ms", "us", "ns"):
        for zone in ("UTC", "America/New_York"):
            column = pa.chunked_array([pa.array([moment], pa.timestamp(unit, tz=zone))])
            assert read(column).ts.tolist() == [1_770_326_977]
            assert zone in read(column).rule


@pytest.mark.parametrize(
    "days",
    [
        pa.chunked_array([pa.array([date(2026, 3, 27)], pa.date32())]),
        pa.chunked_array([pa.array([date(2026, 3, 27)], pa.date64())]),
        ["2026-03-27"],
        ["27MAR26"],
        ["27 Mar 2026"],
        ["20260327"],
        [20260327],
    ],
)
def test_days__of_an_expiry__are_at_eight_and_of_anything_else_refused(days):
    found = read(days, is_expiry=True)
    assert found.ts.tolist() == [1_774_598_400]
    assert "at 08:00 UTC" in found.rule
    with pytest.raises(InputError, match=r"column ts row 1: "):
        read(days)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["05/02/2026 21:29"], "day and month may be either"),
        (["soon"], "'soon' is no time; expected one like 2026-02-05T21:29:00Z"),
        (["2026-02-30T00:00:00Z"], "there is no such day or hour"),
        (["2026-02-05T21:29:37Z", "27MAR26 08:00 UTC", "x"], "row 3: 'x' is no time"),
        (["2026-02-05T21:29:37Z", None], "row 2: is empty"),
        ([True], "which is no time"),
        (["99999999999999999999999"], "is no time"),
        ([float("nan")], "is no time"),
        ([datetime(2026, 1, 1, tzinfo=UTC), "x"], "holds times of several kinds"),
    ],
)
def test_times__that_are_none__are_refused_in_one_line(cells, says):
    with pytest.raises(InputError) as error:
        read(cells)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_expiries__with_parts_of_a_second__are_refused_and_other_times_are_cut():
    assert read([1_770_326_977_999]).ts[0] == 1_770_326_977
    with pytest.raises(InputError, match="has parts of a second"):
        read([1_770_326_977_999], is_expiry=True)


def test_decimals_of_json__count_as_numbers():
    assert read([Decimal("1770326977.5")]).ts[0] == 1_770_326_977


def test_zone_of__an_unknown_name__is_refused():
    assert zone_of(None) is None
    with pytest.raises(InputError, match="--timezone: 'Mars/Base' is no time zone"):
        zone_of("Mars/Base")
    with pytest.raises(InputError, match="--timezone"):
        zone_of("../../etc/passwd")
