"""Routes about the service: health, configuration, interfaces of contracts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from plimsoll.client.schema.service import AbiView, ConfigView, HealthView
from plimsoll.venue.api.answer import told
from plimsoll.venue.api.callers import Service

router = APIRouter(tags=["service"])


@router.get("/health", response_model=HealthView, responses={503: {"model": HealthView}})
async def health(service: Service) -> Response:
    """Whether every part works; 503 when one does not."""
    found = service.health()
    return told(found, 200 if found.isOk else 503)


@router.get("/config", response_model=ConfigView)
async def config(service: Service) -> Response:
    """Everything that a page needs before it can sign."""
    return told(await service.config())


@router.get("/abis/{name}", response_model=AbiView)
async def abi(service: Service, name: Annotated[str, Path(pattern=r"^[A-Za-z0-9]{1,64}$")]) -> Response:
    """Interface of a contract of the deployment, or of a token (LocalToken)."""
    return told(service.abi(name))
