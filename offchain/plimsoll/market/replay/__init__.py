"""A recorded or synthetic market, round after round."""
