"""The book's own objects as the models that clients read."""

from __future__ import annotations

from typing import Any, cast

from plimsoll.client.schema.market import BookView, Level, TradeView
from plimsoll.client.schema.orders import (
    FillView,
    MatchView,
    Order,
    OrderView,
    Protection,
    ProtectionView,
)
from plimsoll.venue.book.orders import BookOrder, Trade
from plimsoll.venue.book.state import Guard, State


def order_of(order: BookOrder) -> OrderView:
    """Return an order as it stands; thousands of them a second, of values that need no second look."""
    return OrderView.model_construct(
        orderHash=order.order_hash,
        # Its fields were checked when it was accepted.
        order=Order.model_construct(**order.message),
        timeInForce=cast("Any", order.time_in_force),
        clientId=order.client_id,
        state=cast("Any", order.state),
        leavesWad=order.leaves_wad,
        pendingWad=order.pending_wad,
        filledWad=order.filled_wad,
        reason=order.reason,
        acceptedMs=order.accepted_ms,
        seq=order.seq,
    )


def trade_of(trade: Trade) -> TradeView:
    """Return a trade as everybody sees it."""
    return TradeView(
        tradeId=trade.trade_id,
        instrument=trade.instrument,
        priceWad=trade.price_wad,
        quantityWad=trade.quantity_wad,
        takerIsBuy=trade.taker_is_buy,
        state=cast("Any", trade.state),
        matchedMs=trade.matched_ms,
        txHash=trade.tx_hash,
        blockNumber=trade.block_number,
        seq=trade.seq,
    )


def match_of(trade: Trade) -> MatchView:
    """Return a trade as part of an answer to an order."""
    return MatchView(tradeId=trade.trade_id, priceWad=trade.price_wad, quantityWad=trade.quantity_wad)


def fills_of(trade: Trade, account_id: int) -> list[FillView]:
    """Return the sides of a trade that are an account's."""
    found = []
    sides = ((trade.maker, trade.maker_id, True), (trade.taker, trade.taker_id, False))
    for order_hash, owner_id, is_maker in sides:
        if owner_id == account_id:
            found.append(
                FillView(
                    tradeId=trade.trade_id,
                    orderHash=order_hash,
                    accountId=account_id,
                    instrument=trade.instrument,
                    isBuy=trade.taker_is_buy != is_maker,
                    isMaker=is_maker,
                    priceWad=trade.price_wad,
                    quantityWad=trade.quantity_wad,
                    feeWad=trade.maker_fee_wad if is_maker else trade.taker_fee_wad,
                    state=cast("Any", trade.state),
                    matchedMs=trade.matched_ms,
                    txHash=trade.tx_hash,
                    blockNumber=trade.block_number,
                    reason=trade.reason,
                    seq=trade.seq,
                )
            )
    return found


def level_of(price_wad: int, quantity_wad: int, orders: int) -> Level:
    """Return one level."""
    return Level(priceWad=price_wad, quantityWad=quantity_wad, orders=orders)


def book_of(state: State, instrument: int, depth: int, seq: int) -> BookView:
    """Return a book, best price first."""
    ladder = state.ladders.get(instrument)
    bids = [] if ladder is None else [level_of(*found) for found in ladder.bids.levels(depth)]
    asks = [] if ladder is None else [level_of(*found) for found in ladder.asks.levels(depth)]
    return BookView(instrument=instrument, bids=bids, asks=asks, seq=seq)


def protection_of(account_id: int, guard: Guard) -> ProtectionView:
    """Return the protection of an account."""
    protection = Protection.model_construct(
        accountId=account_id,
        windowMs=guard.window_ms,
        maxFills=guard.max_fills,
        maxDeltaWad=guard.max_delta_wad,
        maxVegaWad=guard.max_vega_wad,
    )
    return ProtectionView(protection=protection, isTripped=guard.is_tripped, reason=guard.reason)
