"""Accounts under named shocks, and the shock that breaks them."""
