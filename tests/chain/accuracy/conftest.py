from __future__ import annotations

import mpmath as mp
import pytest


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


@pytest.fixture(scope="module")
def probe(accounts, MathProbe, isolate_module):
    """Array functions over every fixed-point library."""
    return accounts[0].deploy(MathProbe)
