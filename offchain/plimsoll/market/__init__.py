"""Market input: option-chain files, their cleaning, SVI fits, live fetch, synthetic market and replays."""
