"""What a person reads about intents."""

import pytest

from plimsoll.decide import AccountView
from plimsoll.feeds.post import Post
from plimsoll.feeds.posting import Why
from plimsoll.keeper.lines import line_of, total_of, why_of
from plimsoll.keeper.performer import Deed

VIEWS = {4: AccountView(4, 6_491.58, 6_491.58, 9_181.58, 7_345.27)}


def test_line_of__gas_and_cost__stand_below_each_other_in_80_columns():
    deeds = [
        Deed("start:4:0", "start", "done", "", 147_361, 147_361_000_000_000),
        Deed("requests:USDC:1234:1000000", "requests", "already done", "", 1_234_567, 10**18),
    ]
    lines = [line_of(deed) for deed in deeds]
    assert [line.index(" gas ") for line in lines] == [lines[0].index(" gas ")] * 2
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["start:4:0", "done", "147,361", "gas", "0.000148", "coin"]
    assert lines[1].endswith("1.000000 coin")


def test_line_of__cost_below_what_is_shown__is_not_free():
    assert line_of(Deed("start:4:0", "start", "done", "", 1, 1)).endswith("0.000001 coin")


def test_line_of__not_done__says_why():
    assert line_of(Deed("start:4:0", "start", "reverted", "Auction__NotBelow")).split() == [
        *("start:4:0", "reverted", "Auction__NotBelow")
    ]


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("start:4:0", "equity 6,491.58, initial margin 9,181.58, maintenance 7,345.27"),
        ("start:5:0", ""),
        ("funding:ETH:17", "a round stands that the funding rate has not seen"),
        ("round:ETH:17", "posted because: moved"),
        ("something:else", ""),
    ],
)
def test_why_of__key__is_told_by_account_kind_or_post(key, why):
    posts = (Post("round:ETH:17", "round:ETH", "0x", b"", Why.MOVED),)
    assert why_of(key, VIEWS, posts) == why


def test_total_of__counts_what_would_work():
    deeds = [Deed("a:1", "a", "done", "", 100, 10**15), Deed("b:1", "b", "reverted", "no", 50, 10**15)]
    assert " ".join(total_of(deeds).split()) == "dry run, nothing was sent 1 of 2 100 gas 0.001000 coin"
    assert total_of([]) == "nothing to do"
