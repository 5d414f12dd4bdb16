"""From an option chain to a round: clean, forwards, volatility slices, confidence."""
