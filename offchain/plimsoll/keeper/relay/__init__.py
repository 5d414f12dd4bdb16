"""Duty: what waits on another chain is carried here, and what was redeemed here is carried there."""
