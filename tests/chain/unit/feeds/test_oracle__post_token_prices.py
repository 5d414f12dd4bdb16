"""Oracle.postTokenPrices: fresh, positive, newer than the stored ones."""

from __future__ import annotations

from tests.chain.helpers.errors import reverts_with
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
