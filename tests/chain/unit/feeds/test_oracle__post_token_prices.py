"""Oracle.postTokenPrices: fresh, positive, newer than the stored ones, no further from their anchors than the limit."""

from __future__ import annotations

from tests.chain.helpers.errors import reverts_naming, reverts_with
from tests.chain.helpers.signed import WAD, post


def prices(ts, values):
    return {"ts": ts, "tokenIds": list(range(len(values))), "pricesWad": list(values)}


def test_post_token_prices__newer__replaces_and_older__is_ignored(oracle, relayer, chain):
    now = chain.time()
    tx = post(oracle, "postTokenPrices", prices(now, [WAD, 1_900 * WAD]), relayer)
    assert [event["priceWad"] for event in tx.events["TokenPricePosted"]] == [WAD, 1_900 * WAD]
    post(oracle, "postTokenPrices", prices(now - 1, [WAD, 5 * WAD]), relayer)
    assert oracle.tokenPriceOf(1) == 1_900 * WAD


def test_post_token_prices__zero__reverts_OutOfDomain(oracle, relayer, chain):
    with reverts_with("Oracle__OutOfDomain"):
        post(oracle, "postTokenPrices", prices(chain.time(), [0]), relayer)


def test_post_token_prices__lengths_differ__reverts_BadLength(oracle, relayer, chain):
    message = prices(chain.time(), [WAD]) | {"tokenIds": [0, 1]}
    with reverts_with("Oracle__BadLength", 1, 2):
        post(oracle, "postTokenPrices", message, relayer)


def test_token_price_of__missing_or_stale__reverts(oracle, relayer, chain):
    with reverts_with("Oracle__NoTokenPrice", 0):
        oracle.tokenPriceOf(0)
    post(oracle, "postTokenPrices", prices(chain.time(), [WAD]), relayer)
    chain.sleep(3_700)
    chain.mine()
    with reverts_with("Oracle__Stale"):
        oracle.tokenPriceOf(0)


def test_post_token_prices__twenty_messages__walk_no_further_than_the_limit(oracle, relayer, chain):
    """One message set a token to a billion."""
    start = chain.time() - 60
    post(oracle, "postTokenPrices", prices(start, [WAD]), relayer)
    with reverts_naming("Oracle__TooFast", "tokenPrice"):
        post(oracle, "postTokenPrices", prices(start + 1, [10**9 * WAD]), relayer)
    post(oracle, "postTokenPrices", prices(start + 1, [WAD * 128 // 100]), relayer)
    with reverts_naming("Oracle__TooFast", "tokenPrice"):
        post(oracle, "postTokenPrices", prices(start + 2, [WAD * 129 // 100]), relayer)
    with reverts_naming("Oracle__TooFast", "tokenPrice"):
        post(oracle, "postTokenPrices", prices(start + 2, [WAD * 77 // 100]), relayer)
    post(oracle, "postTokenPrices", prices(start + 2, [WAD * 78 // 100]), relayer)


def test_last_token_price_of__stale__is_still_told(oracle, relayer, chain):
    assert tuple(oracle.lastTokenPriceOf(0)) == (0, 0)
    now = chain.time()
    post(oracle, "postTokenPrices", prices(now, [WAD]), relayer)
    chain.sleep(30 * 86_400)
    chain.mine()
    assert tuple(oracle.lastTokenPriceOf(0)) == (WAD, now)
