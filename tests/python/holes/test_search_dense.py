"""The second search finds no hole in the default book, and finds those of books that have one."""

import pytest

from plimsoll.params import BookSpec, Params
from tools.prove.search_dense import COVERS, ROUNDING, main, search

FLAT_ALONE = BookSpec(grid_vols=("flat",), tail_vols=("flat",), skew_at=((0.0, "flat"),))


@pytest.mark.parametrize("family", COVERS)
def test_search__default_book__promise_kept(family):
    assert 0.6 < search(family, 4, 40, 7) <= 1.0 + ROUNDING


@pytest.mark.parametrize(
    ("family", "params"),
    [
        ("tail", Params(book=BookSpec(tail_moves=(), tail_vols=()))),
        ("skew", Params(overrides_all={"skew_rate": 0.0})),
        ("vol", Params(book=FLAT_ALONE)),
        ("expiries", Params(overrides_all={"skew_rate": 0.0, "vega_term_rate": 0.0})),
    ],
    ids=["no tails", "no charge for skew", "one state of volatility", "no charge for states apart"],
)
def test_search__a_part_of_the_requirement_taken_out__hole_found(family, params):
    assert search(family, 4, 40, 1, params) > 1.2


def test_main__says_every_family(capsys):
    assert main(["--markets", "1", "--generations", "2"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(COVERS)
