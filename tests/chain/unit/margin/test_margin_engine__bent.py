"""Collateral whose worth bends: liquidity of a real pool, margined, hedged, sold and taken out; and bad sources."""

from __future__ import annotations

import brownie
import pytest

from tests.chain.helpers.bent import (
    CEILING_E6,
    HAIRCUT,
    LINKED_HAIRCUT,
    LP,
    STIPEND,
    TERMS,
    bring_bent,
    deploy_bent,
    worth,
)
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import CROSS, PRICE_RANGE, SINGLE, STANDARD, deploy_stack

EQUITY, MARKET, INITIAL, MAINTENANCE = 1, 2, 4, 5
INVALID, LOOP, SHORT, LONG = "0xfe", "0x5b5f56", "0x601f5ff3", "0x6110005ff3"
AMOUNT = 1_000
WHOLE, MOST = WAD, 2**255


@pytest.fixture(scope="module", params=[True, False], ids=["base first", "cash first"])
def stack(request, accounts, chain, isolate_module):
    found = deploy_stack(brownie.project.get_loaded_projects()[0], accounts[0], chain)
    found.base_first = request.param
    return found


@pytest.fixture(scope="module")
def bent(stack):
    return deploy_bent(stack, base_first=stack.base_first)


@pytest.fixture(scope="module")
def other(stack, bent, accounts):
    return bring_bent(stack, bent, accounts[8], 1_000_000)


def numbers(margin):
    return [int(margin[place]) for place in (EQUITY, MARKET, INITIAL, MAINTENANCE)]


def without(stack, account_id):
    """The account as if it did not hold the token."""
    mode, cash, ids, amounts, positions = stack.accounts.snapshotOf(account_id)
    kept = [(i, a) for i, a in zip(ids, amounts, strict=True) if i != LP]
    return stack.engine.evaluate((mode, cash, [i for i, _ in kept], [a for _, a in kept], positions))


def set_code(bent, code):
    brownie.web3.provider.make_request("anvil_setCode", [bent.token.address, code])


@pytest.mark.parametrize("mode", [SINGLE, STANDARD, CROSS])
def test_margin__liquidity_alone(stack, bent, trader, mode):
    """Netted, its fall is in the scan; in STANDARD it is a part of its haircut."""
    account_id = bring_bent(stack, bent, trader, 0, AMOUNT, mode)
    margin = stack.engine.marginOf(account_id)
    value = worth(stack, bent, AMOUNT * WAD, 1_900)
    lowest = 1_900 * (WAD - 3 * PRICE_RANGE) // WAD
    fall = (value - worth(stack, bent, AMOUNT * WAD, lowest)) / 3
    assert margin[MARKET] == value
    if mode == STANDARD:
        share = max(HAIRCUT / WAD, LINKED_HAIRCUT / WAD + fall / value)
        assert margin[EQUITY] / value == pytest.approx(1 - share, abs=1e-3)
        assert margin[INITIAL] == 0
    else:
        assert margin[EQUITY] == value * (WAD - LINKED_HAIRCUT) // WAD
        assert margin[INITIAL] / WAD == pytest.approx(fall / WAD, rel=1e-3)


@pytest.mark.parametrize("mode", [SINGLE, CROSS])
def test_margin__short_perpetual__is_hedged_by_it(stack, bent, trader, other, mode):
    account_id = bring_bent(stack, bent, trader, 1_000, AMOUNT, mode)
    alone = stack.engine.marginOf(account_id)[INITIAL]
    stack.trade(other, account_id, 3, 1_900)
    assert stack.engine.marginOf(account_id)[INITIAL] < alone * 6 // 10


def test_margin__every_measure_and_the_preview_agree(stack, bent, trader, other):
    account_id = bring_bent(stack, bent, trader, 2_000, AMOUNT)
    stack.trade(account_id, other, 2, 1_900)
    snapshot = stack.accounts.snapshotOf(account_id)
    margin = numbers(stack.engine.marginOf(account_id))
    assert margin == numbers(stack.engine.ownMarginOf(account_id)) == numbers(stack.engine.auctionMarginOf(account_id))
    detailed, details = stack.engine.evaluateDetailed(snapshot)
    assert margin == numbers(detailed)
    units, gamma, _ = bent.token.valuesAt(AMOUNT * WAD, [1_900 * WAD])
    assert abs(details[0][1] - (units + 2 * WAD)) <= 1
    assert abs(details[0][2] - gamma) <= 1
    before, after, _, _ = stack.engine.preview(account_id, (255, 0, [LP], [-(10 * WAD)], []))
    assert numbers(before) == margin
    assert after[EQUITY] < before[EQUITY]
    assert not stack.engine.isLowered([LP])


