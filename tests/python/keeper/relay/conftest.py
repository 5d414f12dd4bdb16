"""Two chains for the tests of the relayer, with nothing under way between them."""

from __future__ import annotations

import pytest
from helpers.two_chains import (
    CAP,
    WAD,
    Relay,
    two_chains,
)


@pytest.fixture(scope="module")
def chains():
    with two_chains() as pair:
        yield pair


@pytest.fixture
def pair(chains, tmp_path_factory):
    """Both chains with nothing under way: a chain that is set back forgets its states, so wallets are new each time."""
    chains.cap(int(CAP) * WAD)
    Relay(chains, tmp_path_factory.mktemp("settled")).settle()
    chains.clock.sec = 0.0
    yield chains
    found = chains.bridge()
    assert found["supply"] <= found["held"], found


@pytest.fixture
def relay(pair, tmp_path):
    return Relay(pair, tmp_path)
