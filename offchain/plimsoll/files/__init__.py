"""Strict readers of the files a user writes: market, portfolio and parameters."""
