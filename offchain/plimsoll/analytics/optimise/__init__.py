"""What an account could trade: less margin, a hedge, less tail risk; every result is re-checked by the mirror."""
