"""A loan at Morpho as collateral: margined, hedged, steered within margin, sold in an auction, liquidated at Morpho."""

from __future__ import annotations

import brownie
import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.lent import (
    LINKED_HAIRCUT,
    LOAN,
    PRICE,
    WHOLE,
    bring_dollars,
    bring_lent,
    deploy_lent,
)
from tests.chain.helpers.morpho import BUFFER, COST, LLTV
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import CROSS, PERP, PRICE_RANGE, SINGLE, STANDARD, deploy_stack

EQUITY, MARKET, INITIAL, MAINTENANCE = 1, 2, 4, 5
INVALID, LOOP = "0xfe", "0x5b5f56"
MOST, MAX = 2**255, 2**256 - 1
#: Units of the base and cash: far from the venue's edge either way round.
SOLID = {True: (100, 60_000), False: (100, 400_000)}
#: A tenth of a per cent short of it at the spot, with the buffer.
EDGE = {True: (100, 159_900), False: (100, 225_700)}
#: Perpetuals in the direction of the loan that leave some of the margin: below 0, they hedge nothing.
DOUBLED = {True: -250, False: -400}
#: Interest of the seconds that go by in a test.
SECONDS = 10**17


@pytest.fixture(scope="module", params=[True, False], ids=["coins against cash", "cash against coins"])
def stack(request, accounts, chain, isolate_module):
    found = deploy_stack(brownie.project.get_loaded_projects()[0], accounts[0], chain)
    found.is_long = request.param
    return found


@pytest.fixture(scope="module")
def lent(stack, trader):
    return deploy_lent(stack, trader, is_long=stack.is_long)


@pytest.fixture(scope="module")
def other(stack, lent, accounts):
    return bring_dollars(stack, lent, accounts[8], 10_000_000)


def numbers(margin):
    return [int(margin[place]) for place in (EQUITY, MARKET, INITIAL, MAINTENANCE)]


def without(stack, account_id):
    """The account as if it did not hold the token."""
    mode, cash, ids, amounts, positions = stack.accounts.snapshotOf(account_id)
    kept = [(i, a) for i, a in zip(ids, amounts, strict=True) if i != LOAN]
    return stack.engine.evaluate((mode, cash, [i for i, _ in kept], [a for _, a in kept], positions))


def net(stack, loan):
    """Worth of a loan at the spot, far from the edge, wad."""
    units, cash = loan
    return (units * PRICE - cash if stack.is_long else cash - units * PRICE) * WAD


def set_code(contract, code):
    brownie.web3.provider.make_request("anvil_setCode", [contract.address, code])


def hedge(stack, account_id, other, quantity, price=PRICE):
    """Take the risk of the loan away with perpetuals, or, below 0, double it."""
    long_first = stack.is_long == (quantity < 0)
    pair = (account_id, other) if long_first else (other, account_id)
    stack.trade(*pair, abs(quantity), price)


