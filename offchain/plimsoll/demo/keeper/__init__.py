"""The demo's own keeper: one process and one step at a time, on a clock that the demo moves.

It lives through weeks of a market in a minute, so it waits for each transaction instead of following heads. State,
mirror, decisions and calls are those of the keeper that runs (``plimsoll.keeper``).
"""
