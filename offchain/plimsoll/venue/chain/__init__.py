"""The chain as the venue needs it: digests, reads, the events of the exchange, settlement."""
