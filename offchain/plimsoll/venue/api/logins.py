"""Routes of the login: a signed text, never a password."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from plimsoll.client.schema.service import AskChallenge, ChallengeView, Login, TokenGrant
from plimsoll.venue.api.answer import told
from plimsoll.venue.api.callers import Credentials, Service

router = APIRouter(tags=["login"])


@router.post("/login/challenge", response_model=ChallengeView)
async def challenge(service: Service, wanted: AskChallenge) -> Response:
    """Ask for a text to sign; each serves once."""
    return told(service.logins.challenge(wanted.address))


@router.post("/login", response_model=TokenGrant)
async def login(service: Service, wanted: Login) -> Response:
    """Get a token for a signed text."""
    return told(await service.logins.login(wanted))


@router.delete("/login", status_code=204)
async def logout(service: Service, credentials: Credentials) -> Response:
    """Forget a token."""
    if credentials is not None:
        service.logins.logout(credentials.credentials)
    return Response(status_code=204)
