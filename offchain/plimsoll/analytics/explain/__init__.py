"""What drives an account: where it is liquidated, what it earned and why, and what it is worth elsewhere."""
