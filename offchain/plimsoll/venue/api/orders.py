"""Routes of orders. Placing needs no login, because orders are signed; taking out of the book does."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from plimsoll.client.schema.fields import Hash
from plimsoll.client.schema.orders import (
    AmendOrder,
    CancelOrders,
    CancelResults,
    FillPage,
    MassCancel,
    OrderPage,
    OrderState,
    OrderView,
    PlaceOrders,
    PlaceResult,
    PlaceResults,
    Protection,
    ProtectionView,
)
from plimsoll.client.schema.problem import RefusalError
from plimsoll.venue.api.answer import told
from plimsoll.venue.api.callers import Caller, Service
from plimsoll.venue.api.limits import charge_orders

router = APIRouter(tags=["orders"])
Account = Annotated[int, Path(ge=0, le=2**53 - 1)]


@router.post("/orders", response_model=PlaceResults)
async def place(request: Request, service: Service, wanted: PlaceOrders) -> Response:
    """Place orders; each is accepted or refused for itself."""
    charge_orders(request, len(wanted.orders))
    return told(PlaceResults.model_construct(results=await service.orders.place(wanted.orders)))


@router.post("/orders/amend", response_model=PlaceResult)
async def amend(request: Request, service: Service, caller: Caller, wanted: AmendOrder) -> Response:
    """Replace an order by another signed one; when that is refused the old one stays."""
    charge_orders(request, 1)
    return told(await service.orders.amend(caller, wanted))


@router.post("/orders/cancel", response_model=CancelResults)
async def cancel(service: Service, caller: Caller, wanted: CancelOrders) -> Response:
    """Take orders out of the book."""
    return told(CancelResults(results=await service.orders.cancel(caller, wanted.orderHashes)))


@router.post("/orders/mass-cancel", response_model=CancelResults)
async def mass_cancel(service: Service, caller: Caller, wanted: MassCancel) -> Response:
    """Take all orders of an account out of the book, or those of one underlying, instrument or side."""
    return told(CancelResults(results=await service.orders.mass_cancel(caller, wanted)))


@router.get("/orders/{orderHash}", response_model=OrderView)
async def order(service: Service, caller: Caller, orderHash: Hash) -> Response:
    """One own order."""
    return told(await service.orders.order(caller, orderHash))


@router.get("/accounts/{accountId}/orders", response_model=OrderPage)
async def orders_of(
    service: Service,
    caller: Caller,
    accountId: Account,
    state: OrderState | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> Response:
    """Orders of an own account, newest first."""
    return told(await service.orders.orders_of(caller, accountId, state, limit))


@router.get("/accounts/{accountId}/fills", response_model=FillPage)
async def fills_of(
    service: Service,
    caller: Caller,
    accountId: Account,
    before: Annotated[int | None, Query(ge=0, description="Only fills with a lower tradeId.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> Response:
    """Show fills of an own account, newest first."""
    return told(await service.orders.fills_of(caller, accountId, before, limit))


@router.get("/accounts/{accountId}/protection", response_model=ProtectionView)
async def protection(service: Service, caller: Caller, accountId: Account) -> Response:
    """Market-maker protection of an own account."""
    found = await service.orders.protection(caller, accountId)
    if found is None:
        raise RefusalError("notFound", f"account {accountId} has no protection", field="accountId", value=accountId)
    return told(found)


@router.put("/accounts/{accountId}/protection", response_model=ProtectionView)
async def protect(service: Service, caller: Caller, accountId: Account, wanted: Protection) -> Response:
    """Set the protection of an own account, and let it quote again after it tripped."""
    if wanted.accountId != accountId:
        text = f"accountId: is {wanted.accountId} in the body and {accountId} in the path"
        raise RefusalError("badField", text, field="accountId", value=wanted.accountId, limit=accountId)
    return told(await service.orders.protect(caller, wanted))
