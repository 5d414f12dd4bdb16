"""What gas costs in cash."""

from __future__ import annotations

from plimsoll.constants import WAD


def gas_cost(gas: int, gas_price_wei: int, native_price: float) -> float:
    """Convert gas into cash.

    Parameters
    ----------
    gas : int
        Units of gas.
    gas_price_wei : int
        Price of one unit.
    native_price : float
        Cash for one coin of the chain, by its round.

    Returns
    -------
    float
        Cash.
    """
    # A coin of the chain has as many wei as one has wad.
    return gas * gas_price_wei / WAD * native_price
