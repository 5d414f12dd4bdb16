"""The venue: where signed orders meet. It holds no money and no authority: signatures decide, the contracts check.

``book`` matches; ``journal`` keeps what was accepted before anybody is answered; ``gate`` checks; ``chain`` reads and
settles; ``service`` puts them together; ``api`` and ``stream`` answer. What is spoken is in ``plimsoll.client.schema``.
"""
