"""Cases that Derive publishes, end to end: from the account to its initial and maintenance margin.

Thirty of the 139 are kept here (two of them among the worked examples); numbers stand as they are published. The others
are computed where the venue's own files are: ``PLIMSOLL_DERIVE_CASES`` names their folder (v2-core,
``test/risk-managers/unit-tests/PMRM_2/portfolio_cases``).
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.derive_cases import PARAMETERS, SHORT, STATES, case_of, read_case, short_cases

from plimsoll.analytics.models import derive
from plimsoll.errors import DomainError

#: The venue's own tests accept 1e-8; these are float against float.
TOLERANCE = 1e-12
FOLDER = os.environ.get("PLIMSOLL_DERIVE_CASES")
#: Skew rows that move the price as well: the venue's contract refuses them, and its tests leave the case out.
REFUSED = "test_67_misc_skew_scenario_with_spot_move"


@pytest.mark.parametrize("case", short_cases(), ids=lambda case: case.name)
def test_a_published_case_end_to_end(case):
    assert case.computed() == pytest.approx((case.initial, case.maintenance), rel=TOLERANCE)


def _files():
    if FOLDER is None:
        return []
    return [path for path in sorted(Path(FOLDER).glob("test_*.json")) if path.stem != REFUSED]


@pytest.mark.skipif(FOLDER is None, reason="PLIMSOLL_DERIVE_CASES names no folder of the venue's files")
def test_all_published_files_are_there():
    assert len(_files()) == 138


@pytest.mark.parametrize("path", _files(), ids=lambda path: path.stem)
def test_a_published_file_end_to_end(path):
    case = read_case(path)
    assert case.computed() == pytest.approx((case.initial, case.maintenance), rel=1e-10, abs=1e-9)


def venue_file(short):
    """Write a short case the way the venue does."""
    names = ("Name", "Amount", "Price", "Confidence", "IsRiskCancelling", "MMHaircut", "IMHaircut")
    perp = short.get("perp", (0.0, 0.0, 1.0, 0.0))
    case = case_of(short)
    parameters = {}
    for (group, key), ours in PARAMETERS.items():
        value = getattr(case.params.default, ours)
        parameters.setdefault(group, {})[key] = value + 1.0 if ours in ("forward_up", "forward_down") else value
    words = {ours: theirs for theirs, ours in STATES.items()}
    parameters["Scenarios"] = [
        {"SpotShock": 1.0 + move, "VolShockDirection": words[state], "DampeningFactor": damp}
        for move, state, damp in case.params.default.rows
    ]
    return {
        "Scenario": {
            "Cash": short["cash"],
            "Collaterals": [dict(zip(names, c, strict=True)) for c in short.get("collateral", ())],
            "SpotPrice": short["spot"],
            "SpotConfidence": short.get("confidence", 1.0),
            "NumPerps": perp[0],
            "PerpPrice": perp[1],
            "PerpConfidence": perp[2],
            "UnrealisedPerpPNL": perp[3],
            "UnrealisedFunding": 0.0,
            "StablePrice": short.get("stable", 1.0),
            "Options": [
                dict(zip(("Expiry", "Strike", "IsCall", "MarkVol", "Amount"), o, strict=True))
                for o in short.get("options", ())
            ],
            "OptionFeeds": [
                dict(
                    zip(
                        (
                            "FeedExpiry",
                            "Forward",
                            "ForwardConfidence",
                            "Rate",
                            "RateConfidence",
                            "OptionVolConfidences",
                        ),
                        f,
                        strict=True,
                    )
                )
                for f in short.get("feeds", ())
            ],
        },
        "Parameters": parameters,
        "Result": {"IM": short["initial"], "MM": short["maintenance"]},
    }


def test_the_reader_of_the_venues_files_makes_the_same_account(tmp_path):
    """Without the venue's files the reader is held to the short cases, written the way the venue does."""
    for short in json.loads(SHORT.read_text(encoding="utf-8"))["cases"]:
        path = tmp_path / "case.json"
        path.write_text(json.dumps(venue_file(short)), encoding="utf-8")
        assert read_case(path).computed() == pytest.approx((short["initial"], short["maintenance"]), rel=TOLERANCE)


def test_collateral_counts_at_its_price_over_that_of_the_stablecoin():
    short = {"name": "", "cash": 0.0, "spot": 2_000.0, "initial": 0.0, "maintenance": 0.0}
    for cancels in (0, 1):
        token = ["TOKEN", 3.0, 500.0, 1.0, cancels, 0.1, 0.05]
        half = case_of(short | {"collateral": [token], "stable": 0.5, "params": {"peg_factor": 0.0}}).computed()
        whole = case_of(short | {"collateral": [token], "stable": 1.0}).computed()
        assert half == pytest.approx([2.0 * margin for margin in whole], rel=1e-12)


def test_moves_of_the_forward_may_differ():
    cases = json.loads(SHORT.read_text(encoding="utf-8"))["cases"]
    short = next(case for case in cases if case["name"].startswith("16 "))
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
