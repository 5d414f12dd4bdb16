"""Stage four: intents become transactions that are simulated, journalled, sent, replaced and confirmed."""

from plimsoll.transact.journal import Entry, Journal, Status
from plimsoll.transact.sender import Outcome, Policy, Transaction, Transactor

__all__ = ["Entry", "Journal", "Outcome", "Policy", "Status", "Transaction", "Transactor"]
