"""A feed that says nothing: a keeper with it settles and liquidates on the rounds of others."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from plimsoll.demo.keeper.feed import TokenQuote
from plimsoll.model import Round


class NoFeed:
    """Posts nothing."""

    def rounds(self, required: Mapping[str, Collection[int]]) -> Mapping[str, Round]:
        """Return nothing."""
        return {}

    def tokens(self) -> TokenQuote | None:
        """Return nothing."""
        return None

    def settlement_samples(self, underlying: str, expiry_ts: int) -> tuple[tuple[int, float], ...]:
        """Return nothing."""
        return ()
