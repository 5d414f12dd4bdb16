"""The application: routes, refusals, CORS, limits, and the OpenAPI document with the types of the stream."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles
from pydantic import TypeAdapter

from plimsoll.client.schema.problem import Problem, RefusalError
from plimsoll.client.schema.stream import ClientMessage, ServerMessage
from plimsoll.errors import InputError, UnavailableError
from plimsoll.venue.api import about, accounts, logins, markets, orders, quotes, stream
from plimsoll.venue.api.answer import on_fields, on_input, on_refusal, on_status, on_unavailable
from plimsoll.venue.api.backend import Backend
from plimsoll.venue.api.limits import Limits, LimitsMiddleware
from plimsoll.venue.api.stream import Source

PREFIX: Final = "/api"
TITLE: Final = "Plimsoll venue"
ABOUT: Final = (
    "Where signed orders meet. Amounts are decimal text in wad (1e-18) unless a name says otherwise; "
    "names end in their unit. The stream is a WebSocket at /api/stream that takes ClientMessage and sends "
    "ServerMessage. Every refusal is a Problem."
)
_REF: Final = "#/components/schemas/{model}"


class _Application(FastAPI):
    """The application; its document has the messages of the stream among its schemas, which no route mentions."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if self.openapi_schema is None:
            # The interface has no number of its own: it is that of the commit.
            document = get_openapi(title=TITLE, version="0", description=ABOUT, routes=self.routes)
            schemas: dict[str, Any] = document["components"]["schemas"]
            messages: tuple[tuple[str, Any, Any], ...] = (
                ("ClientMessage", ClientMessage, "validation"),
                ("ServerMessage", ServerMessage, "serialization"),
            )
            for name, adapted, mode in messages:
                found = TypeAdapter(adapted).json_schema(mode=mode, ref_template=_REF)
                for inner, schema in found.pop("$defs", {}).items():
                    schemas.setdefault(inner, schema)
                schemas[name] = found
            self.openapi_schema = document
        return self.openapi_schema


def build_app(
    backend: Backend,
    *,
    source: Source | None = None,
    limits: Limits | None = None,
    streams: int = 1_000,
    origins: Sequence[str] = (),
    page: Path | None = None,
) -> FastAPI:
    """Put the application together.

    Parameters
    ----------
    backend : Backend
        The service that answers.
    source : Source, optional
        Channels of the stream; without it nobody is let in there.
    limits : Limits, optional
        Rates of one key; without them there are none.
    streams : int
        Most connections of the stream.
    origins : sequence of str
        Origins of pages elsewhere that browsers let ask; the venue's own page needs none.
    page : Path, optional
        Folder of the built wallet page, served at the root.

    Returns
    -------
    FastAPI
    """
    app = _Application(
        title=TITLE,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
    )
    app.state.backend, app.state.source, app.state.limits, app.state.streams = backend, source, limits, streams
    for part in (about, markets, accounts, orders, quotes, logins, stream):
        app.include_router(part.router, prefix=PREFIX)
    app.exception_handler(RefusalError)(on_refusal)
    app.exception_handler(RequestValidationError)(on_fields)
    app.exception_handler(InputError)(on_input)
    app.exception_handler(UnavailableError)(on_unavailable)
    for status in (404, 405):
        app.exception_handler(status)(on_status)
    if limits is not None:
        app.add_middleware(LimitsMiddleware, backend=backend, limits=limits, prefix=PREFIX)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
            max_age=600,
        )
    if page is not None:
        app.mount("/", StaticFiles(directory=page, html=True))
    return app
