"""Deploy Plimsoll, record where, resume what was broken off, and verify what stands."""
