"""Plimsoll: on-chain portfolio margin, off-chain tooling."""
