"""Routes of what everybody may see."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from plimsoll.client.schema.fields import UnsignedText
from plimsoll.client.schema.market import (
    AuctionView,
    BookView,
    ChainView,
    InstrumentView,
    MarketView,
    RoundView,
    TradePage,
)
from plimsoll.venue.api.answer import listed, told
from plimsoll.venue.api.callers import Service

router = APIRouter(tags=["market"])
Instrument = Annotated[UnsignedText, Path(description="Position word with quantity 0, decimal text.")]


@router.get("/markets", response_model=list[MarketView])
async def markets(service: Service) -> Response:
    """Underlyings with their last rounds."""
    return listed(await service.markets.markets())


@router.get("/instruments", response_model=list[InstrumentView])
async def instruments(
    service: Service,
    underlyingId: Annotated[int | None, Query(ge=1, le=255)] = None,
    expiryTs: Annotated[int | None, Query(ge=0, le=2**40 - 1)] = None,
) -> Response:
    """Instruments: perpetuals, futures and an option chain around the forward, and whatever has open orders."""
    return listed(await service.markets.instruments(underlyingId, expiryTs))


@router.get("/books/{instrument}", response_model=BookView)
async def book(service: Service, instrument: Instrument, depth: Annotated[int, Query(ge=1, le=1_000)] = 50) -> Response:
    """Open orders of one instrument by price."""
    return told(await service.markets.book(instrument, depth))


@router.get("/trades", response_model=TradePage)
async def trades(
    service: Service,
    instrument: UnsignedText | None = None,
    before: Annotated[int | None, Query(ge=0, description="Only trades with a lower tradeId.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Response:
    """Trades, newest first."""
    return told(await service.markets.trades(instrument, before, limit))


@router.get("/rounds", response_model=list[RoundView])
async def rounds(service: Service) -> Response:
    """Last round of every underlying."""
    return listed(await service.markets.rounds())


@router.get("/auctions", response_model=list[AuctionView])
async def auctions(service: Service) -> Response:
    """All running liquidations."""
    return listed(await service.markets.auctions())


@router.get("/chain", response_model=ChainView)
async def chain(service: Service) -> Response:
    """Head of the chain as the venue sees it."""
    return told(await service.markets.chain())
