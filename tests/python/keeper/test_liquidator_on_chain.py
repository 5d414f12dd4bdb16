"""What the duties decide, against the contracts themselves: whatever they want, the chain does."""

from __future__ import annotations

import pytest
from helpers.local_chain import local_chain

from plimsoll.chain.book import plain_rows
from plimsoll.constants import FUND_ID
from plimsoll.decide import (
    Bid,
    BidderRule,
    CallMargin,
    EndAuction,
    PayRequests,
    Recalibrate,
    ReleaseShare,
    Settle,
    StartAuction,
    TouchAuction,
    UpkeepView,
    WriteOff,
    decide_upkeep,
)
from plimsoll.keeper.encode import action_call
from plimsoll.keeper.sizing import Parts, cut
from plimsoll.keeper.upkeep_calls import Spot, queue_questions, read_queues, read_upkeep, upkeep_questions
from plimsoll.model import Kind, Position
from plimsoll.units import wad_to_float


@pytest.fixture(scope="module")
def base():
    with local_chain() as chain:
        chain.maker = chain.world.open("maker", 0, 5_000_000.0, by_permit=False)
        chain.world.seed_fund(100_000.0)
        # Long 20 units each, on less and less cash; margins of 20 units are some 9,000 and 11,000.
        chain.traders = [
            chain.trader(f"trader {cash}", chain.maker, cash, chain.perp(20.0))
            for cash in (14_000, 13_000, 12_500, 60_000)
        ]
        chain.bidder = chain.world.open("bidder", 0, 200_000.0, by_permit=False)
        yield chain


@pytest.fixture
def chain(base):
    """The same chain as before, for every test."""
    state = base.client.rpc("evm_snapshot")
    yield base
    base.client.rpc("evm_revert", state)
    base.client.forget_nonces()
    base.spot = 1_900.0


def short_ids(chain):
    """At 1,600 the first trader lacks initial margin, the next two lack maintenance margin, the last is healthy."""
    return [holder.account_id for holder in chain.traders]


def test_pass__crash__starts_the_largest_deficit_first_and_calls_the_rest(chain):
    called, short, shorter, _ = short_ids(chain)
    chain.post(1_600.0)
    wanted = chain.decide()
    assert wanted == (StartAuction(shorter, 0), StartAuction(short, 0), CallMargin(called, True, 0))
    assert chain.decide() == wanted
    for intent in wanted:
        chain.send(intent)
    assert chain.decide() == ()
    assert chain.world.contract("Auction").call("marginCallTsOf", called) > 0


def test_pass__one_purse__bids_on_both_what_the_chain_takes(chain):
    _, short, shorter, _ = short_ids(chain)
    rule = BidderRule(chain.bidder.account_id, min_profit=5.0, cushion=1.25, delta_cost=0.0005)
    chain.post(1_600.0)
    for intent in chain.decide(rule):
        chain.send(intent)
    chain.wait(600)
    bids = [intent for intent in chain.decide(rule, gas=1.0) if isinstance(intent, Bid)]
    assert {bid.account_id for bid in bids} == {short, shorter}
    for bid in bids:
        chain.send(bid, chain.bidder.wallet)
    chain.sync()
    # A bid that restores the buffer ends the auction by itself.
    assert not chain.state.auctions
    assert chain.effects.ends == {short: 1, shorter: 1}
    state = chain.ask([chain.bidder.account_id]).views[chain.bidder.account_id]
    assert state.equity > 1.25 * state.initial
    assert {type(intent) for intent in chain.decide(rule)} == {CallMargin}


def test_pass__small_purse__the_bids_cut_to_it_pass_the_margin_check_of_the_chain(chain):
    purse = chain.world.open("small bidder", 0, 900.0, by_permit=False)
    rule = BidderRule(purse.account_id, min_profit=0.5)
    chain.post(1_600.0)
    for intent in chain.decide(rule):
        chain.send(intent)
    chain.wait(900)
    bids = [intent for intent in chain.decide(rule) if isinstance(intent, Bid)]
    assert bids
    for bid in bids:
        chain.send(bid, purse.wallet)
    view = chain.ask([purse.account_id]).views[purse.account_id]
    assert view.initial <= view.equity


