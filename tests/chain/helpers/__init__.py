"""Helpers of the chain tests."""
