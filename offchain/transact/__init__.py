"""Stage four: intents become transactions that are simulated, journalled, sent, replaced and confirmed."""

from offchain.transact.journal import Entry, Journal, Status
from offchain.transact.sender import Outcome, Policy, Transaction, Transactor

__all__ = ["Entry", "Journal", "Outcome", "Policy", "Status", "Transaction", "Transactor"]
