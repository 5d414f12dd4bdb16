"""Bounds of one signer: fees, gas, replacements, budgets, finality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from plimsoll.errors import InputError

#: What one transaction may use at all where EIP-7825 holds.
TRANSACTION_GAS_CAP: Final = 16_777_216
BPS: Final = 10_000
#: Below this raise of both fee fields nodes refuse a replacement.
LEAST_BUMP_BPS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Policy:
    """Bounds of the transactor of one signer.

    Parameters
    ----------
    max_fee_wei : int
        Never bid more per gas.
    min_tip_wei : int
        Never offer less to the block producer per gas.
    max_gas : int
        Never ask for more gas in one transaction.
    gas_margin_bps : int
        Gas limit over the estimate, in 1/10,000.
    bump_bps : int
        Raise of both fee fields at a replacement, in 1/10,000, at least 1,000.
    bump_after_blocks : int
        Blocks that pass it by before a pending transaction is replaced.
    max_replacements : int
        Replacements of one nonce, newer intents of a group included.
    confirmations : int or None
        Blocks, the mining one included, after which a transaction is final; ``None`` asks the chain (``finalized``).
    watch_blocks : int
        Depth down to which final transactions are still watched for a reorganisation.
    lost_blocks : int
        Depth at which a nonce must be used before its intent can count as lost.
    lost_sec : float
        How long, besides, no endpoint may show a receipt.
    failure_budget : int
        Reverts of one intent when mined, within the window, before it is left alone.
    account_failure_budget : int
        The same for all intents of an account together.
    failure_window_sec : int
        The window, seconds of chain time.
    simulation_budget : int
        Simulations of one intent that failed, within the pause, before it is left alone.
    simulation_pause_sec : int
        The pause, seconds of chain time: a failed simulation costs nothing, so it is short.
    daily_spend_wei : int or None
        What may be spent per day of chain time (UTC), worst case of pending ones included; ``None`` for no cap.
    max_head_age_sec : int or None
        Refuse to begin anything on an older head; ``None`` on chains that may be quiet, where agreement of the
        endpoints is the judge.
    max_clock_skew_sec : int
        Report a fresh block that is further from the own clock.
    relay_blocks : int or None
        Blocks after which a private transaction goes to the public endpoints as well; ``None`` for never.
    send_timeout_sec : float
        Wait for an endpoint to take a transaction.
    advance_timeout_sec : float
        Length of one advance.
    """

    max_fee_wei: int = 500_000_000_000
    min_tip_wei: int = 0
    max_gas: int = TRANSACTION_GAS_CAP
    gas_margin_bps: int = 12_000
    bump_bps: int = 1_250
    bump_after_blocks: int = 3
    max_replacements: int = 10
    confirmations: int | None = None
    watch_blocks: int = 256
    lost_blocks: int = 3
    lost_sec: float = 60.0
    failure_budget: int = 5
    account_failure_budget: int = 10
    failure_window_sec: int = 3_600
    simulation_budget: int = 5
    simulation_pause_sec: int = 30
    daily_spend_wei: int | None = None
    max_head_age_sec: int | None = None
    max_clock_skew_sec: int = 30
    relay_blocks: int | None = None
    send_timeout_sec: float = 5.0
    advance_timeout_sec: float = 20.0

    def __post_init__(self) -> None:
        """Refuse bounds that cannot be kept."""
        least = {
            "max_fee_wei": 1,
            "max_gas": 21_000,
            "gas_margin_bps": BPS,
            "bump_bps": LEAST_BUMP_BPS,
            "bump_after_blocks": 1,
            "watch_blocks": 1,
            "lost_blocks": 1,
            "failure_budget": 1,
            "account_failure_budget": 1,
            "simulation_budget": 1,
        }
        for name, low in least.items():
            if getattr(self, name) < low:
                raise InputError(name, f"is {getattr(self, name)}, must be at least {low}")
        if self.confirmations is not None and self.confirmations < 1:
            raise InputError("confirmations", f"is {self.confirmations}, must be at least 1")
        if self.max_replacements < 0 or self.min_tip_wei < 0:
            raise InputError("max_replacements, min_tip_wei", "must not be negative")

    def gas_limit(self, estimate: int) -> int:
        """Return the limit for an estimate that fits, gas."""
        return min(estimate * self.gas_margin_bps // BPS, self.max_gas)
