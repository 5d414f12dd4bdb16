"""An empty database of each kind."""

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a%20b.sqlite'}"
    return request.getfixturevalue("postgres").new_database()
