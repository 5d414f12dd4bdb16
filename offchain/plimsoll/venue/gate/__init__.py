"""Acceptance: what an order must be before the book takes it; each refusal is one sentence."""
