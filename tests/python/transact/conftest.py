"""A database of either kind, empty, for what keeps a journal."""

import pytest
from helpers.postgres import server


@pytest.fixture(scope="module")
def postgres():
    with server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'keeper.sqlite'}"
    return request.getfixturevalue("postgres").new_database()
