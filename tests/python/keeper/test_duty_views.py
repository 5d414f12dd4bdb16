"""What each duty gets to see of the index, and how what it wants is encoded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from plimsoll.chain.words import Word, pack
from plimsoll.decide import (
    AccountView,
    AuctionTerms,
    Bid,
    CallMargin,
    EndAuction,
    FillIntent,
    PayRequests,
    PostRound,
    PostTokenPrices,
    RateSight,
    Recalibrate,
    ReleaseShare,
    Settle,
    SettleStrategy,
    StartAuction,
    StopStrategy,
    TouchAuction,
    UpdateFunding,
    UpdateRate,
    WriteOff,
)
from plimsoll.errors import DomainError, InputError
from plimsoll.index.state import AccountState, AuctionState, RateState, State, TermsState
from plimsoll.keeper import view
from plimsoll.keeper.calls import call_data
from plimsoll.keeper.duties import (
    auction_views,
    funding_view,
    liquidation_view,
    margin_call_view,
    pure_debts,
    rate_view,
    settlement_view,
)
from plimsoll.keeper.effects import Effects
from plimsoll.keeper.encode import action_call, budget_of, group_of
from plimsoll.keeper.holdings import Holdings
from plimsoll.keeper.names import id_of, name_of
from plimsoll.keeper.view import portfolio_of, priced_alone
from plimsoll.model import Kind, PriceRange, Round

WAD = 10**18
NOW = 1_770_000_000
ETH, LATER = 1, 7
CONTRACTS = ("Settlement", "PerpMarket", "RateFeed", "Auction", "RangeRule", "Vault", "StrategyVault")
DEPLOYMENT: Any = SimpleNamespace(
    contracts={name: f"0x{number:040x}" for number, name in enumerate(CONTRACTS)},
    underlyings={"ETH": ETH},
    tokens={"USDC": SimpleNamespace(token_id=0, address="0x" + "11" * 20)},
    parameters={"collateral": {"USDC": {"linked": ""}}},
)


def account(*words, cash=0, **collateral):
    held = {int(name.removeprefix("token")): amount for name, amount in collateral.items()}
    return AccountState("0x", 0, WAD, cash, held, list(words))


def option(underlying_id, expiry_ts):
    return pack(Word(underlying_id, Kind.CALL, expiry_ts, 10**8, WAD))


def world():
    state = State()
    state.rounds = {ETH: SimpleNamespace(ts=90), LATER: SimpleNamespace(ts=80)}
    state.token_prices = {0: (70, WAD)}
    state.funded_round_ts = {LATER: 80}
    state.rates = {0: RateState(60, 24, WAD, 50), 5: RateState(60, 24, 0, 40)}
    state.terms = {0: TermsState(0, 0, 0, 2 * WAD)}
    state.accounts = {
        2: account(option(ETH, 100)),
        3: account(option(LATER, 100)),
        4: account(cash=-5),
        5: account(cash=-5, token0=1),
        6: account(cash=5, token9=1),
    }
    return state


def test_views__what_was_listed_later__is_part_of_every_duty():
    """The fault: an underlying or token that the record does not name was a KeyError in every pass."""
    state = world()
    assert funding_view(state, DEPLOYMENT, NOW, 60).funded_round_ts == {"#7": 80}
    assert rate_view(state, DEPLOYMENT, NOW, {0: 1.5}).rates == {
        "USDC": RateSight(74, 50, 2.0, 1.0, 1.5),
        "#5": RateSight(40, 40, 0.0),
    }
    holdings = Holdings.of(state)
    assert holdings.expired(DEPLOYMENT.underlyings, 100) == {("ETH", 100): (2,), ("#7", 100): (3,)}
    assert holdings.expiries(DEPLOYMENT.underlyings) == {"ETH": {100}, "#7": {100}}


@pytest.mark.parametrize(("number", "noun"), [(3, "underlying 7"), (6, "token 9")])
def test_portfolio_of__what_the_mirror_does_not_know__is_one_error_of_that_account(number, noun):
    with pytest.raises(DomainError, match=f"account {number}: {noun} was listed after"):
        portfolio_of(world(), number, DEPLOYMENT)


def test_settlement_view__price_that_is_not_final__is_neither_priced_nor_missing():
    state = world()
    state.settled = {(ETH, 100): WAD}
    expired = Holdings.of(state).expired(DEPLOYMENT.underlyings, 100)
    view = settlement_view(state, DEPLOYMENT, NOW, expired, final=(), sampled=())
    assert (view.priced, view.unpriced) == (frozenset(), frozenset({("#7", 100)}))
    final = settlement_view(state, DEPLOYMENT, NOW, expired, final=[("ETH", 100)], sampled=())
    assert final.priced == frozenset({("ETH", 100)})


def test_pure_debts__debt_and_nothing_else__among_those_asked_for():
    assert pure_debts(world(), [2, 4, 5, 6, 99]) == frozenset({4})


def test_auction_views__branch_of_the_account__decides_the_clock():
    state, effects = world(), Effects()
    state.auctions = {
        2: AuctionState(10, solvent_ts=20, insolvent_ts=0, vouched_ts=30, reserve_wad=5 * WAD, bid_count=1)
    }
    effects.starts[2], effects.looks[2] = 3, 4
    solvent, broke = AccountView(2, 6.0, 6.0, 20.0, 10.0), AccountView(2, 4.0, 4.0, 20.0, 10.0)
    (view,) = auction_views(state, effects, [solvent])
    assert (view.is_solvent, view.clock_ts, view.vouched_ts, view.number, view.look_count) == (True, 20, 30, 3, 4)
    (view,) = auction_views(state, effects, [broke])
    assert (view.is_solvent, view.clock_ts, view.reserve, view.bid_count) == (False, None, 5.0, 1)


def test_liquidation_view__account_closed_under_auction__is_named():
    state, effects = world(), Effects()
    state.auctions = {99: AuctionState(10)}
    assert liquidation_view(state, effects, NOW, (), AuctionTerms()).closed == frozenset({99})


def test_margin_call_view__closed_account__is_called_no_more():
    effects = Effects(called={2, 99})
    assert margin_call_view(world(), effects, (), [3]).called == frozenset({2})


@pytest.mark.parametrize(
    ("intent", "name", "function", "values"),
    [
        (Settle("#7", 9, (4, 5)), "Settlement", "settle", (7, 9, [4, 5])),
        (UpdateFunding("ETH", 9), "PerpMarket", "update", (1,)),
        (UpdateRate("#5", 9), "RateFeed", "update", (5,)),
        (StartAuction(4, 0), "Auction", "start", (4,)),
        (TouchAuction(4, 1, 2), "Auction", "touch", (4,)),
        (EndAuction(4, 1), "Auction", "end", (4,)),
        (WriteOff(4, 1), "Auction", "writeOff", (4,)),
        (CallMargin(4, True, 0), "Auction", "callMargin", (4,)),
        (Bid(4, 8, True, 1.5, 2.0, 1, 0), "Auction", "bid", (4, 8, WAD, True, 2 * WAD)),
        (Bid(4, 8, False, 0.5, -1.0, 1, 0), "Auction", "bid", (4, 8, WAD // 2, False, 0)),
        (Recalibrate("ETH", 9), "RangeRule", "recalibrate", (1,)),
        (PayRequests("USDC", 1, 2), "Vault", "payRequests", ("0x" + "11" * 20, 10)),
        (ReleaseShare(4, 0), "Vault", "releaseShare", (4,)),
        (SettleStrategy(3, 2, 1, 9), "StrategyVault", "settle", ()),
        (StopStrategy(9, 8), "StrategyVault", "stop", ()),
    ],
)
def test_action_call__every_intent__is_one_call(intent, name, function, values):
    call = action_call(DEPLOYMENT, intent)
    assert (call.key, call.target) == (intent.key, DEPLOYMENT.contracts[name])
    assert call.data == call_data(name, function, *values)


@pytest.mark.parametrize("intent", [Settle("DOGE", 9, (4,)), Settle("#x", 9, (4,)), PayRequests("#5", 1, 2)])
def test_action_call__unknown_name__is_one_error(intent):
    with pytest.raises(InputError, match="deployment"):
        action_call(DEPLOYMENT, intent)


def test_names__round_trip__with_and_without_a_name():
    ids = {"ETH": 1}
    assert [id_of(ids, name_of(ids, number)) for number in (1, 7)] == [1, 7]


def test_keys__effects_of_all_kinds__never_meet():
    keys = [
        intent.key
        for number in range(3)
        for count in range(3)
        for intent in (
            StartAuction(number, count),
            EndAuction(number, count),
            WriteOff(number, count),
            CallMargin(number, True, count),
            ReleaseShare(number, count),
            *(TouchAuction(number, count, look) for look in range(3)),
            *(Bid(number, 8, True, 0.1, 1.0, count, bids) for bids in range(3)),
        )
    ]
    assert len(set(keys)) == len(keys)


def test_priced_alone__unknown_terms__are_no_reason_to_stop():
    state = world()
    state.terms = {9: TermsState(LATER, 0, 0, WAD)}
    assert priced_alone(state, DEPLOYMENT) == {0}


def liquid(ends):
    """A deployment with a token whose ratio is 0, and a record of its range or none."""
    tokens = DEPLOYMENT.tokens | {"LP": SimpleNamespace(token_id=9, address="0x" + "22" * 20)}
    terms = {
        "USDC": {"linked": "", "haircut": 0.0, "linked_haircut": 0.0, "ratio": 1.0},
        "LP": {"linked": "ETH"} | ends,
    }
    return SimpleNamespace(**vars(DEPLOYMENT) | {"tokens": tokens, "parameters": {"collateral": terms}})


def test_market_of__token_whose_worth_bends__has_the_range_of_the_record(monkeypatch):
    monkeypatch.setattr(view, "round_of", lambda state, number, symbol: Round("ETH", 90, 1_900.0, 1_900.0, 1.0, ()))
    state = world()
    state.terms = {9: TermsState(ETH, WAD // 5, WAD // 20, 0)}
    token = view.market_of(state, liquid({"lower": 1_500.0, "upper": 2_400.0})).tokens["LP"]
    assert (token.span, token.linked, token.haircut) == (PriceRange(1_500.0, 2_400.0), "ETH", 0.2)
    # One that governance listed later has a source nobody here knows: its holders are left to the chain.
    assert set(view.market_of(state, liquid({})).tokens) == {"USDC"}


def test_group_of__newer_prices__replace_older_ones_of_their_own_kind():
    assert group_of(PostRound("ETH", 5)) == group_of(PostRound("ETH", 6)) == "round:ETH"
    groups = [
        PostRound("ETH", 5),
        PostRound("BTC", 5),
        PostTokenPrices(5),
        UpdateFunding("ETH", 5),
        Recalibrate("ETH", 5),
    ]
    assert len({group_of(intent) for intent in groups}) == len(groups)
    assert {group_of(intent) for intent in (StartAuction(4, 0), Settle("ETH", 9, (4,)), UpdateRate("X", 5))} == {""}


def test_budget_of__steps_of_one_account__share_its_budget():
    steps = (StartAuction(4, 0), TouchAuction(4, 1, 2), Bid(4, 8, True, 0.5, 1.0, 1, 0), CallMargin(4, True, 0))
    assert {budget_of(step) for step in steps} == {"account:4"}
    assert budget_of(Settle("ETH", 9, (4,))) == budget_of(Settle("ETH", 9, (5,))) == "series:ETH:9"
    assert budget_of(PostRound("ETH", 5)) == budget_of(FillIntent("0x1")) == ""
