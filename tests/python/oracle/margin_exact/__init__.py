"""The risk model in 50-digit arithmetic, read straight from the JSON documents.

Written from the text of the model, one function per formula, without the package: two implementations
that agree are evidence, one that is compared with itself is not. Every number of a document is the double
that it denotes, so that no difference comes from reading.

``margin`` gives every number of the margin document; the modules follow the sections of the page:
``parameters`` (defaults), ``rounds`` (1), ``instruments`` (2), ``scenarios`` (3), ``requirement`` (4) and
``account`` (5 to 7).
"""

from oracle.margin_exact.account import margin

__all__ = ["margin"]
