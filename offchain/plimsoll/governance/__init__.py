"""What a change of parameters does to accounts, and the proposal that makes it."""
