"""One module for each venue: what its answers are called, and what they mean."""