def test_pass__prices_come_back__auctions_end_and_calls_are_met(chain):
    called, short, shorter, _ = short_ids(chain)
    chain.post(1_600.0)
    for intent in chain.decide():
        chain.send(intent)
    chain.wait(1_200)
    assert [type(intent) for intent in chain.decide()] == [TouchAuction, TouchAuction]
    chain.post(1_900.0)
    wanted = chain.decide()
    assert set(wanted) == {EndAuction(short, 1), EndAuction(shorter, 1), CallMargin(called, False, 1)}
    for intent in wanted:
        chain.send(intent)
    chain.post(1_600.0)
    again = chain.decide()
    assert [intent.key for intent in again] == [f"start:{shorter}:1", f"start:{short}:1", f"margin-call:{called}:2"]


def test_pass__lost_transactions__keys_stay_until_somebody_does_it(chain):
    """The fault: keys with the block's time made every pass a new effect that nobody re-sent."""
    chain.post(1_600.0)
    first = [intent.key for intent in chain.decide()]
    chain.wait(300)
    assert [intent.key for intent in chain.decide()] == first


def test_pass__looks_and_recoveries__every_touch_is_an_effect_of_its_own(chain):
    chain.post(1_600.0)
    for intent in chain.decide():
        chain.send(intent)
    keys = []
    for spot in (1_690.0, 1_600.0, 1_690.0, 1_600.0):
        # Between the margins the recovery is noted, below them the clock starts again.
        chain.post(spot)
        for intent in chain.decide():
            if isinstance(intent, TouchAuction):
                keys.append(intent.key)
                chain.send(intent)
    assert len(keys) == len(set(keys)) == 8


def test_pass__mirror_knows_nothing__the_contract_is_asked_and_decides_the_same(chain):
    """The fault: where governance stored rows of its own, or one feed was down, nobody was margined."""
    chain.post(1_600.0)
    assert chain.decide(unknown=True) == chain.decide()


