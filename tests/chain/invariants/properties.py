"""The rules of the protocol as sentences; the ID and the sentence are the message of a failed check."""

from __future__ import annotations

from typing import Any

PROPERTIES = {
    "I-01": "stored cash over all accounts is the vault's cash to the wei, and so is every collateral token",
    "I-02": "nobody ends an own action below the initial requirement, except by lowering the own risk",
    "I-03": "the initial requirement is never below maintenance",
    "I-04": "the quantities of one instrument over all accounts sum to zero",
    "I-05": "clearing cash mirrors entries, profit, losses and funding, within the wei that rounding leaves it",
    "I-06": "the total that losses are spread over is the positive cash, rounded up by a wei an account and loss",
    "I-07": "a liquidation never lowers equity minus maintenance of the liquidated account",
    "I-08": "a stale round stops what needs a price: no deposit of cash, and no withdrawal of an account without debt",
    "I-09": "replaying all events rebuilds the ledger, the auctions and the loss index",
    "I-10": "a valid action succeeds; one that is not ends with the error that names why",
    "I-11": "fees reach the insurance fund to the wei: of every leg, both sides, each rounded up",
    "I-12": "cash counts unsettled funding: touching an account books what its snapshot said",
    "I-13": "the total of debts is the negative cash, short of it by what rounding adds to debts",
    "I-14": "a liquidation does what its preview said, to the wei",
    "I-15": "the largest withdrawal of the preview passes, one unit more does not",
    "I-16": "an operator does what its roles say and nothing else, and tokens go to the owner alone",
    "I-17": "an intent ends as it was signed, at most at its cost, once",
    "I-18": (
        "the ratio of a token moves by what both observations of a pair agree on, by no more than its bound, "
        "and no rate alone moves a margin by the book"
    ),
    "I-19": "open interest of a series is the sum of its long quantities: it falls by closes, slices and settlements",
    "I-20": (
        "a strategy vault holds what it owes for requests and claims, and neither an entry nor an exit lowers what a "
        "share is worth"
    ),
    "I-21": "a source that fails makes its token count nothing, and changes nothing for who holds none of it",
    "I-22": (
        "what guarantee lines count is at most the cash in accounts of their own, each for one beneficiary, and the "
        "events rebuild it"
    ),
}


def check(holds: bool, key: str, **seen: Any) -> None:
    """Fail with the property's ID and sentence."""
    assert holds, f"{key}: {PROPERTIES[key]}; seen {seen}"
