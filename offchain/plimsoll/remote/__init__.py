"""Collateral that waits on another chain: headers, proofs, and the relayer that carries both."""