def test_pass__rows_of_governance__accounts_are_liquidated_by_the_contract(chain):
    book = chain.world.contract("ScenarioBook")
    stored = book.call("bookOf", chain.deployment.underlyings["ETH"])
    wider = vars(stored.params) | {"priceRangeWad": stored.params.priceRangeWad * 3 // 2}
    book.send(chain.world.governor, "setBook", chain.deployment.underlyings["ETH"], wider, plain_rows(stored.rows))
    chain.wait(7_200)
    chain.post(1_700.0)
    wanted = chain.decide(unknown=True)
    assert {intent.account_id for intent in wanted if isinstance(intent, StartAuction)} == set(short_ids(chain)[:3])
    for intent in wanted:
        chain.send(intent)


def test_ask__one_account_has_no_number__the_others_have_theirs_and_it_its_reason(chain):
    chain.sync()
    sound = [*short_ids(chain), FUND_ID]
    found = chain.ask([999, *sound])
    assert sorted(found.views) == sorted(sound)
    assert "Accounts__UnknownAccount" in found.refused[999]
    mirror = chain.margins()
    row = mirror.rows_of([sound[0]])[0]
    assert found.views[sound[0]].equity == pytest.approx(mirror.equity[row], rel=1e-6)
    assert found.views[sound[0]].maintenance == pytest.approx(mirror.maintenance[row], rel=1e-6)


def test_ask__round_stale__says_so_of_its_holders_alone(chain):
    chain.wait(2 * 86_400)
    found = chain.ask([short_ids(chain)[0], chain.bidder.account_id])
    assert "Oracle__Stale" in found.refused[short_ids(chain)[0]]
    assert chain.bidder.account_id in found.views


def test_pass__account_through_zero__is_taken_over_for_pay(chain):
    """A crash through zero: the bidder is paid for the debt that it takes."""
    rule = BidderRule(chain.maker.account_id, min_profit=-1e9)
    chain.post(900.0)
    for intent in chain.decide():
        chain.send(intent)
    chain.wait(60)
    bids = [intent for intent in chain.decide(rule) if isinstance(intent, Bid)]
    assert bids
    assert not any(bid.is_solvent for bid in bids)
    for bid in bids:
        chain.send(bid, chain.maker.wallet)


def upkeep(chain, *kinds):
    """Read what has to be kept up in two batches, and decide."""
    chain.sync()
    rounds = {symbol: chain.state.rounds[number] for symbol, number in chain.deployment.underlyings.items()}
    spots = {symbol: Spot(posted.ts, wad_to_float(posted.spotWad)) for symbol, posted in rounds.items()}
    first = upkeep_questions(chain.deployment, spots, chain.effects.sharing)
    answers = chain.client.batch([question.request(chain.deployment, "latest") for question in first])
    found = read_upkeep(chain.deployment, first, answers, spots, chain.effects.releases)
    second = queue_questions(chain.deployment, found.heads)
    answers = chain.client.batch([question.request(chain.deployment, "latest") for question in second])
    queues, problems = read_queues(chain.deployment, found.heads, answers)
    assert (found.problems, problems) == ((), ())
    wanted = decide_upkeep(UpkeepView(chain.state.ts, found.ranges, queues, found.shares, found.is_loss_open))
    return tuple(intent for intent in wanted if isinstance(intent, kinds))


def test_upkeep__ranges__see_one_round_an_hour(chain):
    wanted = upkeep(chain, Recalibrate)
    assert {intent.underlying for intent in wanted} == {"BTC", "ETH"}
    for intent in wanted:
        chain.send(intent)
    assert upkeep(chain, Recalibrate) == ()
    chain.wait(60)
    chain.post(1_900.0)
    assert upkeep(chain, Recalibrate) == ()
    chain.wait(3_600)
    chain.post(1_900.0)
    assert len(upkeep(chain, Recalibrate)) == 2


def test_upkeep__withdrawal_in_the_queue__is_paid_when_it_can_be(chain):
    token = chain.deployment.tokens["USDC"]
    vault = chain.world.contract("Vault")
    holder = chain.maker
    # More than half of everything: the first part leaves at once, the rest waits for the bucket.
    vault.send(
        holder.wallet, "requestWithdrawal", holder.account_id, token.address, 4_000_000 * 10**6, holder.wallet.address
    )
    keys = []
    for _ in range(2):
        (intent,) = upkeep(chain, PayRequests)
        keys.append(intent.key)
        chain.send(intent)
        assert upkeep(chain, PayRequests) == ()
        chain.wait(3_600)
    assert len(set(keys)) == 2


def test_upkeep__share_of_a_loss__is_released_when_no_loss_is_open(chain):
    vault, token = chain.world.contract("Vault"), chain.deployment.tokens["USDC"]
    # The fund does not cover what a crash to a fifth of the price leaves open.
    chain.post(400.0)
    for intent in chain.decide():
        chain.send(intent)
    vault.send(
        chain.bidder.wallet, "withdraw", chain.bidder.account_id, token.address, 10**9, chain.bidder.wallet.address
    )
    assert chain.world.contract("Vault").call("leftOf", chain.bidder.account_id)[1] > 0
    assert upkeep(chain, ReleaseShare) == ()
    chain.post(1_900.0)
    for intent in chain.decide():
        chain.send(intent)
    (intent,) = upkeep(chain, ReleaseShare)
    assert intent == ReleaseShare(chain.bidder.account_id, 0)
    chain.send(intent)
    assert upkeep(chain, ReleaseShare) == ()


def future(chain, name, quantity):
    """An account of 20,000 that holds the first series of ETH."""
    expiry_ts = chain.market.rounds["ETH"].surfaces[0].expiry_ts
    position = Position("ETH", Kind.FUTURE, expiry_ts, 1_904.0, quantity)
    return chain.trader(name, chain.maker, 20_000, position).account_id


def test_settle__closed_account_in_the_batch__stands_alone_and_a_debt_is_written_off(chain):
    expiry_ts = chain.market.rounds["ETH"].surfaces[0].expiry_ts
    holders = [future(chain, f"holder {number}", 1.0) for number in range(3)]
    debtor = future(chain, "debtor", 25.0)
    chain.world.set_time(expiry_ts - 2_000)
    chain.post(1_000.0)
    chain.world.set_time(expiry_ts + 60)
    samples = [(expiry_ts - 1_750 + 290 * i, 1_000.0) for i in range(7)]
    chain.poster.send(chain.relayer, chain.poster.settlement_call("ETH", expiry_ts, samples))
    parts = Parts(ask=(Settle("ETH", expiry_ts, (*holders, debtor, 999)),))
    while parts.ask:
        calls = [action_call(chain.deployment, part) for part in parts.ask]
        asked = [{"to": call.target, "data": "0x" + call.data.hex()} for call in calls]
        answers = chain.client.batch([("eth_estimateGas", [request]) for request in asked])
        parts = cut(parts, [int(answer, 16) if isinstance(answer, str) else None for answer in answers])
    assert [part.account_ids for part in parts.refused] == [(999,)]
    for part in parts.ready:
        chain.send(part)
    chain.sync()
    assert all(not chain.state.accounts[account_id].words for account_id in holders)
    (cleared,) = [intent for intent in chain.decide() if isinstance(intent, WriteOff)]
    assert cleared == WriteOff(debtor, 0)
    chain.send(cleared)
    assert not any(isinstance(intent, WriteOff) for intent in chain.decide())
    assert chain.state.cash_of(debtor) == 0
