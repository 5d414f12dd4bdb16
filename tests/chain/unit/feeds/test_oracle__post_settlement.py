"""Oracle.postSettlement: a time-weighted mean over the half hour before expiry, once."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_naming, reverts_with
from tests.chain.helpers.signed import WAD, market_round, post

EDGES = (300, 600, 900, 1_200, 1_500, 1_800)


@pytest.fixture
def expiry(chain):
    return chain.time() - 60


def samples(expiry_ts, offsets=EDGES, spots=None):
    spots = spots or [1_900 + n for n in range(len(offsets))]
    return {
        "underlyingId": 1,
        "expiryTs": expiry_ts,
        "sampleTs": [expiry_ts - 1_800 + offset for offset in offsets],
        "spotsWad": [spot * WAD for spot in spots],
    }


def test_post_settlement__uneven_samples__weighs_by_time(oracle, relayer, expiry):
    offsets, spots = (100, 400, 700, 1_000, 1_200, 1_500, 1_790), (1_000, 2_000, 1_500, 1_800, 1_700, 1_600, 9_000)
    tx = post(oracle, "postSettlement", samples(expiry, offsets, spots), relayer)
    # The first holds from the start of the window, each until the next, the last until expiry.
    ends = (400, 700, 1_000, 1_200, 1_500, 1_790, 1_800)
    weights = [end - begin for begin, end in zip((0, *ends), ends, strict=False)]
    expected = sum(s * w for s, w in zip(spots, weights, strict=True)) * WAD // 1_800
    assert tx.events["SettlementPosted"]["priceWad"] == expected
    assert oracle.settlementPriceOf(1, expiry) == expected


def test_post_settlement__twice__reverts_AlreadySettled(oracle, relayer, expiry):
    post(oracle, "postSettlement", samples(expiry), relayer)
    with reverts_with("Oracle__AlreadySettled", 1, expiry):
        post(oracle, "postSettlement", samples(expiry), relayer)


def test_post_settlement__before_expiry__reverts_FromFuture(oracle, relayer, chain):
    with reverts_with("Oracle__FromFuture"):
        post(oracle, "postSettlement", samples(chain.time() + 600), relayer)


@pytest.mark.parametrize(
    "offsets",
    [
        (301, 600, 900, 1_200, 1_500, 1_800),
        (250, 500, 750, 1_000, 1_250, 1_499),
        (0, 300, 600, 900, 1_200, 1_500),
        (300, 600, 600, 900, 1_200, 1_500),
        (300, 600, 900, 1_200, 1_500, 1_801),
    ],
    ids=["late start", "early end", "outside", "repeated", "after expiry"],
)
def test_post_settlement__bad_cover__reverts_BadSample(oracle, relayer, expiry, offsets):
    with reverts_with("Oracle__BadSample"):
        post(oracle, "postSettlement", samples(expiry, offsets), relayer)


def test_post_settlement__five_samples__reverts_BadLength(oracle, relayer, expiry):
    with reverts_with("Oracle__BadLength", 5, 6):
        post(oracle, "postSettlement", samples(expiry, EDGES[1:]), relayer)


def test_settlement_price_of__unsettled__reverts_NotSettled(oracle, expiry):
    with reverts_with("Oracle__NotSettled", 1, expiry):
        oracle.settlementPriceOf(1, expiry)


def wait(chain, seconds):
    chain.sleep(seconds)
    chain.mine()


@pytest.mark.parametrize("offsets", [(900,), (1, 1_800), EDGES[1:]], ids=["one", "edges", "late start"])
def test_post_settlement__gaps__count_two_hours_after_the_expiry(oracle, relayer, chain, offsets):
    expiry = chain.time()
    message = samples(expiry, offsets)
    wait(chain, 7_100)
    with reverts_with("Oracle__BadLength", len(offsets), 6):
        post(oracle, "postSettlement", message, relayer)
    wait(chain, 100)
    tx = post(oracle, "postSettlement", message, relayer)
    ends = [*offsets[1:], 1_800]
    weights = [end - begin for begin, end in zip((0, *ends), ends, strict=False)]
    expected = sum((1_900 + n) * w for n, w in enumerate(weights)) * WAD // 1_800
    assert (tx.events["SettlementPosted"]["priceWad"], tx.events["SettlementPosted"]["source"]) == (expected, 1)


def test_post_settlement__covering_samples_late__are_no_gap(oracle, relayer, chain):
    expiry = chain.time()
    wait(chain, 7_300)
    assert post(oracle, "postSettlement", samples(expiry), relayer).events["SettlementPosted"]["source"] == 0


def test_post_settlement__no_sample_in_the_window__reverts_even_late(oracle, relayer, chain):
    expiry = chain.time()
    wait(chain, 7_300)
    with reverts_with("Oracle__BadLength", 0, 1):
        post(oracle, "postSettlement", samples(expiry, ()), relayer)
    with reverts_with("Oracle__BadSample", expiry - 1_800, expiry - 1_800):
        post(oracle, "postSettlement", samples(expiry, (0,)), relayer)
    with reverts_with("Oracle__BadSample", expiry + 1, expiry):
        post(oracle, "postSettlement", samples(expiry, (1_801,)), relayer)


def test_post_settlement__beyond_what_was_last_known__reverts_OutOfDomain(oracle, relayer, chain):
    """A settlement is no way round the speed limit: forward 1,905, spot 1,900, and a factor e^0.25 to each side."""
    expiry = chain.time() - 60
    post(oracle, "postRound", market_round(expiry - 10, (expiry,), meanWad=1_900 * WAD), relayer)
    for spot, refused in ((2_447, True), (1_479, True), (2_446, False)):
        message = samples(expiry, EDGES, [spot] * 6)
        if refused:
            with reverts_naming("Oracle__OutOfDomain", "settlement"):
                post(oracle, "postSettlement", message, relayer)
        else:
            post(oracle, "postSettlement", message, relayer)


def test_post_settlement__before_there_was_a_window__reverts_BadSample(oracle, relayer):
    with reverts_with("Oracle__BadSample", 1_799, 1_800):
        post(oracle, "postSettlement", samples(1_800) | {"expiryTs": 1_799}, relayer)
