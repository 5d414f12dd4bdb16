"""Routes of accounts as the contracts show them; nothing in them is secret, the chain shows it to everybody."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from plimsoll.client.schema.account import AccountIds, AccountView, Draft, OpenOrdersPreview, PreviewView
from plimsoll.client.schema.fields import Address
from plimsoll.venue.api.answer import told
from plimsoll.venue.api.callers import Caller, Service

router = APIRouter(tags=["accounts"])
Account = Annotated[int, Path(ge=0, le=2**53 - 1)]


@router.get("/accounts", response_model=AccountIds)
async def accounts_of(service: Service, owner: Address) -> Response:
    """Accounts that an address owns."""
    return told(await service.accounts.accounts_of(owner))


@router.get("/accounts/{accountId}", response_model=AccountView)
async def account(service: Service, accountId: Account) -> Response:
    """One account: balances, positions, margin with its components and rows."""
    return told(await service.accounts.account(accountId))


@router.post("/accounts/{accountId}/preview", response_model=PreviewView)
async def preview(service: Service, accountId: Account, draft: Draft) -> Response:
    """Margin before and after a draft, by the chain itself."""
    return told(await service.accounts.preview(accountId, draft))


@router.get("/accounts/{accountId}/open-orders-preview", response_model=OpenOrdersPreview)
async def open_orders_preview(service: Service, caller: Caller, accountId: Account) -> Response:
    """Margin now and in the worst case of the account's open orders, by the chain itself."""
    return told(await service.accounts.open_orders_preview(caller, accountId))
