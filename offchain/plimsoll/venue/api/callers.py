"""Who asks: the token of a request, and the address that it is bound to."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from plimsoll.client.schema.problem import RefusalError
from plimsoll.venue.api.backend import Backend

_BEARER = HTTPBearer(auto_error=False, description="Token of POST /api/login.")


def backend_of(request: Request) -> Backend:
    """Return the service behind this application."""
    backend: Backend = request.app.state.backend
    return backend


Service = Annotated[Backend, Depends(backend_of)]
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


def _known(service: Service, credentials: Credentials) -> str | None:
    """Return the caller's address, when a token was sent; a wrong one is refused rather than ignored."""
    return None if credentials is None else service.logins.caller_of(credentials.credentials)


def _required(caller: Annotated[str | None, Depends(_known)]) -> str:
    if caller is None:
        raise RefusalError("notLoggedIn", "this needs a token: sign a challenge of POST /api/login/challenge first")
    return caller


MaybeCaller = Annotated[str | None, Depends(_known)]
Caller = Annotated[str, Depends(_required)]
