"""The report says what happened in this run, not what usually does, and its page shows what it found."""

import pytest

from plimsoll.analytics.report.drawing.picture import WIDTHS, picture
from plimsoll.demo.html import accounts_figure, market_figure
from plimsoll.demo.result import AccountResult, DemoResult, Figures, Liquidation, MarketPoint, PathPoint
from plimsoll.demo.sections import insolvency_section
from plimsoll.model import Mode

FIGURES = Figures(1_020.0, 1_000.0, 800.0, 1_000.0)


def bid(number: int, kind: str, account: int = 4) -> Liquidation:
    return Liquidation(
        account, "buyer", number, 1_770_000_000, kind, 0.5, 0.9, 10.0, 1.0, 2.0, 3.0, 2.0, -5.0, 3, "backstop"
    )


@pytest.mark.parametrize(
    ("earlier", "words"),
    [
        ((), "from round 7 on; nobody took a slice of it in time."),
        ((bid(8, "solvent"), bid(9, "solvent")), "from round 7 on; slices sold before: 2."),
        ((bid(8, "solvent", account=5),), "from round 7 on; nobody took a slice of it in time."),
    ],
    ids=["nobody", "two slices", "a slice of another"],
)
def test_insolvency__story__counts_the_slices_that_were_sold(earlier, words):
    states = {6: "healthy", 7: "liquidatable", 8: "liquidatable"}
    path = [PathPoint(number, 1_770_000_000, FIGURES, state) for number, state in states.items()]
    accounts = [AccountResult(4, "buyer", Mode.STANDARD, 1, path)]
    result = DemoResult("synthetic", {}, accounts, {}, [*earlier, bid(12, "insolvent")])
    assert words in insolvency_section(result).lead


def test_page__carries_every_account_as_a_picture():
    path = [
        PathPoint(n, 1_770_000_000 + 3_600 * n, Figures(2_000.0 - 90.0 * n, 1_000.0, 800.0, 1.0), "healthy")
        for n in range(9)
    ]
    accounts = [AccountResult(n, f"name <{n}>", Mode.CROSS, 1, path) for n in range(1, 8)]
    market = {"ETH": [MarketPoint(p.ts, 1_900.0 - p.round_number, 0.6) for p in path]}
    result = DemoResult("synthetic", {}, accounts, market, [bid(8, "solvent")])
    page = picture(market_figure(result)) + picture(accounts_figure(result))
    for account in accounts:
        assert page.count(f">{account.account_id} name &lt;{account.account_id}&gt;<") == len(WIDTHS)
    assert "equity, 2026-02-02 10:40: 1,280.00" in page
    assert "solvent: 50.0% at 0.900, paid 10" in page
    assert "ETH, 2026-02-02 10:40: 1,892" in page
