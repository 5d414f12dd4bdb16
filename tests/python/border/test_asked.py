"""Whom a contract of an installation asks, by what its constructor was given."""

from __future__ import annotations

import pytest
from eth_account import Account

from plimsoll.chain.abi import constructor_values
from plimsoll.deployment.asked import asked_by

NAMES = (
    *("Accounts", "Oracle", "ScenarioBook", "RiskEngine", "RateFeed", "SourceBook", "Guarantees", "MarginEngine"),
    *("PriorBook", "PriorRiskEngine", "PriorMarginEngine", "DraftBook", "DraftMarginEngine", "NormalTable"),
)
ADDRESS = {name: Account.from_key(n.to_bytes(32, "big")).address for n, name in enumerate(NAMES, 1)}
NOBODY = "0x" + "00" * 20


def asked(name, artifact, *values):
    """Parameters and names that belong there; what was given comes back as it was."""
    rows = list(asked_by(name, constructor_values(artifact, *values), NAMES))
    assert all(address in values for _, address, _ in rows)
    return {key: wanted for key, _, wanted in rows}


@pytest.mark.parametrize("which", ["", "Prior"])
def test_asked_by__engine__asks_the_book_of_its_own_kind(which):
    values = [ADDRESS[name] for name in NAMES[:7]]
    assert asked(f"{which}MarginEngine", "MarginEngine", *values) == {
        **{"accounts": "Accounts", "oracle": "Oracle", "rates": "RateFeed", "sources": "SourceBook"},
        **{"book": f"{which}Book" if which else "ScenarioBook", "risk": f"{which}RiskEngine"},
        "guarantees": "Guarantees",
    }


def test_asked_by__preview_of_parameters__asks_both_engines():
    values = [ADDRESS[name] for name in ("Accounts", "MarginEngine", "DraftBook", "DraftMarginEngine")]
    assert asked("ParameterPreview", "ParameterPreview", *values) == {
        **{"accounts": "Accounts", "live": "MarginEngine"},
        **{"draftBook": "DraftBook", "draft": "DraftMarginEngine"},
    }


def test_asked_by__strategy_vault__names_the_fields_of_its_struct():
    parts = {
        **{"authority": ADDRESS["RateFeed"], "accounts": ADDRESS["Accounts"], "vault": ADDRESS["SourceBook"]},
        **{"marginEngine": ADDRESS["MarginEngine"], "oracle": ADDRESS["Oracle"], "delegation": ADDRESS["DraftBook"]},
        "closer": ADDRESS["PriorBook"],
    }
    mandate = (0, 0, 0, 0, 0, 0, 0, 0, NOBODY)
    constructor = constructor_values("StrategyVault", "name", "SYMBOL", parts, mandate, [])
    rows = {key: (address, wanted) for key, address, wanted in asked_by("StrategyVault", constructor, NAMES)}
    assert rows.pop("closer") == (ADDRESS["PriorBook"], "StrategyCloser")
    assert {key: wanted for key, (_, wanted) in rows.items()} == {
        **{"accounts": "Accounts", "vault": "Vault", "marginEngine": "MarginEngine"},
        **{"oracle": "Oracle", "delegation": "Delegation"},
    }


@pytest.mark.parametrize(
    ("name", "values"), [("PasskeyFactory", ()), ("Authority", (NOBODY,)), ("HeaderFeed", (NOBODY, 5))]
)
def test_asked_by__contract_that_asks_none__is_empty(name, values):
    assert list(asked_by(name, constructor_values(name, *values), NAMES)) == []
