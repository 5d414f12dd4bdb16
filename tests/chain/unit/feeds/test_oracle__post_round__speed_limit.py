"""Oracle.postRound: no number further from its anchor in time than the limit, however many messages carry it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from plimsoll.mirror.speed_limit import total_variance
from plimsoll.model import Svi
from tests.chain.helpers.errors import padded, reverts_naming, reverts_with
from tests.chain.helpers.signed import DAY, WAD, market_round, post, surface
from tests.python.oracle.fixed import ln_wad

MOVE, VARIANCE_MOVE = 0.25, 0.7
TENOR = 9 * DAY
#: A step inside and one outside a limit.
STEPS = (1e-4, -1e-4)


def scaled(wad, log):
    return round(wad * math.exp(log))


def slice_with(changes):
    """The quiet slice with its variance at k = 0, kStar and -kStar changed by these logarithms."""
    quiet = surface(0)
    a, b, rho, m, s = (quiet[name] / WAD for name in ("aWad", "bWad", "rhoWad", "mWad", "sWad"))
    strikes = [sign * 0.6 * math.sqrt(TENOR / (365 * DAY)) for sign in (0, 1, -1)]
    wanted = [total_variance(Svi(a, b, rho, m, s), k) * math.exp(c) for k, c in zip(strikes, changes, strict=True)]
    # With m and s as they are, total variance is linear in a, b*rho and b.
    rows = [[1.0, k - m, math.hypot(k - m, s)] for k in strikes]
    a, slope, b = np.linalg.solve(rows, wanted)
    return {"aWad": int(a * WAD), "bWad": int(b * WAD), "rhoWad": int(slope / b * WAD)}


@pytest.fixture
def first_ts(oracle, relayer, chain):
    """Time of a first round of one expiry, nine days away."""
    ts = chain.time() - 20
    post(oracle, "postRound", market_round(ts, (ts + TENOR,)), relayer)
    return ts


def listed(ts, expiry, **changed):
    """A round ten seconds later, with the variance per year of the first."""
    left = (expiry - ts - 1_200) / (TENOR - 1_200)
    shape = {"aWad": round(2 * 10**15 * left), "bWad": round(3 * 10**16 * left)}
    return market_round(ts, surfaces=[surface(expiry, **(shape | changed))])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("field", "key"), [("spot", "spotWad"), ("perp", "perpWad")])
def test_speed_limit__header__refused_beyond_and_accepted_within(oracle, relayer, first_ts, field, key, sign):
    message = market_round(first_ts + 10)
    with reverts_naming("Oracle__TooFast", field):
        post(oracle, "postRound", message | {key: scaled(message[key], sign * (MOVE + 1e-4))}, relayer)
    post(oracle, "postRound", message | {key: scaled(message[key], sign * (MOVE - 1e-4))}, relayer)


def test_speed_limit__error__names_observed_and_limit(oracle, relayer, chain):
    ts = chain.time() - 20
    post(oracle, "postRound", market_round(ts, spotWad=WAD), relayer)
    for price in (3 * WAD, WAD // 3):
        moved = ln_wad(price)
        limit = WAD // 4 if moved > 0 else -(WAD // 4)
        with reverts_with("Oracle__TooFast", padded("spot"), moved, limit):
            post(oracle, "postRound", market_round(ts + 1, spotWad=price), relayer)


@pytest.mark.parametrize("sign", [1, -1])
def test_speed_limit__forward__refused_beyond_and_accepted_within(oracle, relayer, first_ts, sign):
    forward = surface(0)["forwardWad"]
    with reverts_naming("Oracle__TooFast", "forward"):
        changed = scaled(forward, sign * (MOVE + 1e-4))
        post(oracle, "postRound", listed(first_ts + 10, first_ts + TENOR, forwardWad=changed), relayer)
    changed = scaled(forward, sign * (MOVE - 1e-4))
    post(oracle, "postRound", listed(first_ts + 10, first_ts + TENOR, forwardWad=changed), relayer)


@pytest.mark.parametrize("sign", [1, -1])
def test_speed_limit__discount__refused_beyond_and_accepted_within(oracle, relayer, chain, sign):
    """The rate of one expiry moves a cash leg as a forward does: ln D is held to the limit of prices."""
    ts = chain.time() - 20
    expiry = ts + 365 * DAY
    post(oracle, "postRound", market_round(ts, (expiry,)), relayer)
    for step in STEPS:
        rate = 4 * 10**16 + round(sign * (MOVE + step) * WAD)
        message = market_round(ts + 10, surfaces=[surface(expiry, rateWad=rate)])
        if step > 0:
            with reverts_naming("Oracle__TooFast", "discount"):
                post(oracle, "postRound", message, relayer)
        else:
            post(oracle, "postRound", message, relayer)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("centre variance", (-1, 0, 0)),
        ("upper variance", (0, 1, 0)),
        ("lower variance", (0, 0, 1)),
        ("centre variance", (1, 1, 1)),
    ],
)
def test_speed_limit__variance__refused_beyond_and_accepted_within(oracle, relayer, first_ts, field, changes):
    expiry, left = first_ts + TENOR, (TENOR - 10 - 1_200) / (TENOR - 1_200)
    for step in STEPS:
        shape = slice_with([c * (VARIANCE_MOVE + step) for c in changes])
        shape |= {name: round(shape[name] * left) for name in ("aWad", "bWad")}
        message = listed(first_ts + 10, expiry, **shape)
        if step > 0:
            with reverts_naming("Oracle__TooFast", field):
                post(oracle, "postRound", message, relayer)
        else:
            post(oracle, "postRound", message, relayer)


def test_speed_limit__twenty_rounds_in_a_second__walk_no_further_than_one(oracle, relayer, chain):
    """A limit per message is none: +24 % twenty times was x73.9."""
    ts, spot = chain.time() - 40, 1_900 * WAD
    post(oracle, "postRound", market_round(ts, spotWad=spot), relayer)
    for n in range(1, 21):
        higher = spot * 124 // 100
        if n == 1:
            post(oracle, "postRound", market_round(ts + n, spotWad=higher), relayer)
            spot = higher
            continue
        with reverts_naming("Oracle__TooFast", "spot"):
            post(oracle, "postRound", market_round(ts + n, spotWad=higher), relayer)
    assert oracle.roundFor(1, [])[0][1] == 1_900 * WAD * 124 // 100


def test_speed_limit__two_rounds_in_one_block__share_one_limit(oracle, relayer, first_ts):
    post(oracle, "postRound", market_round(first_ts + 1, spotWad=scaled(1_900 * WAD, 0.2)), relayer)
    with reverts_naming("Oracle__TooFast", "spot"):
        post(oracle, "postRound", market_round(first_ts + 2, spotWad=scaled(1_900 * WAD, 0.26)), relayer)
    post(oracle, "postRound", market_round(first_ts + 2, spotWad=scaled(1_900 * WAD, -0.2)), relayer)


def later(chain, ts):
    chain.sleep(ts - chain.time())
    chain.mine()


def test_speed_limit__half_life__anchor_is_half_way_after_an_hour(oracle, relayer, chain, first_ts):
    post(oracle, "postRound", market_round(first_ts + 1, spotWad=1_900 * WAD), relayer)
    later(chain, first_ts + 3_601)
    post(oracle, "postRound", market_round(first_ts + 3_601, spotWad=scaled(1_900 * WAD, 0.2)), relayer)
    for step in STEPS:
        message = market_round(first_ts + 3_602, spotWad=scaled(1_900 * WAD, 0.1 + MOVE + step))
        if step > 0:
            with reverts_naming("Oracle__TooFast", "spot"):
                post(oracle, "postRound", message, relayer)
        else:
            post(oracle, "postRound", message, relayer)


def test_speed_limit__after_an_outage__as_far_as_a_feed_at_the_limit(oracle, relayer, chain, first_ts):
    """Past the heartbeat of an hour the limit is m*(1 + ln 2*dt/h): an outage does not lock the feed."""
    gap = 7_200
    later(chain, first_ts + gap)
    reach = MOVE * (1 + 2 * math.log(2))
    for step in STEPS:
        message = market_round(first_ts + gap, spotWad=scaled(1_900 * WAD, reach + step))
        if step > 0:
            with reverts_naming("Oracle__TooFast", "spot"):
                post(oracle, "postRound", message, relayer)
        else:
            post(oracle, "postRound", message, relayer)


def test_speed_limit__expiry_left_out__keeps_its_anchor(oracle, relayer, first_ts):
    expiry = first_ts + TENOR
    post(oracle, "postRound", market_round(first_ts + 5), relayer)
    with reverts_naming("Oracle__TooFast", "forward"):
        post(oracle, "postRound", listed(first_ts + 10, expiry, forwardWad=2_500 * WAD), relayer)
    post(oracle, "postRound", listed(first_ts + 10, expiry), relayer)


def test_speed_limit__new_expiry__takes_its_anchor_from_its_first_round(oracle, relayer, first_ts):
    other = first_ts + TENOR + DAY
    post(oracle, "postRound", listed(first_ts + 5, other, forwardWad=3_000 * WAD), relayer)
    with reverts_naming("Oracle__TooFast", "forward"):
        post(oracle, "postRound", listed(first_ts + 10, other, forwardWad=2_000 * WAD), relayer)


def test_speed_limit__inside_the_window__only_variance_is_free(oracle, relayer, chain):
    ts = chain.time() - 20
    expiry = ts + 1_805
    post(oracle, "postRound", market_round(ts, (expiry,)), relayer)
    free = surface(expiry, aWad=5 * 10**17)
    inside = market_round(ts + 10, surfaces=[free], meanWad=1_900 * WAD)
    with reverts_naming("Oracle__TooFast", "forward"):
        post(oracle, "postRound", inside | {"surfaces": [free | {"forwardWad": 2_500 * WAD}]}, relayer)
    with reverts_naming("Oracle__TooFast", "mean"):
        post(oracle, "postRound", inside | {"meanWad": 2_500 * WAD}, relayer)
    with reverts_naming("Oracle__TooFast", "centre variance"):
        post(oracle, "postRound", market_round(ts + 5, surfaces=[free]), relayer)
    post(oracle, "postRound", inside, relayer)


def test_speed_limit__underlyings__have_their_own_anchors(oracle, relayer, first_ts):
    post(oracle, "postRound", market_round(first_ts + 5, underlyingId=2, spotWad=60_000 * WAD), relayer)
    with reverts_naming("Oracle__TooFast", "spot"):
        post(oracle, "postRound", market_round(first_ts + 6, underlyingId=2), relayer)
