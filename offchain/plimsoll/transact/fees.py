"""Fees per gas: what the chain asks for, and what replaces a pending transaction."""

from __future__ import annotations

from dataclasses import dataclass

from plimsoll.transact.policy import BPS, Policy


@dataclass(frozen=True, slots=True)
class Fees:
    """Fee fields of a transaction.

    Parameters
    ----------
    max_wei : int
        ``maxFeePerGas``, or ``gasPrice`` on a chain without base fee.
    tip_wei : int
        ``maxPriorityFeePerGas``; equal to ``max_wei`` on a chain without base fee.
    is_legacy : bool
        Whether the chain knows gas prices alone.
    """

    max_wei: int
    tip_wei: int
    is_legacy: bool = False


@dataclass(frozen=True, slots=True)
class Market:
    """What the chain asks for at a head.

    Parameters
    ----------
    base_wei : int or None
        Base fee per gas of the block; ``None`` on a chain without one.
    tip_wei : int
        Tip that the node suggests.
    price_wei : int
        Gas price that the node suggests.
    """

    base_wei: int | None
    tip_wei: int
    price_wei: int

    def likely_wei(self, policy: Policy) -> int:
        """Return what a gas most likely costs now, wei."""
        return self.price_wei if self.base_wei is None else self.base_wei + max(self.tip_wei, policy.min_tip_wei)

    def opening(self, policy: Policy) -> Fees | None:
        """Fees of a first transaction.

        Parameters
        ----------
        policy : Policy
            Bounds.

        Returns
        -------
        Fees or None
            Room for the base fee to double; ``None`` when the cap does not cover what the chain asks for now.
        """
        if self.base_wei is None:
            price_wei = max(self.price_wei, policy.min_tip_wei)
            return Fees(price_wei, price_wei, is_legacy=True) if price_wei <= policy.max_fee_wei else None
        tip_wei = max(self.tip_wei, policy.min_tip_wei)
        if self.base_wei + policy.min_tip_wei > policy.max_fee_wei:
            return None
        max_wei = min(2 * self.base_wei + tip_wei, policy.max_fee_wei)
        return Fees(max_wei, min(tip_wei, max_wei))

    def covers(self, fees: Fees) -> bool:
        """Whether a block at this market could hold a transaction with ``fees``."""
        return self.base_wei is None or fees.max_wei >= self.base_wei


def raised(fee_wei: int, policy: Policy) -> int:
    """Return the lowest fee field that replaces ``fee_wei``, wei; above it also where it is 0."""
    return fee_wei + -(-fee_wei * policy.bump_bps // BPS) + 1


def replacement(last: Fees, market: Market, policy: Policy) -> Fees | None:
    """Fees that replace a pending transaction.

    Parameters
    ----------
    last : Fees
        Highest fees that any transaction of this nonce was signed with.
    market : Market
        What the chain asks for.
    policy : Policy
        Bounds.

    Returns
    -------
    Fees or None
        Both fields raised, and at the market where that is more; ``None`` when the cap does not allow it.
    """
    max_wei, tip_wei = raised(last.max_wei, policy), raised(last.tip_wei, policy)
    if max_wei > policy.max_fee_wei:
        return None
    opening = market.opening(policy)
    if opening is not None:
        max_wei, tip_wei = max(max_wei, opening.max_wei), max(tip_wei, opening.tip_wei)
    return Fees(max_wei, min(tip_wei, max_wei), last.is_legacy)
