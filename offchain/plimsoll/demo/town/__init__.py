"""A market to live in: a local chain whose prices move, a keeper, the venue, and makers who quote at it."""