def test_margin__pool_pushed_within_the_block__changes_nothing(stack, bent, trader, other, stranger):
    account_id = bring_bent(stack, bent, trader, 2_000, AMOUNT)
    stack.trade(account_id, other, 2, 1_900)
    before = tuple(stack.engine.marginOf(account_id))
    for price in (900.0, 5_000.0):
        bent.pool.push(stranger, price)
        assert tuple(stack.engine.marginOf(account_id)) == before


@pytest.mark.parametrize("spot", [1_000, 1_499, 1_500, 1_501, 2_399, 2_400, 2_401, 3_500])
def test_margin__at_the_ends_and_out_of_the_range(stack, bent, trader, spot):
    account_id = bring_bent(stack, bent, trader, 0, AMOUNT)
    stack.price(spot)
    margin = stack.engine.marginOf(account_id)
    assert margin[MARKET] == worth(stack, bent, AMOUNT * WAD, spot)
    assert margin[EQUITY] >= margin[INITIAL]


@pytest.mark.parametrize("mode", [SINGLE, STANDARD, CROSS])
@pytest.mark.parametrize(
    "code", ["0x", INVALID, LOOP, SHORT, LONG], ids=["no code", "invalid", "loop", "short", "long"]
)
def test_margin__source_fails__the_token_counts_nothing(stack, bent, trader, other, mode, code):
    account_id = bring_bent(stack, bent, trader, 30_000, AMOUNT, mode)
    stack.trade(account_id, other, 2, 1_900)
    set_code(bent, code)
    assert numbers(stack.engine.marginOf(account_id)) == numbers(without(stack, account_id))
    # Nobody else is touched, and what is not the token can be taken out.
    stack.vault.withdraw(account_id, bent.dollars, 1_000 * 10**6, trader, {"from": trader})


def test_margin__no_source_or_a_lying_one__counts_nothing(stack, bent, trader):
    account_id = bring_bent(stack, bent, trader, 1_000, AMOUNT)
    stub = stack.admin.deploy(stack.project.SourceStub)
    stub.set(0, 0, 0, 99, 0, {"from": stack.admin})
    # In proportion to the price it states 1,900 a unit, where the ceiling is 11.
    for source in ("0x" + 40 * "0", bent.token.address):
        stack.sources.setSource(LP, (source, STIPEND, CEILING_E6), {"from": stack.admin})
    assert stack.engine.marginOf(account_id)[EQUITY] > 1_000 * WAD
    stack.sources.setSource(LP, (stub, STIPEND, 10**10), {"from": stack.admin})
    assert stack.engine.marginOf(account_id)[EQUITY] > 10**6 * WAD
    stub.set(0, 0, 10**10 * WAD, 4, 0, {"from": stack.admin})
    assert stack.engine.marginOf(account_id)[EQUITY] == 1_000 * WAD
    stack.sources.setSource(LP, ("0x" + 40 * "0", 0, 0), {"from": stack.admin})
    assert stack.engine.marginOf(account_id)[EQUITY] == 1_000 * WAD


def test_margin__starved_of_gas__never_counts_less(stack, bent, trader, other):
    account_id = bring_bent(stack, bent, trader, 2_000, AMOUNT)
    stack.trade(account_id, other, 2, 1_900)
    whole = numbers(stack.engine.marginOf(account_id))
    data = stack.engine.marginOf.encode_input(account_id)
    passed = 0
    for gas in range(60_000, 600_000, 10_000):
        request = {"from": trader.address, "to": stack.engine.address, "data": data, "gas": hex(gas)}
        result = brownie.web3.provider.make_request("eth_call", [request, "latest"]).get("result")
        if result is not None:
            assert numbers(stack.engine.marginOf.decode_output(result)) == whole
            passed += 1
    assert passed > 0


def test_margin__two_underlyings_in_cross(stack, bent, trader, other):
    stack.list_second(60_000)
    account_id = bring_bent(stack, bent, trader, 5_000, AMOUNT, CROSS)
    stack.trade(account_id, other, 2, 1_900)
    alone = numbers(stack.engine.marginOf(account_id))
    perp = 2 << 248 | 3 << 240
    stack.trade(account_id, other, 1, 60_000, perp)
    both = numbers(stack.engine.marginOf(account_id))
    assert both[0] == alone[0]
    assert both[2] > alone[2]


# --- auctions


