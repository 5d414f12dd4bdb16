"""Pictures of pages: every value of a figure is where its scale says, and said to whoever hovers."""

import re
from datetime import UTC, datetime
from itertools import pairwise

import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from plimsoll.analytics.report.drawing.colours import COLOURS
from plimsoll.analytics.report.drawing.marks import STRAIGHT, straightened
from plimsoll.analytics.report.drawing.picture import WIDTHS, picture
from plimsoll.analytics.report.drawing.scales import Band, Linear, Logarithmic, Time, round_step, spread
from plimsoll.analytics.report.drawing.texts import hover_text, tick_text, width_of, wrapped
from plimsoll.errors import InputError


def drawn(figure):
    """The SVG of each width, by its name."""
    return dict(zip(WIDTHS, re.findall(r"<svg .*?</svg>", picture(figure), flags=re.S), strict=True))


def test_bars_stand_on_zero_and_are_as_long_as_their_values():
    svg = drawn(go.Figure(go.Bar(x=["a", "b", "c"], y=[10.0, -20.0, 0.0])))["large"]
    boxes = re.findall(r'<rect x="([\d.]+)" y="([\d.-]+)" width="([\d.]+)" height="([\d.]+)"><title>([^<]*)', svg)
    (_, top_a, _, height_a, said_a), (_, top_b, _, height_b, said_b), (*_, said_c) = boxes
    assert float(height_b) == pytest.approx(2.0 * float(height_a), abs=0.2)
    # The base of the one above is the top of the one below.
    assert float(top_a) + float(height_a) == pytest.approx(float(top_b), abs=0.2)
    assert [said_a, said_b, said_c] == ["a: 10", "b: -20", "c: 0"]


def test_stacked_bars_go_on_where_the_last_one_ended_on_either_side_of_zero():
    figure = go.Figure([go.Bar(name=n, x=["k"], y=[v]) for n, v in (("p", 3.0), ("q", 2.0), ("r", -1.0))])
    figure.update_layout(barmode="relative")
    tops = [
        float(y)
        for y in re.findall(r'<rect x="[\d.]+" y="([\d.-]+)" width="[\d.]+" height="[\d.]+"><t', drawn(figure)["large"])
    ]
    p, q, r = tops
    assert q < p < r


def test_a_whisker_is_named_with_its_ends():
    bar = go.Bar(x=["a"], y=[10.0], error_y={"type": "data", "array": [4.0], "arrayminus": [3.0], "symmetric": False})
    svg = drawn(go.Figure(bar))["large"]
    assert "a: 10 (7 to 14)" in svg
    assert svg.count('class="whisker"') == 3


def test_a_heat_map_says_and_shows_every_cell():
    heat = go.Heatmap(
        z=[[1.0, -2.0], [None, 0.5]], x=["l", "r"], y=["u", "d"], text=[["1", "-2"], ["", ".5"]], zmin=-2.0, zmax=2.0,
        colorbar={"title": "P&L"},
    )  # fmt: skip
    svg = drawn(go.Figure(heat))["large"]
    assert re.findall(r"<title>([^<]*)</title>", svg) == ["u, l: 1", "u, r: -2", "d, r: 0.5"]
    strengths = re.findall(r'class="(loss|gain)" fill-opacity="([\d.]+)"><title>', svg)
    assert strengths == [("gain", "0.50"), ("loss", "1.00"), ("gain", "0.25")]


def test_values_are_said_at_the_largest_width_only():
    found = drawn(go.Figure(go.Bar(x=["a"], y=[1.0])))
    assert {name: "<title>" in svg for name, svg in found.items()} == {"small": False, "middle": False, "large": True}


def test_panels_go_below_each_other_where_they_have_no_room():
    figure = make_subplots(rows=1, cols=4, shared_yaxes=True, subplot_titles=list("abcd"))
    for column in range(4):
        figure.add_scatter(x=[0, 1], y=[0, column], row=1, col=column + 1)

    def corners(svg):
        found = re.findall(r'<g transform="translate\(([\d.]+) ([\d.]+)\)"><text', svg)
        return len({x for x, _ in found}), len({y for _, y in found})

    assert {name: corners(svg) for name, svg in drawn(figure).items()} == {
        "small": (1, 4), "middle": (2, 2), "large": (4, 1),
    }  # fmt: skip


