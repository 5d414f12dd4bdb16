"""Oracle.anchorsOf and tokenAnchorOf: the anchors are those of the mirror, to the step in which they are kept."""

from __future__ import annotations

import pytest

from plimsoll.mirror.speed_limit import VARIANCES, Anchors, after
from plimsoll.model import Round, Surface, Svi
from tests.chain.helpers import anchors as whole
from tests.chain.helpers.signed import DAY, WAD, market_round, numbers, post, surface

#: Anchors are kept in steps of 2e-8, rounded once a round.
STEP = 2e-8
NAMES = ("forward", "discount", *VARIANCES)


def as_round(message):
    """The message in floats."""
    surfaces = tuple(
        Surface(
            s["expiryTs"],
            s["forwardWad"] / WAD,
            s["rateWad"] / WAD,
            Svi(*(s[name] / WAD for name in ("aWad", "bWad", "rhoWad", "mWad", "sWad"))),
        )
        for s in message["surfaces"]
    )
    return Round("ETH", message["ts"], message["spotWad"] / WAD, message["perpWad"] / WAD, 1.0, surfaces)


def test_anchors_of__several_rounds__equal_whole_numbers_and_the_mirror(oracle, relayer, chain):
    start = chain.time() - 3_000
    near, far = start + DAY // 2, start + 200 * DAY
    anchors, exact, rounds = Anchors(), whole.Anchors(), 0
    for wait, spot, forward, a in (
        (0, 1_900, 1_905, 20),
        (1, 2_100, 2_300, 25),
        (600, 1_700, 1_710, 12),
        (1_900, 1_950, 1_500, 20),
        (2_990, 2_000, 1_900, 22),
    ):
        both = {"forwardWad": forward * WAD, "aWad": a * 10**14}
        listed = [surface(far, **both)] if wait == 600 else [surface(near, **both), surface(far, **both)]
        message = market_round(start + wait, spotWad=spot * WAD, surfaces=listed)
        post(oracle, "postRound", message, relayer)
        anchors, rounds = after(anchors, as_round(message)), rounds + 1
        exact.accept(message)
    ts, spot_ln, perp_ln, found = oracle.anchorsOf(1, [near, far])
    assert ts == start + 2_990
    assert [spot_ln, perp_ln] == [whole.ln_of(exact.head[name]) for name in ("spot", "perp")]
    assert [spot_ln / WAD, perp_ln / WAD] == pytest.approx(list(anchors.head.logs.values()), abs=rounds * STEP)
    for expiry, anchor in zip((near, far), found, strict=True):
        at, steps = exact.surfaces[expiry]
        assert numbers(anchor) == [at, *(whole.ln_of(steps[name]) for name in NAMES)]
        wanted = anchors.surfaces[expiry]
        assert [x / WAD for x in anchor[1:]] == pytest.approx([wanted.logs[n] for n in NAMES], abs=rounds * STEP)


def test_anchors_of__nothing_posted__are_zero(oracle):
    ts, spot_ln, perp_ln, found = oracle.anchorsOf(1, [5])
    assert (ts, spot_ln, perp_ln, [tuple(a) for a in found]) == (0, 0, 0, [(0, 0, 0, 0, 0, 0)])
    assert tuple(oracle.tokenAnchorOf(0)) == (0, 0)


def test_anchors_of__ends_of_the_domain__fit(oracle, relayer, chain):
    now = chain.time()
    least = {"aWad": 0, "bWad": 0, "forwardWad": 1}
    most = {"aWad": 1_000 * WAD, "bWad": 2 * WAD, "rhoWad": 0, "forwardWad": 10**30}
    listed = [surface(now + DAY, **least), surface(now + 2 * DAY, **most)]
    message = market_round(now, surfaces=listed, spotWad=1, perpWad=10**30)
    post(oracle, "postRound", message, relayer)
    _, spot_ln, perp_ln, found = oracle.anchorsOf(1, [now + DAY, now + 2 * DAY])
    assert [spot_ln / WAD, perp_ln / WAD] == pytest.approx([-41.44653167, 27.63102112], abs=STEP)
    assert [x / WAD for x in found[0][1:]] == pytest.approx([-41.44653167, 0.04 / 365] + 3 * [-9.21034037], abs=STEP)
    wanted = after(Anchors(), as_round(message)).surfaces[now + 2 * DAY]
    assert [x / WAD for x in found[1][1:]] == pytest.approx([wanted.logs[n] for n in NAMES], abs=STEP)


def test_token_anchor_of__follows_the_price(oracle, relayer, chain):
    now = chain.time()
    post(oracle, "postTokenPrices", {"ts": now - 1_800, "tokenIds": [3], "pricesWad": [WAD]}, relayer)
    post(oracle, "postTokenPrices", {"ts": now, "tokenIds": [3], "pricesWad": [WAD * 12 // 10]}, relayer)
    ts, ln = oracle.tokenAnchorOf(3)
    assert ts == now
    assert ln / WAD == pytest.approx(0.1823215568 * (1 - 2**-0.5), abs=2 * STEP)
