"""The market for everybody: rounds and auctions of the index, books and trades of the desk, marks of the mirror."""

from __future__ import annotations

import time
from collections.abc import Iterable

from plimsoll.chain.words import unpack
from plimsoll.client.schema.market import (
    AuctionView,
    BookView,
    ChainView,
    Greeks,
    InstrumentView,
    MarketView,
    RoundView,
    SurfaceView,
    TradePage,
)
from plimsoll.client.schema.problem import RefusalError
from plimsoll.constants import WAD
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Question
from plimsoll.keeper.names import name_of as symbol_of
from plimsoll.model import Kind
from plimsoll.venue.book.orders import FAILED
from plimsoll.venue.chain.ledger import ExchangeLedger
from plimsoll.venue.chain.names import name_of
from plimsoll.venue.chain.world import Mark, World, age_sec
from plimsoll.venue.gate.terms import Steps
from plimsoll.venue.journal.desk import Desk
from plimsoll.venue.service.history import History
from plimsoll.venue.service.views import book_of, trade_of


class MarketService:
    """Shows the market.

    Parameters
    ----------
    desk : Desk
        Books.
    history : History
        Trades.
    world : World
        Rounds, marks, auctions.
    ledger : ExchangeLedger
        Which instruments are paused.
    steps : Steps
        Of prices and quantities.
    """

    def __init__(self, desk: Desk, history: History, world: World, ledger: ExchangeLedger, steps: Steps) -> None:
        self._desk, self._history, self._world, self._ledger, self._steps = desk, history, world, ledger, steps

    async def markets(self) -> list[MarketView]:
        """Return underlyings that have a round."""
        found = []
        for symbol, number in sorted(self._world.deployment.underlyings.items()):
            posted, rules = self._world.chain.rounds.get(number), self._world.rules.get(number)
            if posted is None or rules is None:
                continue
            found.append(
                MarketView(
                    underlyingId=number,
                    symbol=symbol,
                    spotWad=posted.spotWad,
                    perpWad=posted.perpWad,
                    roundTs=posted.ts,
                    roundAgeSec=age_sec(self._world, number),
                    heartbeatSec=self._world.heartbeat_sec,
                    isStale=self._world.is_stale(number),
                    expiries=[surface.expiryTs for surface in posted.surfaces],
                    strikeStepE8=rules.strikeStepE8,
                    kinds=[kind.word for kind in Kind if rules.kinds >> kind & 1],
                )
            )
        return found

    async def instruments(self, underlying_id: int | None, expiry_ts: int | None) -> list[InstrumentView]:
        """Return the option chain and whatever else has open orders."""
        ids = sorted(self._world.symbols) if underlying_id is None else [underlying_id]
        if underlying_id is not None and underlying_id not in self._world.symbols:
            text = f"underlyingId: there is no underlying {underlying_id}"
            raise RefusalError("notFound", text, field="underlyingId", value=underlying_id)
        shown = dict.fromkeys(word for number in ids for word in self._world.listed(number, expiry_ts))
        for instrument, ladder in self._desk.state.ladders.items():
            word = unpack(instrument)
            if (
                (len(ladder.bids) or len(ladder.asks))
                and word.underlying_id in ids
                and expiry_ts in (None, word.expiry_ts)
            ):
                shown.setdefault(instrument)
        marks = self._world.marks(list(shown))
        last = self._last_prices(shown)
        return [self._instrument(one, mark, last.get(one)) for one, mark in zip(shown, marks, strict=True)]

    def _last_prices(self, wanted: Iterable[int]) -> dict[int, int]:
        """Return the price of the last trade of each instrument that did not fail."""
        left = set(wanted)
        found = {word: price_wad for word in left if (price_wad := self._desk.state.last_prices.get(word)) is not None}
        for trade in reversed(self._desk.state.trades.values()):
            if trade.instrument in left and trade.state != FAILED:
                found[trade.instrument] = trade.price_wad
                left.discard(trade.instrument)
            if not left:
                break
        return found

    def _instrument(self, instrument: int, mark: Mark | None, last_wad: int | None) -> InstrumentView:
        word, ladder = unpack(instrument), self._desk.state.ladders.get(instrument)
        bids = [] if ladder is None else ladder.bids.levels(1)
        asks = [] if ladder is None else ladder.asks.levels(1)
        steps, underlyings = self._steps, self._world.deployment.underlyings
        return InstrumentView(
            instrument=instrument,
            name=name_of(instrument, underlyings),
            underlyingId=word.underlying_id,
            symbol=symbol_of(underlyings, word.underlying_id),
            kind=word.kind.word,
            expiryTs=word.expiry_ts,
            strikeE8=word.price_e8,
            markWad=None if mark is None else mark.mark_wad,
            markVolWad=None if mark is None or not word.kind.is_option else mark.vol_wad,
            forwardWad=None if mark is None else mark.forward_wad,
            greeks=None
            if mark is None
            else Greeks(
                deltaWad=mark.delta_wad, gammaWad=mark.gamma_wad, vegaWad=mark.vega_wad, thetaWad=mark.theta_wad
            ),
            bidWad=bids[0][0] if bids else None,
            bidQuantityWad=bids[0][1] if bids else None,
            askWad=asks[0][0] if asks else None,
            askQuantityWad=asks[0][1] if asks else None,
            lastWad=last_wad,
            isPaused=self._ledger.is_paused(instrument, self._world.now_ts()),
            priceStepWad=steps.option_price_wad if word.kind.is_option else steps.linear_price_wad,
            quantityStepWad=steps.quantity_wad,
        )

    async def book(self, instrument: int, depth: int) -> BookView:
        """Return a book."""
        await self._desk.durable()
        state = self._desk.state
        return book_of(state, instrument, depth, state.seq)

    async def trades(self, instrument: int | None, before: int | None, limit: int) -> TradePage:
        """Return trades, newest first."""
        seq = self._desk.state.seq
        found = await self._history.trades(limit, before=before, instrument=instrument)
        await self._desk.durable()
        return TradePage(trades=[trade_of(trade) for trade in found], seq=seq)

    async def rounds(self) -> list[RoundView]:
        """Return the last rounds."""
        return [found for number in sorted(self._world.symbols) if (found := self.round(number)) is not None]

    def round(self, underlying_id: int) -> RoundView | None:
        """Return the last round of an underlying."""
        posted = self._world.chain.rounds.get(underlying_id)
        if posted is None:
            return None
        return RoundView(
            underlyingId=underlying_id,
            symbol=symbol_of(self._world.deployment.underlyings, underlying_id),
            ts=posted.ts,
            spotWad=posted.spotWad,
            perpWad=posted.perpWad,
            confWad=posted.confWad,
            meanWad=posted.meanWad,
            surfaces=[SurfaceView(**vars(surface)) for surface in posted.surfaces],
            blockNumber=self._world.head.number,
        )

    async def auctions(self) -> list[AuctionView]:
        """Return running auctions with the price that the contract asks now."""
        running = sorted(self._world.chain.auctions.items())
        questions = [Question("Auction", "previewBid", (number, WAD)) for number, _ in running]
        questions += [Question("MarginEngine", "auctionMarginOf", (number,)) for number, _ in running]
        answers = await self._world.reads.ask(questions) if questions else []
        found = []
        for place, (number, auction) in enumerate(running):
            quote, margin = answers[place], answers[place + len(running)]
            if isinstance(quote, PlimsollError) or isinstance(margin, PlimsollError):
                # It ended meanwhile, or cannot be priced before the next round.
                continue
            found.append(
                AuctionView(
                    accountId=number,
                    isSolvent=quote.isSolvent,
                    startedTs=auction.started_ts,
                    fractionWad=quote.fractionWad,
                    priceWad=quote.priceWad,
                    cashWad=quote.cashWad,
                    feeWad=quote.feeWad,
                    equityWad=margin.equityWad,
                    maintenanceWad=margin.maintenanceWad,
                    blockNumber=self._world.head.number,
                )
            )
        return found

    async def chain(self) -> ChainView:
        """Return the head."""
        return self.head()

    def head(self) -> ChainView:
        """Return the head."""
        head = self._world.head
        return ChainView(
            chainId=self._world.deployment.chain_id,
            blockNumber=head.number,
            blockHash=head.hash,
            blockTs=head.ts,
            finalNumber=max(-1, self._world.final_number),
            clockSkewSec=round(head.ts - (time.time() - self._world.head_age_sec()), 3),
        )
