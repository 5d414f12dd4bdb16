"""Bad history is refused by name and row; good history is merged, aligned and repeatable."""

import gzip

import numpy as np
import pandas as pd
import pytest

from plimsoll.analytics.series.as_of import history_known_at
from plimsoll.analytics.series.correlation import repair_correlation
from plimsoll.analytics.series.history import load_history
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError

ROWS = [("2024-01-01", 100, 110, 90), ("2024-01-02", 105, 108, 99), ("2024-01-03", 103, 106, 101)]


def table(rows, asset="ETH"):
    return [f"{day},{asset},{high},{low},{close}" for day, close, high, low in rows]


def write(tmp_path, lines, name="h.csv", header="date,asset,high,low,close"):
    path = tmp_path / name
    text = "\n".join([header, *lines]) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["h.csv", "h.csv.gz"])
def test_good_file_is_read(tmp_path, name):
    history = load_history(write(tmp_path, table(ROWS), name), ["ETH"])
    assert history.close[:, 0].tolist() == [100.0, 105.0, 103.0]
    assert history.low[:, 0].tolist() == [90.0, 99.0, 101.0]
    assert history.date(0) == "2024-01-01"
    assert history.iv is None


def test_rows_inside_a_day_are_merged(tmp_path):
    lines = ["2024-01-01T00:00:00Z,ETH,9,7,8", "2024-01-01T12:00:00Z,ETH,12,8,11", "2024-01-02T00:00:00Z,ETH,10,9,10"]
    history = load_history(write(tmp_path, lines, header="ts,asset,high,low,close"), ["ETH"])
    assert (history.close[0, 0], history.high[0, 0], history.low[0, 0]) == (11.0, 12.0, 7.0)
    assert np.diff(history.ts).tolist() == [DAY_SEC]


def test_assets_are_cut_to_what_they_share(tmp_path):
    history = load_history(write(tmp_path, table(ROWS) + table(ROWS[1:], "BTC")), ["BTC", "ETH"])
    assert history.close.tolist() == [[105.0, 105.0], [103.0, 103.0]]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (table([ROWS[0], ROWS[2], ROWS[1]]), r"ETH: line 4 \(2024-01-02.*\) is before the line above it: unsorted"),
        (table([ROWS[0], ROWS[1], ROWS[1]]), r"ETH: line 4 repeats the time 2024-01-02"),
        (table([ROWS[0], ROWS[2]]), r"ETH: 1 step\(s\) missing, the first is 2024-01-02"),
        (table([ROWS[0], ("2024-01-02", 0, 1, 1)]), r"ETH: close of line 3 .* is no positive number"),
        (table([ROWS[0], ("2024-01-02", "nan", 1, 1)]), r"ETH: close of line 3 .* is no positive number"),
        (table([ROWS[0], ("2024-01-02", "", 1, 1)]), r"ETH: close of line 3 .* is no positive number"),
        (table([ROWS[0], ("2024-01-02", "many", 1, 1)]), r"line 3: close 'many' is text where a number belongs"),
        (table([("2024-01-01", 5, 5, 5), ("2024-01-02", 5, 5, 5)]), r"ETH: the price is constant at 5 in all 2 rows"),
        (table(ROWS[:1]), r"fewer than two steps"),
        (table(ROWS, "BTC"), r"holds no rows of 'ETH', only BTC"),
        (["soon,ETH,1,1,1", "later,ETH,1,1,2"], r"line 2: time 'soon' is no date and no unix seconds"),
    ],
)
def test_bad_rows_are_named(tmp_path, lines, message):
    with pytest.raises(InputError, match=message):
        load_history(write(tmp_path, lines), ["ETH"])


@pytest.mark.parametrize("unit", [1_000, 10**6, 10**9])
def test_times_in_another_unit__are_named_with_line_and_unit(tmp_path, unit):
    name = {1_000: "milliseconds", 10**6: "microseconds", 10**9: "nanoseconds"}[unit]
    lines = [f"{ts * unit},ETH,{close}" for ts, close in ((1_704_067_200, 100), (1_704_153_600, 105))]
    said = rf"h\.csv: line 2: time {1_704_067_200 * unit} is in {name}; unix seconds are wanted, which is 1704067200$"
    with pytest.raises(InputError, match=said):
        load_history(write(tmp_path, lines, header="ts,asset,close"), ["ETH"])


def test_lines__are_those_of_the_file__with_other_assets_blank_lines_and_quotes_before_them(tmp_path):
    path = tmp_path / "h.csv"
    rows = ["date,asset,close,note", "2024-01-01,BTC,9,", "2024-01-01,ETH,9,", "", '2024-01-02,BTC,8,"two', 'lines"']
    path.write_text("sep=,\n" + "\n".join([*rows, "2024-01-02,ETH,0,"]) + "\n")
    assert path.read_text().splitlines()[7] == "2024-01-02,ETH,0,"
    with pytest.raises(InputError, match=r"ETH: close of line 8 .* is no positive number"):
        load_history(path, ["ETH"])


