"""What the market says, whether it may be signed, who signs it, and when it is posted."""
