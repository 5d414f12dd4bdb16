"""Routes of requests for quote and of intents."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path
from fastapi.responses import Response

from plimsoll.client.schema.rfq import (
    AskQuotes,
    GiveIntent,
    GiveQuote,
    IntentAccepted,
    IntentPage,
    QuoteView,
    RequestPage,
    RequestView,
    TakeQuote,
)
from plimsoll.venue.api.answer import told
from plimsoll.venue.api.callers import Caller, MaybeCaller, Service

router = APIRouter(tags=["quotes"])
Request = Annotated[int, Path(ge=1, le=2**53 - 1)]


@router.post("/requests", response_model=RequestView)
async def ask(service: Service, caller: Caller, wanted: AskQuotes) -> Response:
    """Ask makers for quotes of one to eight legs."""
    return told(await service.quotes.ask(caller, wanted))


@router.get("/requests", response_model=RequestPage)
async def requests(service: Service, caller: MaybeCaller) -> Response:
    """Open requests; quotes are shown to their taker alone."""
    return told(RequestPage(requests=await service.quotes.requests(caller)))


@router.get("/requests/{requestId}", response_model=RequestView)
async def request(service: Service, caller: MaybeCaller, requestId: Request) -> Response:
    """One request."""
    return told(await service.quotes.request(caller, requestId))


@router.post("/requests/{requestId}/quotes", response_model=QuoteView)
async def give(service: Service, requestId: Request, wanted: GiveQuote) -> Response:
    """Answer a request with a signed quote."""
    return told(await service.quotes.give(requestId, wanted))


@router.post("/quotes/take", response_model=QuoteView)
async def take(service: Service, caller: Caller, wanted: TakeQuote) -> Response:
    """Let the venue's key take a quote, where the account's owner has made it an operator or trader key."""
    return told(await service.quotes.take(caller, wanted))


@router.post("/intents", response_model=IntentAccepted)
async def intend(service: Service, wanted: Annotated[GiveIntent, Body()]) -> Response:
    """Give a signed intent to the solvers."""
    return told(await service.quotes.intend(wanted))


@router.get("/intents", response_model=IntentPage)
async def intents(service: Service) -> Response:
    """Open intents, as the keeper's solver reads them."""
    return told(await service.quotes.intents())