def test_text_of_figures_is_escaped():
    svg = picture(go.Figure(go.Bar(x=["<i>&"], y=[1.0])).update_layout(title={"text": '"><script>'}))
    assert "<script>" not in svg
    assert "<i>" not in svg


def test_a_colour_of_ours_changes_at_night():
    assert 'fill="var(--c4)"' in picture(go.Figure(go.Bar(x=["a"], y=[1.0], marker_color=COLOURS[4])))


def test_a_kind_that_no_picture_shows_is_refused():
    with pytest.raises(InputError, match="this trace is 'pie'"):
        picture(go.Figure(go.Pie(values=[1.0])))


@pytest.mark.parametrize(
    ("scale", "room", "labels"),
    [
        (Linear(0.0, 26_000.0, 100.0), 25.0, ["0", "10k", "20k"]),
        (Linear(-0.31, 0.3, 100.0), 30.0, ["-0.2", "0", "0.2"]),
        (Linear(0.0, 2_600_000.0, 100.0), 30.0, ["0", "1M", "2M"]),
        (Logarithmic(0.002, 0.6, 100.0), 10.0, ["0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5"]),
        (Logarithmic(0.00002, 0.6, 100.0), 10.0, ["0.0001", "0.001", "0.01", "0.1"]),
        (Band(tuple("abcdef"), 60.0), 20.0, ["a", "c", "e"]),
    ],
)
def test_ticks_are_round_and_have_room(scale, room, labels):
    ticks = scale.ticks(room)
    assert [tick.label for tick in ticks] == labels
    assert all(0.0 <= tick.at <= scale.length for tick in ticks)


def test_times_are_marked_at_whole_hours_days_months_and_years():
    start = datetime(2026, 2, 5, 21, 29, tzinfo=UTC).timestamp()
    for days, labels in (
        (0.5, ["00:00", "03:00", "06:00", "09:00"]),
        (3.0, ["06 Feb", "07 Feb", "08 Feb"]),
        (160.0, ["Mar 2026", "May 2026", "Jul 2026"]),
        (1_400.0, ["2027", "2028", "2029"]),
    ):
        ticks = Time(start, start + 86_400.0 * days, 300.0).ticks(75.0)
        assert [tick.label for tick in ticks] == labels
    assert Time(start, start + 86_400.0, 100.0).place("2026-02-06T09:29:00") == pytest.approx(50.0)


def test_ranges_hold_all_values_and_bars_stand_on_the_axis():
    assert spread([1.0, 3.0], grounded=True) == (0.0, pytest.approx(3.15))
    assert spread([2.0, 4.0], grounded=False) == (pytest.approx(1.9), pytest.approx(4.1))
    low, high = spread([5.0], grounded=False)
    assert low < 5.0 < high
    assert [round_step(span, 4.0) for span in (4.0, 9.0, 17.0, 30.0)] == [1.0, 2.5, 5.0, 10.0]


def test_a_straightened_line_stays_within_its_bound():
    curve = [(float(x), 40.0 + 0.004 * (x - 50.0) ** 2) for x in range(200)]
    kept = straightened(curve)
    assert len(kept) < len(curve) / 4
    for (x1, y1), (x2, y2) in pairwise(kept):
        for x, y in curve:
            if x1 <= x <= x2:
                assert abs(y1 + (y2 - y1) * (x - x1) / (x2 - x1) - y) <= 4.0 * STRAIGHT


def test_texts():
    assert [tick_text(v, 2_500.0, 10_000.0) for v in (0.0, 2_500.0, 10_000.0)] == ["0", "2.5k", "10.0k"]
    assert hover_text("%{y}: %{x:,.1f}<extra></extra>", {"x": 1234.56, "y": "a"}) == "a: 1,234.6"
    assert wrapped("maintenance, worst", width_of("maintenance,", 12.0) + 1.0, 12.0) == ["maintenance,", "worst"]
