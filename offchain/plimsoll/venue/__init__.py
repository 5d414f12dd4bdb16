"""The venue: where signed orders meet. It holds no money and no authority: signatures decide, the contracts check.

``schema`` says what is spoken; ``book`` matches; ``journal`` keeps what was accepted; ``desk`` puts them together;
``chain`` reads and settles; ``api`` answers; ``client`` asks.
"""
