"""Stale prices concern whom they concern: positions stop, collateral blurs, everybody else goes on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from plimsoll.chain.words import Word, pack
from plimsoll.index.state import AccountState, State, TermsState
from plimsoll.keeper.holdings import Holdings
from plimsoll.keeper.sources import Sources, dead_ids, doubtful_ids, sources_of
from plimsoll.model import Kind

ETH, BTC = 1, 2
USDC, WETH, GOLD = 0, 1, 2
OLDEST = 1_000
ETH_PERP, BTC_PERP = (pack(Word(number, Kind.PERP, 0, 0, 10**18)) for number in (ETH, BTC))


def world(eth: int = OLDEST, btc: int = OLDEST, usdc: int = OLDEST, gold: int = OLDEST) -> Sources:
    state = State()
    state.rounds = {ETH: SimpleNamespace(ts=eth), BTC: SimpleNamespace(ts=btc)}
    state.token_prices = {USDC: (usdc, 10**18), GOLD: (gold, 10**18)}
    terms = {"USDC": {"linked": ""}, "WETH": {"linked": "ETH"}, "GOLD": {"linked": ""}}
    deployment: Any = SimpleNamespace(
        underlyings={"ETH": ETH, "BTC": BTC},
        tokens={name: SimpleNamespace(token_id=number) for number, name in enumerate(("USDC", "WETH", "GOLD"))},
        parameters={"collateral": terms},
    )
    return sources_of(state, deployment, OLDEST)


def account(*words: int, **collateral: int) -> AccountState:
    ids = {"weth": WETH, "gold": GOLD}
    return AccountState("0x", 0, 10**18, collateral={ids[name]: n for name, n in collateral.items()}, words=list(words))


def test_sources__all_fresh__concern_nobody():
    fresh = world()
    assert fresh == Sources(frozenset(), frozenset())
    assert not fresh.stops(account(ETH_PERP, BTC_PERP, weth=1, gold=1))
    assert not fresh.blurs(account(weth=1, gold=1))


def test_sources__round_too_old__stops_its_positions_and_blurs_its_tokens():
    old = world(eth=OLDEST - 1)
    assert old.stops(account(ETH_PERP))
    assert not old.stops(account(BTC_PERP, weth=1))
    assert old.blurs(account(BTC_PERP, weth=1))
    assert not old.blurs(account(BTC_PERP, gold=1))


def test_sources__token_price_too_old__blurs_its_holders_only():
    old = world(gold=OLDEST - 1)
    assert not old.stops(account(ETH_PERP, gold=1))
    assert old.blurs(account(ETH_PERP, gold=1))
    assert not old.blurs(account(ETH_PERP, weth=1))


@pytest.mark.parametrize("words", [(ETH_PERP,), ()])
def test_sources__cash_price_too_old__stops_whoever_has_positions(words):
    assert world(usdc=OLDEST - 1).stops(account(*words)) == bool(words)


def deployed() -> Any:
    terms = {"USDC": {"linked": ""}, "WETH": {"linked": "ETH"}}
    tokens = {name: SimpleNamespace(token_id=number) for number, name in enumerate(("USDC", "WETH"))}
    return SimpleNamespace(underlyings={"ETH": ETH}, tokens=tokens, parameters={"collateral": terms})


def held(state: State, **accounts: AccountState) -> dict[str, int]:
    numbers = {name: number for number, name in enumerate(accounts, 2)}
    state.accounts = {numbers[name]: account for name, account in accounts.items()}
    return numbers


def test_sources__listed_after_the_deployment__concern_their_holders_alone():
    """The fault: a token or underlying that the record does not name was a KeyError, and no pass at all."""
    state = State()
    state.rounds = {ETH: SimpleNamespace(ts=OLDEST), BTC: SimpleNamespace(ts=OLDEST - 1)}
    state.token_prices = {USDC: (OLDEST, 10**18), GOLD: (OLDEST, 10**18)}
    state.terms = {GOLD: TermsState(0, 0, 0, 10**18)}
    ids = held(state, eth=account(ETH_PERP), btc=account(BTC_PERP), gold=account(ETH_PERP, gold=1), cash=account())
    found = sources_of(state, deployed(), OLDEST)
    assert found == Sources(frozenset({BTC}), frozenset())
    assert dead_ids(Holdings.of(state), found) == {ids["btc"]}
    assert doubtful_ids(state, Holdings.of(state), deployed(), found) == {ids["gold"], ids["btc"]}
    state.token_prices[GOLD] = (OLDEST - 1, 10**18)
    assert sources_of(state, deployed(), OLDEST).tokens == frozenset({GOLD})


def test_sources__underlying_without_any_round__stops_its_holders():
    state = State()
    state.token_prices = {USDC: (OLDEST, 10**18)}
    ids = held(state, eth=account(ETH_PERP), cash=account(weth=1))
    found = sources_of(state, deployed(), OLDEST)
    assert dead_ids(Holdings.of(state), found) == {ids["eth"]}
    assert doubtful_ids(state, Holdings.of(state), deployed(), found) == {ids["cash"]}


def test_sources__all_fresh__concern_no_account():
    state = State()
    state.rounds = {ETH: SimpleNamespace(ts=OLDEST)}
    state.token_prices = {USDC: (OLDEST, 1)}
    held(state, eth=account(ETH_PERP), weth=account(weth=1))
    found = sources_of(state, deployed(), OLDEST)
    assert (dead_ids(Holdings.of(state), found), doubtful_ids(state, Holdings.of(state), deployed(), found)) == (
        set(),
        set(),
    )
