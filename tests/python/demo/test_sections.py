"""Sentences of the report say what happened in this run, not what usually does."""

import pytest

from plimsoll.demo.result import AccountResult, DemoResult, Figures, Liquidation, PathPoint
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
