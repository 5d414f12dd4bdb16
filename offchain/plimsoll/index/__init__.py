"""Stage one: every event of the contracts, decoded, stored and folded into the current state."""
