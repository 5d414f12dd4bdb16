"""Stale prices concern whom they concern: positions stop, collateral blurs, everybody else goes on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from plimsoll.chain.words import Word, pack
from plimsoll.index.state import AccountState, State
from plimsoll.keeper.sources import Sources, sources_of
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