def test_auction__liquidity_is_sold__and_every_unit_found_again(stack, bent, trader, bidder, other):
    """Perpetuals on liquidity alone: at 1,600 the account is sold, and the bidder burns what he took."""
    account_id = bring_bent(stack, bent, trader, 0, AMOUNT)
    stack.trade(account_id, other, 23, 1_900)
    bidder_id = bring_bent(stack, bent, bidder, 200_000)
    stack.price(1_600)
    margin = stack.margin(account_id)
    assert margin.market > 0
    assert margin.equity < margin.maintenance
    stack.auction.start(account_id, {"from": bidder})
    stack.chain.sleep(120)
    tx = stack.auction.bid(account_id, bidder_id, WHOLE, True, MOST, {"from": bidder})
    assert tx.events["BidFilled"]["fractionWad"] > 0
    left, taken = (stack.accounts.snapshotOf(i) for i in (account_id, bidder_id))
    amounts = [dict(zip(s[2], s[3], strict=True)).get(LP, 0) for s in (left, taken)]
    assert sum(amounts) == AMOUNT * WAD
    assert amounts[1] > 0
    assert stack.margin(bidder_id).equity >= stack.margin(bidder_id).initial
    raw = amounts[1] // 10**6
    stack.vault.withdraw(bidder_id, bent.token, raw, bidder, {"from": bidder})
    out = bent.token.burn(raw, bidder, 0, 0, {"from": bidder}).return_value
    assert max(out) > 0
    assert bent.token.totalSupply() == AMOUNT * 10**12 - raw
    # The wei that no raw unit stands for stay with the bidder.
    assert sum(int(amount) for amount in stack.accounts.snapshotOf(bidder_id)[3]) == amounts[1] % 10**6


@pytest.mark.parametrize("code", ["0x", INVALID, LOOP], ids=["no code", "invalid", "loop"])
def test_auction__source_fails__goes_on(stack, bent, trader, bidder, other, code):
    account_id = bring_bent(stack, bent, trader, 3_000, AMOUNT)
    stack.trade(account_id, other, 10, 1_900)
    bidder_id = bring_bent(stack, bent, bidder, 200_000)
    stack.price(1_700)
    set_code(bent, code)
    stack.auction.start(account_id, {"from": bidder})
    tx = stack.auction.bid(account_id, bidder_id, WHOLE, True, MOST, {"from": bidder})
    assert tx.events["BidFilled"]["fractionWad"] > 0
    assert tx.gas_used < 13_500_000


def test_auction__worth_jumps_before_the_slice__the_bidder_meets_what_is_then(stack, bent, trader, bidder, other):
    """A source that fails once the auction is open: nobody takes for solvent what is not."""
    account_id = bring_bent(stack, bent, trader, 3_000, AMOUNT)
    stack.trade(account_id, other, 30, 1_900)
    bidder_id = bring_bent(stack, bent, bidder, 200_000)
    stack.price(1_620)
    assert stack.margin(account_id).market > 0
    stack.auction.start(account_id, {"from": bidder})
    set_code(bent, INVALID)
    assert stack.margin(account_id).market < 0
    with reverts_with("Auction__WrongBranch", False, True):
        stack.auction.bid(account_id, bidder_id, WHOLE, True, MOST, {"from": bidder})


def test_auction_margin__round_is_stale__counts_less_by_the_hour(stack, bent, trader):
    account_id = bring_bent(stack, bent, trader, 1_000, AMOUNT)
    fresh = numbers(stack.engine.auctionMarginOf(account_id))
    stack.chain.sleep(7 * 86_400 + 12 * 3_600)
    stack.chain.mine()
    with reverts_with("Oracle__Stale"):
        stack.engine.marginOf(account_id)
    late = numbers(stack.engine.auctionMarginOf(account_id))
    value = worth(stack, bent, AMOUNT * WAD, 1_900)
    assert fresh[1] == 1_000 * WAD + value
    assert (late[1] - 1_000 * WAD) / value == pytest.approx(0.5, abs=1e-3)
    assert late[2] == 0


# --- what an owner may do


def test_enforce__withdrawal__to_the_unit(stack, bent, trader, other):
    account_id = bring_bent(stack, bent, trader, 1_000, AMOUNT)
    stack.trade(account_id, other, 12, 1_900)
    amount = stack.actions.maxWithdraw(account_id, bent.token)
    assert 0 < amount < AMOUNT * 10**12
    with reverts_with("MarginEngine__BelowInitial"):
        stack.vault.withdraw(account_id, bent.token, amount + 1, trader, {"from": trader})
    stack.vault.withdraw(account_id, bent.token, amount, trader, {"from": trader})


def test_terms__another_ratio__the_token_is_a_share_of_the_underlying_again(stack, bent, trader):
    account_id = bring_bent(stack, bent, trader, 0, AMOUNT)
    stack.book.setCollateral(LP, (*TERMS[:4], WAD // 1_000), {"from": stack.admin})
    assert stack.engine.marginOf(account_id)[MARKET] == AMOUNT * 1_900 * WAD // 1_000


def test_isolate__moves_it_with_its_position(stack, bent, trader, other):
    account_id = bring_bent(stack, bent, trader, 5_000, AMOUNT)
    stack.trade(account_id, other, 2, 1_900)
    perp = 1 << 248 | 3 << 240
    made = stack.accounts.isolate(account_id, perp, LP, 500 * WAD, 1_000 * WAD, {"from": trader}).return_value
    assert dict(zip(*stack.accounts.snapshotOf(made)[2:4], strict=True))[LP] == 500 * WAD
    assert stack.engine.marginOf(made)[EQUITY] > 0
