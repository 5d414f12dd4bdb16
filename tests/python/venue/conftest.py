"""One chain and one venue for the tests of a file, two traders with accounts."""

from __future__ import annotations

import time

import pytest
from helpers.local_chain import local_chain
from helpers.venue_runs import trader, venue, write_venue


@pytest.fixture(scope="module")
def chain():
    """A deployment whose clock is an hour behind the machine's: nobody's clock but the chain's may count."""
    with local_chain(int(time.time()) - 3_600) as running:
        yield running


@pytest.fixture(scope="module")
def running(chain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("venue")
    limits = ("orders_per_sec = 5000.0", "burst_orders = 5000", "requests_per_sec = 2000.0", "burst_requests = 5000")
    path = write_venue(folder, chain, "[transact]", "confirmations = 3", "[limits]", *limits)
    with venue(path) as process:
        yield process


@pytest.fixture(scope="module")
def anna(running, chain):
    return trader(running.url, chain, "anna")


@pytest.fixture(scope="module")
def ben(running, chain):
    return trader(running.url, chain, "ben")


@pytest.fixture(autouse=True)
def _clean(request):
    """Leave no order behind for the next test."""
    yield
    for name in ("anna", "ben"):
        if name in request.fixturenames:
            request.getfixturevalue(name).cancel_all()
