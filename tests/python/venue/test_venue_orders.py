"""Orders from the wallet to the chain: accepted, refused in a sentence, matched, settled, at fault."""

import threading

import pytest
from eth_utils.address import to_checksum_address
from helpers.keeper_runs import until
from helpers.venue_runs import refusal, settled, trader

from plimsoll.client.client import Terms, Trigger, sign_typed
from plimsoll.client.schema.orders import Order, PlaceOrder, Protection, ProtectionView
from plimsoll.constants import WAD
from plimsoll.model import Mode

PERP = "ETH-PERP"


def signed(who, quantity=1.0, price=1_900.0, *, instrument=PERP, wallet=None, terms=None, **changes):
    """Sign an order with some fields changed."""
    made = who.signed(instrument, quantity, price, terms)
    fields = {**vars(made.order), **changes}
    signature = sign_typed(wallet or who.wallet, who.venue.config.order, fields)
    return PlaceOrder.model_construct(
        order=Order.model_construct(**fields), signature=signature, timeInForce="gtc", clientId=""
    )


def problem_of(who, order):
    (result,) = who.place_many([order])
    assert result.order is None
    return result.problem


def test_place__two_that_cross__meet_at_the_makers_price_and_settle_with_fees(anna, ben, chain):
    chain.world.set_taker_fees(0.0005, 0.01)
    before = anna.venue.account(ben.account_id).cashWad
    until(lambda: anna.venue.transport.get("/config", type(anna.venue.config)).fees.takerLinearWad > 0, lambda: "fees")
    maker = anna.place(PERP, 2, 1_900.5)
    taker = ben.place(PERP, -1.5, 1_890)
    assert [(m.priceWad, m.quantityWad) for m in taker.matches] == [(1_900_500 * WAD // 1_000, 3 * WAD // 2)]
    (fill,) = settled(ben, 1)[:1]
    assert (fill.isMaker, fill.isBuy, fill.priceWad) == (False, False, 1_900_500 * WAD // 1_000)
    assert fill.feeWad == 1_900_500 * WAD // 1_000 * 3 // 2 * 5 // 10_000
    assert before - anna.venue.account(ben.account_id).cashWad == fill.feeWad
    left = anna.order(maker.orderHash)
    assert (left.state, left.leavesWad, left.filledWad, left.pendingWad) == ("open", WAD // 2, 3 * WAD // 2, 0)
    held = {p.name: p.quantityWad for p in anna.venue.account(ben.account_id).positions}
    assert held[PERP] == -3 * WAD // 2


def test_fills__after_confirmations__become_final(anna, ben, chain):
    anna.place(PERP, 1, 1_900)
    result = ben.place(PERP, -1, 1_900)
    settled(ben, 1)

    def state():
        chain.client.rpc("evm_mine")
        return next(f.state for f in ben.fills().fills if f.tradeId == result.matches[0].tradeId)

    until(lambda: state() == "final", state)


def test_option__market_of_the_chain__trades_with_its_mark(anna, ben):
    option = next(
        one
        for one in anna.venue.instruments()
        if one.symbol == "ETH" and one.kind == "call" and 0.3 < one.greeks.deltaWad / WAD < 0.7
    )
    price = round(option.markWad / WAD, 2)
    anna.place(option.name, 1, price)
    ben.place(option.name, -1, price)
    count = len(settled(ben, 1))
    assert count >= 1
    shown = next(one for one in anna.venue.instruments() if one.name == option.name)
    assert shown.lastWad == round(price * 100) * WAD // 100


def test_cancel_amend_mass__leave_the_book_as_they_say(anna):
    first, second = anna.place(PERP, 1, 1_500), anna.place(PERP, 1, 1_501)
    amended = anna.amend(first.orderHash, PERP, 2, 1_502)
    assert anna.order(first.orderHash).state == "cancelled"
    assert [level.priceWad // WAD for level in anna.venue.book(PERP).bids] == [1_502, 1_501]
    (gone,) = anna.cancel(amended.orderHash)
    assert gone.cancelledWad == 2 * WAD
    assert [one.orderHash for one in anna.cancel_all(PERP)] == [second.orderHash]
    assert anna.venue.book(PERP).bids == []


def test_amend__replacement_is_refused__keeps_the_old_order(anna):
    old = anna.place(PERP, 1, 1_500)
    problem = refusal(lambda: anna.amend(old.orderHash, PERP, 1, 1_500.001))
    assert problem.code == "priceStep"
    assert anna.order(old.orderHash).state == "open"


def test_amend__book_refuses_the_replacement__keeps_the_old_order(anna, ben):
    ben.place(PERP, -1, 1_510)
    old = anna.place(PERP, 1, 1_500)
    problem = refusal(lambda: anna.amend(old.orderHash, PERP, 1, 1_511, Terms(kind="postOnly")))
    assert problem.code == "wouldCross"
    assert anna.order(old.orderHash).state == "open"
    anna.cancel(old.orderHash)
    ben.cancel_all(PERP)


def test_amend__to_the_other_side__does_not_cross_the_order_it_replaces(anna):
    old = anna.place(PERP, 1, 1_500)
    turned = anna.amend(old.orderHash, PERP, -1, 1_499, Terms(kind="postOnly"))
    assert anna.order(turned.orderHash).state == "open"
    assert anna.order(old.orderHash).state == "cancelled"
    anna.cancel(turned.orderHash)


def test_one_cancels_other__shared_nonce__leaves_one(anna, ben):
    target = anna.place(PERP, 1, 1_880, Terms(nonce=77))
    stop = anna.place(PERP, 1, 2_400, Terms(nonce=77, trigger=Trigger(2_300, "atOrAbove")))
    assert anna.order(stop.orderHash).state == "waiting"
    ben.place(PERP, -1, 1_880)
    assert anna.order(stop.orderHash).reason == "the other order of its nonce traded"
    until(lambda: anna.order(target.orderHash).state == "filled", lambda: anna.order(target.orderHash))


def test_trigger__round_meets_it__trades(anna, ben, chain):
    ben.place(PERP, -1, 1_960)
    stop = anna.place(PERP, 1, 2_000, Terms(trigger=Trigger(1_950, "atOrAbove")))
    assert anna.order(stop.orderHash).state == "waiting"
    chain.wait(60)
    chain.post(1_955.0)
    until(lambda: anna.order(stop.orderHash).state == "filled", lambda: anna.order(stop.orderHash))
    chain.wait(60)
    chain.post(1_900.0)


def test_trigger__spot_comes_back__leaves_the_book_until_a_round_meets_it_again(anna, chain):
    stop = anna.place(PERP, 1, 1_700, Terms(trigger=Trigger(1_950, "atOrAbove")))
    for spot, state in ((1_955.0, "open"), (1_900.0, "waiting"), (1_960.0, "open")):
        chain.wait(60)
        chain.post(spot)
        until(lambda state=state: anna.order(stop.orderHash).state == state, lambda: anna.order(stop.orderHash).state)
    assert [level.priceWad // WAD for level in anna.venue.book(PERP).bids] == [1_700]
    chain.wait(60)
    chain.post(1_900.0)


def test_trigger__spot_comes_back_in_the_block_of_the_fill__waits_again_and_the_other_order_lives(anna, ben, chain):
    stop = anna.place(PERP, 1, 1_970, Terms(trigger=Trigger(1_950, "atOrAbove")))
    chain.wait(60)
    chain.post(1_955.0)
    until(lambda: anna.order(stop.orderHash).state == "open", lambda: anna.order(stop.orderHash).state)
    chain.wait(60)
    chain.client.rpc("evm_setAutomine", False)
    # The round waits for a block first, so that it comes before the fill.
    posting = threading.Thread(target=chain.post, args=(1_900.0,))
    posting.start()
    until(lambda: waiting_in_pool(chain) == 1, lambda: waiting_in_pool(chain))
    sale = ben.place(PERP, -1, 1_960)
    assert len(sale.matches) == 1
    until(lambda: waiting_in_pool(chain) == 2, lambda: waiting_in_pool(chain))
    chain.client.rpc("evm_mine")
    chain.client.rpc("evm_setAutomine", True)
    posting.join()
    until(lambda: anna.order(stop.orderHash).state == "waiting", lambda: anna.order(stop.orderHash))
    left = ben.order(sale.orderHash)
    assert (left.state, left.leavesWad, left.filledWad) == ("open", WAD, 0)
    (fill,) = [one for one in ben.fills().fills if one.tradeId == sale.matches[0].tradeId]
    assert (fill.state, "Exchange__NotTriggered" in fill.reason) == ("failed", True)


def waiting_in_pool(chain):
    """How many transactions wait for a block."""
    return int(chain.client.rpc("txpool_status")["pending"], 16)


def test_exclusive__its_pair_fills_elsewhere__is_refused_anew_and_barred_when_it_meets_somebody(anna, ben, chain):
    nonce = 4_711
    resting = anna.place(PERP, 1, 1_700, Terms(nonce=nonce, exclusive=True))
    pair = anna.signed(PERP, 1, 1_890, Terms(nonce=nonce, exclusive=True))
    sale = ben.signed(PERP, -1, 1_890)
    sides = [part for one in (sale, pair) for part in (vars(one.order), bytes.fromhex(one.signature[2:]))]
    block = chain.world.contract("Exchange").send(chain.relayer, "settle", *sides, WAD).block_number
    until(lambda: anna.venue.account(anna.account_id).blockNumber >= block, lambda: block)
    third = anna.signed(PERP, 1, 1_701, Terms(nonce=nonce, exclusive=True))
    assert problem_of(anna, third).code == "otherFilled"
    ben.place(PERP, -1, 1_700)
    until(lambda: anna.order(resting.orderHash).state == "barred", lambda: anna.order(resting.orderHash))
    assert anna.order(resting.orderHash).reason.endswith("of its nonce has filled on chain, and no other one may")


def test_amend__exclusive_order_that_has_traded__keeps_its_rest_and_says_why(anna, ben):
    old = anna.place(PERP, 2, 1_880, Terms(nonce=4_712, exclusive=True))
    ben.place(PERP, -1, 1_880)
    settled(ben, 1)
    problem = refusal(lambda: anna.amend(old.orderHash, PERP, 1, 1_881, Terms(nonce=4_712, exclusive=True)))
    assert problem.code == "otherFilled"
    assert anna.order(old.orderHash).leavesWad == WAD


# Refusals: what is changed after or before signing, and how the venue says so.
WRONG = {
    "expired": ({"expiryTs": 5}, "expired", "order.expiryTs"),
    "trigger beyond prices": ({"triggerWad": 2**200}, "badField", "order.triggerWad"),
    "trigger after the end": ({"triggerWad": 1, "triggerAfterTs": 2**40 - 1}, "badField", "order.triggerAfterTs"),
    "reserved account": ({"accountId": 1}, "badField", "order.accountId"),
    "unknown account": ({"accountId": 999}, "unknownAccount", "order.accountId"),
    "transferred": ({"transferCount": 3}, "transferred", "order.transferCount"),
    "no quantity": ({"quantityWad": 0}, "badField", "order.quantityWad"),
    "dust": ({"quantityWad": WAD + 1}, "quantityStep", "order.quantityWad"),
    "huge quantity": ({"quantityWad": 2**200}, "badField", "order.quantityWad"),
    "no price": ({"priceWad": 0}, "badField", "order.priceWad"),
    "odd price": ({"priceWad": WAD + 1}, "priceStep", "order.priceWad"),
    "huge price": ({"priceWad": 2**200}, "badField", "order.priceWad"),
    "unknown underlying": ({"instrument": (77 << 248) | (3 << 240)}, "notListed", "order.instrument"),
    "unknown kind": ({"instrument": (1 << 248) | (9 << 240)}, "badField", "order.instrument"),
    "quantity in the word": ({"instrument": (1 << 248) | (3 << 240) | 1}, "badField", "order.instrument"),
    "perpetual with an expiry": ({"instrument": (1 << 248) | (3 << 240) | (1 << 200)}, "badField", None),
    "expired series": ({"instrument": (1 << 248) | (2 << 240) | (5 << 200)}, "expired", "order.instrument"),
    "expiry of no round": ({"instrument": (1 << 248) | (2 << 240) | (1_900_000_000 << 200)}, "notListed", None),
}


@pytest.mark.parametrize("name", WRONG)
def test_place__one_field_wrong__is_one_sentence(anna, name):
    changes, code, field = WRONG[name]
    problem = problem_of(anna, signed(anna, **changes))
    assert problem.code == code, problem
    assert field is None or problem.field == field
    assert "\n" not in problem.message
    assert len(problem.message) < 300


def test_place__signed_by_somebody_else__names_both(anna, ben):
    problem = problem_of(anna, signed(anna, wallet=ben.wallet))
    assert problem.code == "badSignature"
    assert ben.wallet.address in problem.message
    assert anna.wallet.address in problem.message


def test_place__for_an_account_of_somebody_else__is_refused(anna, ben):
    problem = problem_of(anna, signed(anna, accountId=ben.account_id))
    assert (problem.code, problem.field) == ("notAuthorised", "order.signer")


def test_place__twice__is_refused_and_the_first_stays(anna):
    order = signed(anna, price=1_000.0)
    assert anna.place_many([order])[0].problem is None
    assert problem_of(anna, order).code == "duplicate"
    once = signed(anna, price=1_001.0)
    results = anna.place_many([once, once])
    assert [result.problem and result.problem.code for result in results] == [None, "duplicate"]


def test_place__post_only_or_whole__is_refused_by_the_book(anna, ben):
    ben.place(PERP, -1, 1_900)
    assert refusal(lambda: anna.place(PERP, 1, 1_900, Terms(kind="postOnly"))).code == "wouldCross"
    assert refusal(lambda: anna.place(PERP, 2, 1_900, Terms(kind="fillOrKill"))).code == "notFilled"


def test_place__fee_below_the_rate__is_refused(anna):
    problem = problem_of(anna, signed(anna, maxFeeWad=1))
    assert (problem.code, problem.field) == ("feeTooLow", "order.maxFeeWad")


def test_place__nonce_cancelled_on_chain__is_refused_and_open_orders_go(anna, chain):
    resting = anna.place(PERP, 1, 1_000, Terms(nonce=5_000))
    chain.world.contract("Exchange").send(anna.wallet, "cancel", 5_000)
    until(lambda: anna.order(resting.orderHash).state == "cancelled", lambda: anna.order(resting.orderHash))
    assert anna.order(resting.orderHash).reason == "its nonce was cancelled on chain"
    assert problem_of(anna, signed(anna, nonce=5_000, price=1_002.0)).code == "nonceCancelled"


def test_place__beyond_margin__is_refused_with_both_numbers_and_the_rest_of_the_batch_stays(anna):
    orders = [signed(anna, price=1_900.0, quantity=quantity) for quantity in (1.0, 5_000.0, 2.0)]
    results = anna.place_many(orders)
    assert [result.problem and result.problem.code for result in results] == [None, "margin", None]
    problem = results[1].problem
    assert int(problem.value) < int(problem.limit)
    assert f"account {anna.account_id}" in problem.message


def test_place__many_that_together_pass_the_margin__takes_the_oldest(running, chain):
    poor = trader(running.url, chain, "poor", cash=3_000.0)
    results = poor.place_many([signed(poor, quantity=1.0, price=1_850.0 + n) for n in range(12)])
    taken = [result.problem is None for result in results]
    assert 0 < sum(taken) < 12
    assert taken == sorted(taken, reverse=True)


def leave(chain, who, cash):
    """Withdraw, in a transaction that waits for the next block."""
    vault, nonce = chain.world.contract("Vault"), chain.client.next_nonce(who.wallet.address)
    record = chain.deployment.tokens["USDC"]
    data = vault.encode("withdraw", who.account_id, record.address, cash * 10**6, who.wallet.address)
    raw, _ = chain.client.sign(who.wallet, vault.address, data, nonce, 3_000_000, (10**13, 10**13))
    chain.client.rpc("eth_sendRawTransaction", raw)


def test_settlement__taker_moved_its_money__bars_it_and_the_maker_is_back(running, chain, anna):
    leaver = trader(running.url, chain, "leaver", cash=3_000.0)
    chain.client.rpc("evm_setAutomine", False)
    try:
        maker = anna.place(PERP, 1, 1_880)
        leave(chain, leaver, 2_900)
        taker = leaver.place(PERP, -1, 1_880)
        assert taker.matches
    finally:
        chain.client.rpc("evm_setAutomine", True)
        chain.client.rpc("evm_mine")
    until(
        lambda: leaver.order(taker.orderHash).state == "barred",
        lambda: (leaver.order(taker.orderHash), running.log.read_text()[-2000:]),
    )
    assert f"account {leaver.account_id} would have equity" in leaver.order(taker.orderHash).reason
    back = anna.order(maker.orderHash)
    assert (back.state, back.leavesWad, back.filledWad) == ("open", WAD, 0)
    failed = next(f for f in anna.fills().fills if f.tradeId == taker.matches[0].tradeId)
    assert failed.state == "failed"
    assert refusal(lambda: leaver.place(PERP, -1, 1_880)).code == "margin"


def test_outside__somebody_settles_the_signed_orders_himself__is_counted_and_not_doubled(anna, ben, chain):
    maker = signed(anna, quantity=1.0, price=1_870.0)
    taker = signed(ben, quantity=-1.0, price=1_870.0)
    (placed,) = anna.place_many([maker])
    values = (
        vars(maker.order),
        bytes.fromhex(maker.signature[2:]),
        vars(taker.order),
        bytes.fromhex(taker.signature[2:]),
    )
    chain.world.contract("Exchange").send(chain.relayer, "settle", *values, WAD // 2)
    until(lambda: anna.order(placed.orderHash).filledWad == WAD // 2, lambda: anna.order(placed.orderHash))
    assert anna.order(placed.orderHash).leavesWad == WAD // 2
    # The rest of the same taker's order, now through the venue.
    (result,) = ben.place_many([taker])
    assert [m.quantityWad for m in result.matches] == [WAD // 2]
    until(lambda: anna.order(placed.orderHash).state == "filled", lambda: anna.order(placed.orderHash))


def put(who, path, **bounds):
    """Set the protection of an account."""
    who.venue.transport.post(path, Protection(accountId=who.account_id, **bounds), ProtectionView, method="PUT")


def test_protection__fills_pass_the_bound__pulls_quotes_until_it_is_set_again(anna, ben):
    path = f"/accounts/{anna.account_id}/protection"
    bounds = Protection.model_construct(
        accountId=anna.account_id, windowMs=60_000, maxFills=1, maxDeltaWad=None, maxVegaWad=None
    )
    anna.venue.transport.post(path, bounds, ProtectionView, method="PUT")
    for price in (1_890, 1_889, 1_888):
        anna.place(PERP, 1, price)
    ben.place(PERP, -3, 1_880)
    assert anna.orders("open") == [] or all(order.leavesWad == 0 for order in anna.orders("open"))
    assert anna.venue.transport.get(path, ProtectionView).isTripped
    assert refusal(lambda: anna.place(PERP, 1, 1_700)).code == "barred"
    loose = Protection.model_construct(
        accountId=anna.account_id, windowMs=100, maxFills=None, maxDeltaWad=None, maxVegaWad=None
    )
    anna.venue.transport.post(path, loose, ProtectionView, method="PUT")
    anna.place(PERP, 1, 1_700)


#: Contract wallets: one says yes to everything (returns 0x1626ba7e), one reverts.
SAYS_YES, REVERTS = "0x631626ba7e60e01b60005260206000f3", "0x60006000fd"


def test_contract_wallet__its_word_counts__and_settles_on_chain(anna, ben, chain):
    safe, holder = "0x" + "5a" * 20, chain.world.open("safe owner", Mode.SINGLE, 1_000_000.0, by_permit=False)
    chain.client.rpc("anvil_setCode", safe, SAYS_YES)
    values = (holder.wallet.address, safe, holder.account_id)
    chain.world.contract("Accounts").send(holder.wallet, "transferFrom", *values)
    until(lambda: anna.venue.account(holder.account_id).transferCount == 1, lambda: "not transferred")
    theirs = {"accountId": holder.account_id, "signer": to_checksum_address(safe), "transferCount": 1}
    ours = Order.model_construct(**{**vars(anna.signed(PERP, 1, 1_880).order), **theirs})
    body = PlaceOrder.model_construct(order=ours, signature="0x1234", timeInForce="gtc", clientId="")
    (result,) = anna.place_many([body])
    assert result.problem is None, result.problem
    met = ben.place(PERP, -1, 1_880)
    trade_id = met.matches[0].tradeId

    def state():
        return next(fill.state for fill in ben.fills().fills if fill.tradeId == trade_id)

    until(lambda: state() in ("settled", "final"), state)
    chain.client.rpc("anvil_setCode", safe, REVERTS)
    refused = Order.model_construct(**{**vars(ours), "nonce": ours.nonce + 1})
    again = PlaceOrder.model_construct(order=refused, signature="0x1234", timeInForce="gtc", clientId="")
    problem = problem_of(anna, again)
    assert (problem.code, problem.field) == ("badSignature", "signature")
