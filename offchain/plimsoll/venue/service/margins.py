"""Margins and accounts of the contracts as the models that clients read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from plimsoll.chain.words import pack, unpack
from plimsoll.client.schema.account import (
    Draft,
    ExpiryGreeksView,
    MarginState,
    MarginView,
    ModeName,
    PositionView,
    RowView,
    UnderlyingMarginView,
)
from plimsoll.constants import E8, WAD
from plimsoll.keeper.names import name_of as symbol_of
from plimsoll.mirror.scenario_book import Book
from plimsoll.params import VOL_NAMES
from plimsoll.units import float_to_wad
from plimsoll.venue.chain.names import identity_of, name_of

MODES: Final[tuple[ModeName, ...]] = ("single", "standard", "cross")
STATES: Final[tuple[MarginState, ...]] = ("healthy", "marginCall", "liquidatable", "insolvent")
#: Leaves the mode as it is.
KEEP_MODE: Final = 255
_E8_TO_WAD: Final = WAD // E8


def margin_of(state: Any, details: Any, underlyings: Mapping[str, int], books: Mapping[int, Book]) -> MarginView:
    """Return what ``evaluateDetailed`` answered.

    Parameters
    ----------
    state, details : Any
        ``MarginState`` and a list of ``UnderlyingDetail``.
    underlyings : Mapping[str, int]
        Ids by symbol.
    books : Mapping[int, Book]
        Scenario rows by underlying, for their labels; without one there are no rows.

    Returns
    -------
    MarginView
    """
    return MarginView(
        state=STATES[state.state],
        equityWad=state.equityWad,
        marketEquityWad=state.marketEquityWad,
        markToMarketWad=state.markToMarketWad,
        initialWad=state.initialWad,
        maintenanceWad=state.maintenanceWad,
        debtChargeWad=state.debtChargeWad,
        excessWad=state.equityWad - state.initialWad,
        cushionWad=state.equityWad - state.maintenanceWad,
        underlyings=[
            _underlying(risk, detail, underlyings, books)
            for risk, detail in zip(state.underlyings, details, strict=False)
            if risk.underlyingId
        ],
    )


def _underlying(
    risk: Any, detail: Any, underlyings: Mapping[str, int], books: Mapping[int, Book]
) -> UnderlyingMarginView:
    return UnderlyingMarginView(
        underlyingId=risk.underlyingId,
        symbol=symbol_of(underlyings, risk.underlyingId),
        requirementWad=risk.requirementWad,
        scanWad=risk.scanWad,
        basisWad=risk.basisWad,
        vegaTermWad=risk.vegaTermWad,
        skewTermWad=risk.skewTermWad,
        shortMinWad=risk.shortMinWad,
        concentrationWad=risk.concentrationWad,
        spotWad=risk.spotWad,
        deltaWad=detail.deltaWad,
        gammaWad=detail.gammaWad,
        vegaWad=detail.vegaWad,
        thetaWad=detail.thetaWad,
        expiries=[ExpiryGreeksView(**vars(expiry)) for expiry in detail.expiries],
        rows=_rows(risk, detail, books.get(risk.underlyingId)),
    )


def _rows(risk: Any, detail: Any, book: Book | None) -> list[RowView]:
    if book is None or len(book.rows) != len(detail.rowPnlWad):
        return []
    return [
        RowView(
            priceMoveWad=float_to_wad(row.price),
            volMove=VOL_NAMES[row.vol],
            skewMoveWad=float_to_wad(row.skew),
            weightWad=float_to_wad(row.weight),
            pnlWad=pnl_wad,
            isWorst=place == risk.worstRow,
        )
        for place, (row, pnl_wad) in enumerate(zip(book.rows, detail.rowPnlWad, strict=True))
    ]


def position_of(packed: int, underlyings: Mapping[str, int]) -> PositionView:
    """Return a stored position."""
    word = unpack(packed)
    instrument = identity_of(packed)
    return PositionView(
        instrument=instrument,
        name=name_of(instrument, underlyings),
        underlyingId=word.underlying_id,
        kind=word.kind.word,
        expiryTs=word.expiry_ts,
        priceE8=word.price_e8,
        quantityWad=word.quantity_wad,
    )


def changes_of(draft: Draft) -> dict[str, Any]:
    """Return ``IMarginEngine.Changes`` of a draft: premiums move cash, linear instruments enter at their price."""
    cash_wad, words = draft.cashWad, []
    for leg in draft.legs:
        word = unpack(leg.instrument)
        price_e8 = word.price_e8
        if word.kind.is_option:
            # Rounded against the account, as the ledger books it.
            cash_wad -= -(-leg.quantityWad * leg.priceWad // WAD)
        else:
            price_e8 = leg.priceWad // _E8_TO_WAD
        fields = type(word)(word.underlying_id, word.kind, word.expiry_ts, price_e8, leg.quantityWad)
        words.append(pack(fields))
    return {
        "mode": KEEP_MODE if draft.mode is None else MODES.index(draft.mode),
        "cashDeltaWad": cash_wad,
        "tokenIds": [token.tokenId for token in draft.tokens],
        "amountDeltasWad": [token.amountWad for token in draft.tokens],
        "positions": words,
    }
