"""The rules of the machine, by who acts; importing them registers them."""

from tests.chain.audit.rules import (
    attackers,
    governors,
    guarantees,
    intents,
    keepers,
    liquidators,
    operators,
    rates,
    sources,
    strategies,
    users,
)
from tests.chain.audit.rules.registry import RULES

__all__ = [
    "RULES",
    "attackers",
    "governors",
    "guarantees",
    "intents",
    "keepers",
    "liquidators",
    "operators",
    "rates",
    "sources",
    "strategies",
    "users",
]