@pytest.mark.parametrize("mode", [SINGLE, STANDARD, CROSS])
def test_margin__loan_alone__is_a_position_in_the_underlying(stack, lent, trader, mode):
    """Its units fall a range, and unwinding is paid; in STANDARD that is a part of the haircut."""
    loan = SOLID[stack.is_long]
    account_id = bring_lent(stack, lent, trader, loan, 0, mode)
    margin = stack.engine.marginOf(account_id)
    worth, loss = net(stack, loan), loan[0] * PRICE * (PRICE_RANGE + COST)
    assert int(margin[MARKET]) == pytest.approx(worth, abs=SECONDS)
    if mode == STANDARD:
        share = max(0.2, LINKED_HAIRCUT / WAD + loss / worth)
        assert margin[EQUITY] / worth == pytest.approx(1 - share, abs=1e-3)
        assert margin[INITIAL] == 0
    else:
        assert int(margin[EQUITY]) == pytest.approx(worth * (WAD - LINKED_HAIRCUT) // WAD, abs=SECONDS)
        assert int(margin[INITIAL]) == pytest.approx(loss, rel=2e-2)


@pytest.mark.parametrize("mode", [SINGLE, CROSS])
def test_margin__perpetuals_against_it__hedge_it(stack, lent, trader, other, mode):
    loan = SOLID[stack.is_long]
    account_id = bring_lent(stack, lent, trader, loan, 10_000, mode)
    alone = stack.engine.marginOf(account_id)[INITIAL]
    hedge(stack, account_id, other, 100)
    hedged = stack.engine.marginOf(account_id)[INITIAL]
    # The whole move is gone; unwinding of both is left, and the basis of the perpetual.
    assert hedged < alone // 5
    assert hedged >= 100 * PRICE * COST


def test_margin__at_the_edge_of_the_venue__the_requirement_holds_the_penalty(stack, lent, trader, other):
    """Hedged to a flat book, so that nothing but the penalty, and unwinding, can be lost."""
    loan = EDGE[stack.is_long]
    account_id = bring_lent(stack, lent, trader, loan, 100_000)
    hedge(stack, account_id, other, 100)
    incentive = 1 / (1 - 0.3 * (1 - LLTV / WAD)) / (1 - BUFFER / WAD)
    owed = (loan[1] if stack.is_long else 100 * PRICE) * WAD
    penalty = owed * (incentive - 1)
    before = numbers(stack.engine.marginOf(account_id))
    assert before[2] >= penalty + 100 * PRICE * COST
    # Our price goes over the edge, and what was margin is a loss; nobody is short who had his margin.
    over = PRICE * 998 // 1_000 if stack.is_long else -(-PRICE * 1_002 // 1_000)
    stack.price(over)
    after = numbers(stack.engine.marginOf(account_id))
    assert before[1] - after[1] == pytest.approx(penalty, rel=1e-2)
    assert before[2] - after[2] == pytest.approx(penalty, rel=5e-2)
    assert after[0] >= after[3]
    # The venue's price was worse than ours by as much as the buffer says, and somebody liquidates.
    lent.market.price(over * (1 - BUFFER / WAD) if stack.is_long else over / (1 - BUFFER / WAD))
    lent.market.fund(other_owner := stack.admin)
    lent.market.liquidate(other_owner, lent.token)
    late = numbers(stack.engine.marginOf(account_id))
    assert late[1] >= after[1] - SECONDS
    assert late[0] >= late[3]


def test_margin__interest__grows_between_rounds_and_updates(stack, lent, trader, other):
    loan = SOLID[stack.is_long]
    account_id = bring_lent(stack, lent, trader, loan, 100_000)
    before = stack.engine.marginOf(account_id)[MARKET]
    stack.chain.sleep(3 * 86_400)
    stack.chain.mine()
    after = stack.engine.marginOf(account_id)[MARKET]
    assert after < before
    stack.price(PRICE)
    lent.market.morpho.accrueInterest(lent.market.params, {"from": trader})
    booked = stack.engine.marginOf(account_id)[MARKET]
    assert int(booked) == pytest.approx(int(after), abs=SECONDS)


@pytest.mark.parametrize("mode", [SINGLE, STANDARD, CROSS])
@pytest.mark.parametrize("code", ["0x", INVALID, LOOP], ids=["no code", "invalid", "loop"])
@pytest.mark.parametrize("part", ["irm", "morpho"])
def test_margin__venue_fails__the_token_counts_nothing(stack, lent, trader, other, mode, code, part):
    account_id = bring_lent(stack, lent, trader, SOLID[stack.is_long], 200_000, mode)
    stack.trade(account_id, other, 2, PRICE)
    stack.chain.sleep(10)
    stack.chain.mine()
    set_code(getattr(lent.market, part), code)
    assert numbers(stack.engine.marginOf(account_id)) == numbers(without(stack, account_id))
    # Nobody else is touched, and what is not the token can be taken out.
    stack.vault.withdraw(account_id, lent.dollars, 1_000 * 10**6, trader, {"from": trader})


def test_margin__oracle_of_the_market__is_never_read(stack, lent, trader, other):
    account_id = bring_lent(stack, lent, trader, SOLID[stack.is_long], 10_000)
    stack.trade(account_id, other, 2, PRICE)
    before = numbers(stack.engine.marginOf(account_id))
    set_code(lent.market.oracle, INVALID)
    assert numbers(stack.engine.marginOf(account_id)) == before


# --- what the owner may do with shares in an account


def test_take__within_margin__to_the_unit(stack, lent, trader, other):
    """The last unit that the initial margin leaves comes out, and one more does not."""
    account_id = bring_lent(stack, lent, trader, SOLID[stack.is_long], 20_000)
    hedge(stack, account_id, other, DOUBLED[stack.is_long])
    held, token = lent.token.amounts()[0], lent.token
    low, high = 0, held
    while high - low > max(held // 10**6, 1):
        middle = (low + high) // 2
        try:
            token.take.call(account_id, middle, 0, trader, {"from": trader})
            low = middle
        except brownie.exceptions.VirtualMachineError:
            high = middle
    assert 0 < low < held // 2
    with reverts_with("MarginEngine__BelowInitial"):
        token.take(account_id, high + held // 10**4, 0, trader, {"from": trader})
    token.take(account_id, low - held // 10**4, 0, trader, {"from": trader})
    margin = stack.margin(account_id)
    assert margin.initial <= margin.equity < margin.initial * 1_001 // 1_000


def test_take__borrowing__is_held_to_the_margin_too(stack, lent, trader, other):
    account_id = bring_lent(stack, lent, trader, SOLID[stack.is_long], 20_000)
    hedge(stack, account_id, other, DOUBLED[stack.is_long])
    debt = lent.token.amounts()[1]
    with reverts_with("MarginEngine__BelowInitial"):
        lent.token.take(account_id, 0, debt // 2, trader, {"from": trader})
    tx = lent.token.take(account_id, 0, debt // 100, trader, {"from": trader})
    assert tx.events["CollateralTaken"]["accountId"] == account_id
    assert lent.market.debt.balanceOf(trader) > 0


def test_take__no_positions_and_no_debt__as_the_venue_allows(stack, lent, trader):
    account_id = bring_lent(stack, lent, trader, SOLID[stack.is_long])
    held = lent.token.amounts()[0]
    lent.token.take(account_id, held // 10, 0, trader, {"from": trader})
    with brownie.reverts("insufficient collateral"):
        lent.token.take(account_id, held * 8 // 10, 0, trader, {"from": trader})


def test_take__another_account_or_a_part_or_a_pause__reverts(stack, lent, trader, bidder, other):
    account_id = bring_lent(stack, lent, trader, SOLID[stack.is_long])
    token = lent.token
    empty = stack.open(trader)
    with reverts_with("LendingPosition__NotWhole", 0, WHOLE):
        token.take(empty, 1, 0, trader, {"from": trader})
    # In the vault they are in nobody's wallet.
    with reverts_with("LendingPosition__NotWhole", 0, WHOLE):
        token.take(0, 1, 0, trader, {"from": trader})
    with reverts_with("LendingPosition__NotAuthorised", bidder, account_id):
        token.take(account_id, 1, 0, bidder, {"from": bidder})
    stack.vault.pause({"from": stack.admin})
    with reverts_with("LendingPosition__VaultPaused", stack.vault):
        token.take(account_id, 1, 0, trader, {"from": trader})
    stack.vault.unpause({"from": stack.admin})
    stack.vault.withdraw(account_id, token, 1, bidder, {"from": trader})
    with reverts_with("LendingPosition__NotWhole", WHOLE - 1, WHOLE):
        token.take(account_id, 1, 0, trader, {"from": trader})


def test_flash__collateral_that_is_lent_for_a_moment__secures_nothing_for_longer(stack, lent, trader, other):
    """It counts while it is there: a loan on it is one that the account owes, and it does not come out again."""
    account_id = bring_lent(stack, lent, trader, SOLID[stack.is_long], 20_000)
    hedge(stack, account_id, other, DOUBLED[stack.is_long])
    gift = lent.token.amounts()[0] * 5
    lent.market.collateral.mint(trader, gift, {"from": trader})
    lent.market.add(trader, lent.token, gift)
    stack.vault.borrow(account_id, 100_000 * 10**6, trader, {"from": trader})
    with reverts_with("MarginEngine__BelowInitial"):
        lent.token.take(account_id, gift, 0, trader, {"from": trader})


# --- auctions


def fail(stack, lent, trader, other, loan=None):
    """Bring an account below its maintenance margin with the loan doubled by perpetuals; return it."""
    account_id = bring_lent(stack, lent, trader, loan or SOLID[stack.is_long])
    hedge(stack, account_id, other, -300)
    stack.price(PRICE * 87 // 100 if stack.is_long else PRICE * 113 // 100)
    margin = stack.margin(account_id)
    assert margin.market > 0
    assert margin.equity < margin.maintenance
    return account_id


def shares(stack, account_id):
    _, _, ids, amounts, _ = stack.accounts.snapshotOf(account_id)
    return dict(zip(ids, amounts, strict=True)).get(LOAN, 0)


def test_auction__shares_are_sold__and_redeemed_by_who_took_them(stack, lent, trader, bidder, other):
    account_id = fail(stack, lent, trader, other)
    bidder_id = bring_dollars(stack, lent, bidder, 2_000_000)
    stack.auction.start(account_id, {"from": bidder})
    stack.chain.sleep(120)
    tx = stack.auction.bid(account_id, bidder_id, WHOLE, True, MOST, {"from": bidder})
    assert tx.events["BidFilled"]["fractionWad"] > 0
    taken = shares(stack, bidder_id)
    assert taken > 0
    assert shares(stack, account_id) + taken == WHOLE
    assert stack.margin(bidder_id).equity >= stack.margin(bidder_id).initial
    # Neither of them steers any more, and the bidder leaves with his part.
    with reverts_with("LendingPosition__NotWhole"):
        lent.token.take(bidder_id, 1, 0, bidder, {"from": bidder})
    stack.vault.withdraw(bidder_id, lent.token, taken, bidder, {"from": bidder})
    lent.market.fund(bidder, lent.token)
    held = lent.token.amounts()[0]
    collateral, _ = lent.token.redeem(taken, bidder, MAX, {"from": bidder}).return_value
    assert collateral == held * taken // WHOLE
    assert shares(stack, account_id) == lent.token.totalSupply()


def test_auction__owner__takes_nothing_out_before_the_bid(stack, lent, trader, bidder, other):
    account_id = fail(stack, lent, trader, other)
    stack.auction.start(account_id, {"from": bidder})
    with reverts_with("MarginEngine__BelowInitial"):
        lent.token.take(account_id, 1, 0, trader, {"from": trader})
    with reverts_with("MarginEngine__BelowInitial"):
        lent.token.take(account_id, 0, 1, trader, {"from": trader})


@pytest.mark.parametrize("first", [True, False], ids=["before the bid", "after it"])
def test_auction__the_venue_liquidates_too__the_bid_goes_through(stack, lent, trader, bidder, other, first):
    account_id = fail(stack, lent, trader, other)
    bidder_id = bring_dollars(stack, lent, bidder, 2_000_000)
    lent.market.fund(stack.admin)
    # So far away that Morpho's liquidator takes most of it; our price does not follow.
    lent.market.price(690 if stack.is_long else 3_460)
    stack.auction.start(account_id, {"from": bidder})
    if first:
        lent.market.liquidate(stack.admin, lent.token)
    is_solvent = stack.margin(account_id).market >= 0
    tx = stack.auction.bid(account_id, bidder_id, WHOLE, is_solvent, MOST if is_solvent else 0, {"from": bidder})
    assert tx.events["BidFilled"]["fractionWad"] > 0
    if not first:
        lent.market.liquidate(stack.admin, lent.token)
    assert lent.token.amounts()[1] <= 1
    assert shares(stack, account_id) + shares(stack, bidder_id) == WHOLE
    assert stack.engine.marginOf(bidder_id)[MARKET] > 0


@pytest.mark.parametrize("code", ["0x", INVALID, LOOP], ids=["no code", "invalid", "loop"])
def test_auction__venue_fails__goes_on(stack, lent, trader, bidder, other, code):
    account_id = fail(stack, lent, trader, other)
    bidder_id = bring_dollars(stack, lent, bidder, 2_000_000)
    stack.auction.start(account_id, {"from": bidder})
    set_code(lent.market.morpho, code)
    is_solvent = stack.margin(account_id).market >= 0
    tx = stack.auction.bid(account_id, bidder_id, WHOLE, is_solvent, MOST if is_solvent else 0, {"from": bidder})
    assert tx.events["BidFilled"]["fractionWad"] > 0
    assert tx.gas_used < 13_500_000


def test_isolate__moves_shares_with_a_position(stack, lent, trader, other):
    account_id = bring_lent(stack, lent, trader, SOLID[stack.is_long], 50_000)
    stack.trade(account_id, other, 2, PRICE)
    made = stack.accounts.isolate(account_id, PERP, LOAN, WHOLE // 2, 1_000 * WAD, {"from": trader}).return_value
    assert shares(stack, made) == WHOLE // 2
    assert stack.engine.marginOf(made)[EQUITY] > 0
