"""Collateral whose worth bends; mirror of contracts/libraries/LiquidityMath.sol and contracts/sources/SourceBook.sol.

What a token does is split into the units of its underlying that it behaves like at the spot, which enter everything
that linked collateral enters, and a bend: what it loses beyond these at a move. Worth that is concave never lies above
its tangent, so a bend is never a gain.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.scenario_book import Book
from plimsoll.model import Market, Portfolio, PriceRange, Token

Vector = npt.NDArray[np.float64]


def values(span: PriceRange, prices: Vector) -> Vector:
    """Worth of one unit of liquidity at many prices.

    Parameters
    ----------
    span : PriceRange
    prices : ndarray

    Returns
    -------
    ndarray
        Cash, in the shape of ``prices``.
    """
    found: Vector = np.vectorize(span.value, otypes=[np.float64])(prices)
    return found


def bends(span: PriceRange, spot: float | Vector, moves: Vector) -> Vector:
    """Return what one unit of liquidity loses at each move beyond the units that it is at the spot.

    Parameters
    ----------
    span : PriceRange
    spot : float or ndarray, shape (n,)
    moves : ndarray, shape (m,)
        Relative moves.

    Returns
    -------
    ndarray, shape (n, m)
        Cash, never negative; n is 1 for one spot.

    References
    ----------
    .. [1] contracts/sources/SourceBook.sol, ``curveOf``.
    """
    spots = np.atleast_1d(np.asarray(spot, dtype=np.float64))
    units = np.vectorize(span.units, otypes=[np.float64])(spots)
    lost = values(span, spots)[:, None] - values(span, spots[:, None] * (1.0 + moves))
    found: Vector = np.maximum(lost + (units * spots)[:, None] * moves, 0.0)
    return found


def worst_share(span: PriceRange, spot: float, book: Book) -> float:
    """Largest weighted loss of liquidity alone, as a share of its worth; 1 where it is worth nothing.

    Parameters
    ----------
    span : PriceRange
    spot : float
    book : Book
        Whose nodes move the price.

    Returns
    -------
    float
        Within [0, 1].
    """
    now = span.value(spot)
    if now <= 0.0:
        return 1.0
    lost = (now - values(span, spot * (1.0 + book.moves[: book.nodes]))) * book.weights
    return float(np.clip(lost.max(initial=0.0) / now, 0.0, 1.0))


def _bent(market: Market, name: str) -> list[tuple[Token, PriceRange]]:
    tokens = [token for token in market.tokens.values() if token.linked == name]
    return [(token, token.span) for token in tokens if token.span is not None]


def account_bends(
    market: Market, portfolios: Sequence[Portfolio], name: str, spot: float | Vector, book: Book
) -> Vector:
    """Add up the bends of every account's collateral in one underlying.

    Parameters
    ----------
    market : Market
        Says what a token is.
    portfolios : sequence of Portfolio
    name : str
        Underlying.
    spot : float or ndarray, shape (n,)
        One for everybody, or those of several rounds for a single portfolio.
    book : Book

    Returns
    -------
    ndarray, shape (n, n_rows)
        Cash, by account or by round.
    """
    count = len(portfolios) if np.ndim(spot) == 0 else np.size(spot)
    total = np.zeros((count, len(book.rows)))
    for token, span in _bent(market, name):
        amounts = np.array([folio.collateral.get(token.symbol, 0.0) for folio in portfolios])
        if amounts.any():
            total += amounts[:, None] * bends(span, spot, book.moves)
    return total


def account_gammas(market: Market, portfolios: Sequence[Portfolio], name: str) -> Vector:
    """Add up the gamma of every account's collateral in one underlying, shape (n_acct,)."""
    spot = market.rounds[name].spot
    bent = _bent(market, name)
    held = [
        sum(folio.collateral.get(token.symbol, 0.0) * span.gamma(spot) for token, span in bent) for folio in portfolios
    ]
    return np.array(held, dtype=float)
