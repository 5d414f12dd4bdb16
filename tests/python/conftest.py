"""Shared by the tests without a chain: makes ``oracle`` and ``helpers`` importable, and says which cases are drawn.

The cases are the same in every run, so that a change is judged by itself; ``PLIMSOLL_SEED=random make test-python``
draws others. What it finds becomes an example of its test.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

# Timing is not what these tests are about, and a shared machine makes deadlines flaky.
settings.register_profile(
    "plain",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("PLIMSOLL_SEED") != "random",
)
settings.load_profile("plain")


@pytest.fixture(scope="session")
def postgres():
    """A real PostgreSQL server; ``new_database`` gives each test one of its own."""
    from helpers.postgres import server

    with server() as running:
        yield running
