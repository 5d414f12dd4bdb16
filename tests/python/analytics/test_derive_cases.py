"""Cases that Derive publishes, end to end: from the account to its initial and maintenance margin.

They stand in v2-core, ``test/risk-managers/unit-tests/PMRM_2/portfolio_cases``, numbered 1 to 139, and here with the
numbers that they have there. The 48th is taken from ``PMRM_2_1/contract_results.json`` beside them, which repeats it.
"""

from dataclasses import replace

import numpy as np
import pytest
from helpers.derive_cases import case_of, documents, short_cases

from plimsoll.analytics.models import derive
from plimsoll.errors import DomainError

#: The venue's own tests accept 1e-8; these are float against float.
TOLERANCE = 1e-12


@pytest.mark.parametrize("case", short_cases(), ids=lambda case: case.name)
def test_a_published_case_end_to_end(case):
    with np.errstate(divide="raise", invalid="raise"):
        computed = case.computed()
    assert computed == pytest.approx((case.initial, case.maintenance), rel=TOLERANCE)


def test_every_case_of_the_venue_is_here():
    assert [int(case.name.split()[0]) for case in short_cases()] == list(range(1, 140))


@pytest.mark.parametrize("short", [case for case in documents() if "skewLoss" in case], ids=lambda case: case["name"])
def test_a_published_loss_of_the_skew_rows(short):
    """Most cases of the skew's parameters have their worst row elsewhere: there the margins alone show nothing."""
    case = case_of(short)
    assert derive.manager(case.account.holdings[0], case.params.default).skew == pytest.approx(
        short["skewLoss"], rel=TOLERANCE
    )


def test_collateral_counts_at_its_price_over_that_of_the_stablecoin():
    short = {"name": "", "cash": 0.0, "spot": 2_000.0, "initial": 0.0, "maintenance": 0.0}
    for cancels in (0, 1):
        token = ["TOKEN", 3.0, 500.0, 1.0, cancels, 0.1, 0.05]
        half = case_of(short | {"collateral": [token], "stable": 0.5, "params": {"peg_factor": 0.0}}).computed()
        whole = case_of(short | {"collateral": [token], "stable": 1.0}).computed()
        assert half == pytest.approx([2.0 * margin for margin in whole], rel=1e-12)


def test_moves_of_the_forward_may_differ():
    short = next(case for case in documents() if case["name"].startswith("16 "))
    held = case_of(short).account.holdings[0]
    params = case_of(short).params.default
    forward = {
        (up, down): derive.manager(held, replace(params, forward_up=up, forward_down=down)).forward
        for up in (0.0, 0.045, 0.2)
        for down in (0.0, -0.045, -0.2)
    }
    assert forward[0.0, 0.0] == 0.0
    # The short call loses when the forward rises, the short puts when it falls; the venue publishes the sum.
    assert forward[0.045, -0.045] == pytest.approx(-42_111.41668820672, rel=TOLERANCE)
    assert forward[0.045, -0.045] == pytest.approx(forward[0.045, 0.0] + forward[0.0, -0.045], rel=TOLERANCE)
    assert forward[0.2, -0.045] < forward[0.045, -0.045]
    assert forward[0.045, -0.2] < forward[0.045, -0.045]


def test_a_skew_without_width_is_an_error():
    short = {
        "name": "", "cash": 0.0, "spot": 2_000.0, "initial": 0.0, "maintenance": 0.0,
        "options": [[0, 2_500.0, 1, 0.5, -1.0]], "feeds": [[0, 2_600.0, 1, 0.0, 1, 1]],
    }  # fmt: skip
    case = case_of(short | {"params": {"skew_min_width": 0.0}})
    with pytest.raises(DomainError, match="width of the skew is 0"):
        case.computed()
