"""Option chains of venues, one module a venue, into one shape."""
