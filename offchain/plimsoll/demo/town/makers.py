"""Makers and a taker: they quote around the marks of the fitted surface, answer requests, and trade a little."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from plimsoll.client import Trader
from plimsoll.client.client import Terms, sign_typed
from plimsoll.client.schema.market import InstrumentView
from plimsoll.client.schema.orders import MAX_BATCH, PlaceOrder
from plimsoll.client.schema.rfq import GiveQuote, Quote, QuoteLeg, QuoteView, RequestPage, RequestView
from plimsoll.constants import WAD
from plimsoll.errors import PlimsollError
from plimsoll.model import Kind

log = structlog.get_logger()

#: Expiries and strikes on each side of the forward that are quoted.
EXPIRIES: Final = 3
STRIKES: Final = 4
#: A quote is replaced when the mark has moved by this share of the spread.
STALE_SHARE: Final = 0.35
QUOTE_LIFE_SEC: Final = 3_600


@dataclass(slots=True)
class _Shown:
    """One quote in the book: around which mark, and the hashes of its two orders."""

    mark: float
    hashes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Maker:
    """Quotes both sides of many instruments.

    Parameters
    ----------
    trader : Trader
        Account.
    width : float
        Spread as a multiple of the standard one.
    size : float
        Cash that one quote is about, at most.
    """

    trader: Trader
    width: float
    size: float
    _shown: dict[int, _Shown] = field(default_factory=dict)
    _answered: set[int] = field(default_factory=set)

    def step(self, instruments: list[InstrumentView]) -> int:
        """Renew quotes whose mark has moved; return how many orders were placed."""
        wanted = {one.instrument: one for one in instruments if one.markWad}
        gone = [hashed for word, shown in self._shown.items() if word not in wanted for hashed in shown.hashes]
        self._shown = {word: shown for word, shown in self._shown.items() if word in wanted}
        orders: list[PlaceOrder] = []
        words: list[int] = []
        for word, one in wanted.items():
            mark, half = (one.markWad or 0) / WAD, self._half(one)
            shown = self._shown.get(word)
            if shown is not None and abs(shown.mark - mark) < STALE_SHARE * half:
                continue
            if shown is not None:
                gone += shown.hashes
            pair = self._pair(one, mark, half)
            orders += pair
            words += [word] * len(pair)
            self._shown[word] = _Shown(mark)
        for start in range(0, len(gone), MAX_BATCH):
            self.trader.cancel(*gone[start : start + MAX_BATCH])
        placed = 0
        for start in range(0, len(orders), MAX_BATCH):
            results = self.trader.place_many(orders[start : start + MAX_BATCH])
            for word, result in zip(words[start : start + MAX_BATCH], results, strict=True):
                if result.problem is None and result.orderHash is not None:
                    self._shown[word].hashes.append(result.orderHash)
                    placed += 1
                elif result.problem is not None:
                    log.debug("a quote was refused", reason=result.problem.message)
        return placed

    def _half(self, one: InstrumentView) -> float:
        """Return half the spread: of an option half a point of volatility and one percent of the premium."""
        tick = one.priceStepWad / WAD
        if Kind.of(one.kind).is_option and one.greeks is not None:
            wide = 0.005 * one.greeks.vegaWad / WAD + 0.01 * (one.markWad or 0) / WAD
        else:
            wide = 0.0004 * (one.markWad or 0) / WAD
        return max(2 * tick, self.width * wide)

    def _pair(self, one: InstrumentView, mark: float, half: float) -> list[PlaceOrder]:
        """Return a bid and an ask; a worthless option gets none below one step."""
        tick = one.priceStepWad / WAD
        reference = (one.forwardWad or one.markWad or WAD) / WAD
        quantity = max(0.01, round(self.size / reference, 2))
        terms = Terms(kind="postOnly", life_sec=QUOTE_LIFE_SEC)
        bid, ask = _floor(mark - half, tick), _floor(mark + half + tick, tick)
        sides = ((quantity, bid), (-quantity, ask))
        return [self.trader.signed(one.instrument, units, price, terms) for units, price in sides if price >= tick]

    def answer(self, requests: list[RequestView], marks: dict[int, InstrumentView]) -> int:
        """Quote every request whose legs have marks; return how many."""
        count = 0
        for request in requests:
            known = [marks.get(leg.instrument) for leg in request.legs]
            if request.requestId in self._answered or request.takerId == self.trader.account_id or None in known:
                continue
            self._answered.add(request.requestId)
            try:
                self._give(request, [one for one in known if one is not None])
                count += 1
            except PlimsollError as problem:
                log.info("a request was not answered", request=request.requestId, reason=str(problem))
        return count

    def _give(self, request: RequestView, marks: list[InstrumentView]) -> None:
        transport, wallet = self.trader.venue.transport, self.trader.wallet
        account = self.trader.venue.account(self.trader.account_id)
        legs: list[dict[str, Any]] = []
        for leg, one in zip(request.legs, marks, strict=True):
            mark, half, tick = (one.markWad or 0) / WAD, self._half(one), one.priceStepWad / WAD
            price = _floor(mark + half + tick, tick) if leg.isBuy else max(tick, _floor(mark - half, tick))
            price_wad = round(price / tick) * one.priceStepWad
            legs.append(
                {
                    "instrument": leg.instrument,
                    "isBuy": not leg.isBuy,
                    "quantityWad": leg.quantityWad,
                    "priceWad": price_wad,
                }
            )
        message: dict[str, Any] = {
            "accountId": self.trader.account_id,
            "takerId": request.takerId,
            "legs": legs,
            "nonce": time.time_ns(),
            "expiryTs": account.blockTs + QUOTE_LIFE_SEC,
            "signer": str(wallet.address),
            "maxFeeWad": WAD // 100,
            "transferCount": account.transferCount,
        }
        signature = sign_typed(wallet, self.trader.venue.config.quote, message)
        quote = Quote.model_construct(**{**message, "legs": [QuoteLeg.model_construct(**leg) for leg in legs]})
        body = GiveQuote.model_construct(quote=quote, signature=signature)
        transport.post(f"/requests/{request.requestId}/quotes", body, QuoteView)

    def requests(self) -> list[RequestView]:
        """Return open requests."""
        return self.trader.venue.transport.get("/requests", RequestPage).requests


@dataclass(slots=True)
class Taker:
    """Trades a little at what others quote, so that the tape moves.

    Parameters
    ----------
    trader : Trader
        Account.
    dice : random.Random
        Seeded: the same crowd in every run.
    """

    trader: Trader
    dice: random.Random

    def step(self, instruments: list[InstrumentView]) -> bool:
        """Take a part of one quote; return whether it met."""
        quoted = [one for one in instruments if one.bidWad and one.askWad]
        if not quoted:
            return False
        perps = [one for one in quoted if not one.expiryTs]
        one = self.dice.choice(perps if perps and self.dice.random() < 0.5 else quoted)
        is_buy = self.dice.random() < 0.5
        price_wad, open_wad = (one.askWad, one.askQuantityWad) if is_buy else (one.bidWad, one.bidQuantityWad)
        steps = max(1, round((open_wad or 0) / one.quantityStepWad * self.dice.uniform(0.05, 0.4)))
        quantity = steps * one.quantityStepWad / WAD
        terms = Terms(time_in_force="ioc", life_sec=600)
        try:
            result = self.trader.place(one.instrument, quantity if is_buy else -quantity, (price_wad or 0) / WAD, terms)
        except PlimsollError as problem:
            log.debug("a trade was refused", reason=str(problem))
            return False
        return bool(result.matches)


def quoted_part(instruments: list[InstrumentView]) -> list[InstrumentView]:
    """Return what makers quote: perpetuals, near futures, and options around the forward.

    Parameters
    ----------
    instruments : list of InstrumentView
        All that the venue shows.

    Returns
    -------
    list of InstrumentView
    """
    chosen: list[InstrumentView] = []
    for symbol in sorted({one.symbol for one in instruments}):
        mine = [one for one in instruments if one.symbol == symbol]
        ends = sorted({one.expiryTs for one in mine if one.expiryTs})[:EXPIRIES]
        chosen += [one for one in mine if not one.expiryTs]
        for end in ends:
            series = [one for one in mine if one.expiryTs == end]
            chosen += [one for one in series if Kind.of(one.kind).is_linear]
            options = [one for one in series if Kind.of(one.kind).is_option and one.forwardWad]
            strikes = sorted({one.strikeE8 for one in options}, key=lambda strike: _distance(strike, options[0]))
            near = set(strikes[: 2 * STRIKES + 1])
            chosen += [one for one in options if one.strikeE8 in near]
    return chosen


def _distance(strike_e8: int, one: InstrumentView) -> int:
    return abs(strike_e8 * 10**10 - (one.forwardWad or 0))


def _floor(price: float, tick: float) -> float:
    """Return a price on its step, without the digits that a float adds behind it."""
    return round(int(price / tick + 1e-9) * tick, 10)
