"""Legs: what an account holds that a market move can change, one line of a contribution table each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from plimsoll.errors import InputError
from plimsoll.model import Market, Portfolio, Position, PriceRange


@dataclass(frozen=True, slots=True)
class Leg:
    """A position, or collateral linked to an underlying (``position`` is None).

    ``quantity`` is signed units; ``unit_price`` the cash price of one unit of collateral, and ``span`` where its
    liquidity lies, if it is any.
    """

    label: str
    underlying: str
    quantity: float
    position: Position | None
    unit_price: float = 0.0
    span: PriceRange | None = None

    def units(self, spot: float) -> float:
        """Units of the underlying that one unit of the collateral is."""
        return self.unit_price / spot if self.span is None else self.span.units(spot)

    def gamma(self, spot: float) -> float:
        """How they change with the spot."""
        return 0.0 if self.span is None else self.span.gamma(spot)


def label_of(position: Position) -> str:
    """Name of what a position holds, for people."""
    parts = [position.underlying, position.kind.word]
    if position.kind.has_expiry:
        parts.append(datetime.fromtimestamp(position.expiry_ts, UTC).strftime("%Y-%m-%dT%H:%MZ"))
    if position.kind.is_option:
        parts.append(f"{position.price:g}")
    return " ".join(parts)


def legs_of(market: Market, portfolio: Portfolio) -> tuple[tuple[Leg, ...], list[str]]:
    """List what carries market risk.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio

    Returns
    -------
    tuple of Leg, list of str
        Legs in file order, positions first; notes on collateral that has no risk factor.

    Raises
    ------
    InputError
        If nothing is held that a price can move.
    """
    legs = [Leg(label_of(p), p.underlying, p.quantity, p) for p in portfolio.positions]
    notes: list[str] = []
    for symbol, amount in portfolio.collateral.items():
        token = market.tokens[symbol]
        if token.linked is not None and amount > 0.0:
            legs.append(Leg(f"{symbol} collateral", token.linked, amount, None, market.price_of(symbol), token.span))
        elif symbol != "USDC" and amount > 0.0:
            notes.append(f"collateral {symbol} is linked to no underlying: held at its price, without risk")
    if not legs:
        raise InputError("portfolio", "holds nothing that a market move can change")
    return tuple(legs), notes


def underlyings_of(legs: tuple[Leg, ...]) -> tuple[str, ...]:
    """Return the distinct underlyings in order of first appearance."""
    return tuple(dict.fromkeys(leg.underlying for leg in legs))