def test_rows_of_a_table__are_counted_over_all_assets():
    days = ["2024-01-01", "2024-01-01", "2024-01-02", "2024-01-02"]
    table = pd.DataFrame({"date": days, "asset": ["BTC", "ETH"] * 2, "close": [9.0, 9.0, 8.0, -1.0]})
    with pytest.raises(InputError, match=r"^table: ETH: close of row 4 "):
        load_history(table, ["ETH"])


def test_file__is_named_as_it_was_given__and_in_reports_without_its_folder(tmp_path, monkeypatch):
    (tmp_path / "prices").mkdir()
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "prices", table(ROWS))
    history = load_history("prices/h.csv", ["ETH"])
    assert (history.source, history.name) == ("prices/h.csv", "h.csv")
    with pytest.raises(InputError, match=r"^prices/h\.csv: holds no rows of 'SOL', only ETH$"):
        load_history("prices/h.csv", ["SOL"])
    with pytest.raises(InputError, match=r"^prices/none\.csv: no such file$"):
        load_history("prices/none.csv", ["ETH"])


def test_missing_columns_and_files_are_named(tmp_path):
    with pytest.raises(InputError, match="no column close"):
        load_history(write(tmp_path, ["2024-01-01,ETH"], header="date,asset"), ["ETH"])
    with pytest.raises(InputError, match="no such file"):
        load_history(tmp_path / "none.csv", ["ETH"])
    (tmp_path / "bad.parquet").write_text("no parquet")
    with pytest.raises(InputError, match="is no table"):
        load_history(tmp_path / "bad.parquet", ["ETH"])


def test_real_history_is_complete(real_prices):
    history = load_history(real_prices, ["ETH", "BTC"])
    assert history.ts.size == 3237
    assert (history.date(0), history.date(-1)) == ("2017-08-17", "2026-06-27")


def test_indefinite_correlation_is_repaired_with_a_warning():
    bad = np.array([[1.0, -0.9, -0.9], [-0.9, 1.0, -0.9], [-0.9, -0.9, 1.0]])
    fixed, warnings = repair_correlation(bad, ("ETH", "BTC", "SOL"))
    assert np.linalg.eigvalsh(fixed)[0] >= -1e-12
    assert np.diag(fixed).tolist() == [1.0, 1.0, 1.0]
    assert fixed[0, 1] == pytest.approx(-0.5)
    assert "repaired by spectral truncation, largest change of an entry 0.4" in warnings[0]


def test_valid_correlation_is_left_alone():
    good = np.array([[1.0, 0.8], [0.8, 1.0]])
    fixed, warnings = repair_correlation(good, ("ETH", "BTC"))
    assert fixed is good
    assert warnings == []


@pytest.mark.parametrize("entry", [1.5, float("nan")])
def test_impossible_correlation_is_refused(entry):
    with pytest.raises(InputError, match="must lie in"):
        repair_correlation(np.array([[1.0, entry], [entry, 1.0]]), ("ETH", "BTC"))


PLAIN = ["2024-01-01,ETH,1110.5,1090.25,1100.75", "2024-01-02,ETH,1108.5,1099.25,1105.75"]


@pytest.mark.parametrize(
    ("delimiter", "comma", "encoding"),
    [(";", True, "utf-8"), (";", False, "utf-8-sig"), ("\t", True, "utf-16"), (",", False, "utf-16")],
)
def test_a_text_is_read_by_the_rules_of_every_other_command(tmp_path, delimiter, comma, encoding):
    plain = load_history(write(tmp_path, PLAIN), ["ETH"])
    lines = [delimiter.join(line.split(",")) for line in ["date,asset,high,low,close", *PLAIN]]
    text = "\n".join(line.replace(".", ",") if comma else line for line in lines) + "\n"
    (tmp_path / "other.csv").write_bytes(text.encode(encoding))
    other = load_history(tmp_path / "other.csv", ["ETH"])
    assert other.ts.tolist() == plain.ts.tolist()
    for name in ("close", "high", "low"):
        assert getattr(other, name).tolist() == getattr(plain, name).tolist()


def test_a_number_that_can_be_read_twice_is_refused(tmp_path):
    (tmp_path / "h.csv").write_text("date;asset;close\n2024-01-01;ETH;1.100\n2024-01-02;ETH;1.105\n")
    with pytest.raises(InputError, match=r"h\.csv: '1\.100' is a whole number or has three decimals; commas between"):
        load_history(tmp_path / "h.csv", ["ETH"])


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="is no file"):
        load_history(tmp_path, ["ETH"])


def test_a_close_that_jumps_is_named_and_used(tmp_path):
    days = [(f"2024-01-{day:02}", 100 + day, 200, 50) for day in range(1, 9)]
    days[4] = ("2024-01-05", 5_000, 6_000, 50)
    found = history_known_at(load_history(write(tmp_path, table(days)), ["ETH"]))[1]
    assert found.warnings == (
        "ETH: the close 5,000 of 2024-01-05 is 48.1 times the one before; beyond a factor of 3 it is more likely wrong",
        "ETH: the close 106 of 2024-01-06 is 0.0212 times the one before; beyond a factor of 3 it is more likely wrong",
    )
    assert found.to_json()["warnings"] == list(found.warnings)
    days[4] = ("2024-01-05", 300, 300, 50)
    assert history_known_at(load_history(write(tmp_path, table(days)), ["ETH"]))[1].warnings == ()
