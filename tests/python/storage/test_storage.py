"""Opening, migrating and writing databases of both kinds."""

import os
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Integer, LargeBinary, String, Table, inspect, select, text

import plimsoll.feeds.tables
import plimsoll.index.tables
import plimsoll.keeper.lease_table
import plimsoll.transact.tables
import plimsoll.venue.journal.tables
from plimsoll.errors import InputError, UnavailableError
from plimsoll.storage import METADATA, StorageError, Whole, insert_many, open_database, reading, upgrade, writing


@pytest.fixture
def engine(database):
    opened = open_database(database)
    yield opened
    opened.dispose()


@pytest.fixture
def table():
    found = Table(
        "test_rows", METADATA, Column("id", Integer, primary_key=True), Column("wei", Whole), Column("raw", LargeBinary)
    )
    yield found
    METADATA.remove(found)


def test_upgrade__twice__gives_the_tables_that_the_rooms_declare(engine):
    rooms = (
        plimsoll.feeds.tables,
        plimsoll.index.tables,
        plimsoll.keeper.lease_table,
        plimsoll.transact.tables,
        plimsoll.venue.journal.tables,
    )
    declared = [table for room in rooms for table in vars(room).values() if isinstance(table, Table)]
    assert {table.name for table in declared} == set(METADATA.tables)
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        mine = [change for change in compare_metadata(context, METADATA) if change[0] != "remove_table"]
    assert mine == []


def test_upgrade__two_at_once__take_turns(database):
    engines = [open_database(database) for _ in range(3)]
    problems = []

    def run(engine):
        try:
            upgrade(engine)
        except Exception as reason:
            problems.append(reason)

    threads = [threading.Thread(target=run, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert "index_events" in inspect(engines[0]).get_table_names()


def test_upgrade__database_of_a_later_edition__is_refused(engine):
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_later'"))
    with pytest.raises(InputError, match="is not of this edition"):
        upgrade(engine)


def test_writing__block_raises__keeps_nothing(engine, table):
    table.create(engine)

    def fail():
        with writing(engine) as connection:
            connection.execute(table.insert().values(id=1, wei=2**200))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with reading(engine) as connection:
        assert connection.execute(select(table)).all() == []


def test_whole__number_beyond_64_bits__comes_back(engine, table):
    table.create(engine)
    with writing(engine) as connection:
        connection.execute(table.insert(), [{"id": 1, "wei": -(2**200)}, {"id": 2, "wei": None}])
    with reading(engine) as connection:
        assert [row.wei for row in connection.execute(select(table).order_by(table.c.id))] == [-(2**200), None]


def test_insert_many__rows__are_there_and_a_clash_is_one_typed_error(engine):
    rows = Table(
        "bulk_rows", METADATA, Column("id", Integer, primary_key=True), Column("a", String), Column("b", LargeBinary)
    )
    try:
        rows.create(engine)
        with writing(engine) as connection:
            insert_many(connection, rows, ((n, "ü\t\\", bytes([0, 10, 255])) for n in range(3)))
        with reading(engine) as connection:
            assert connection.execute(select(rows)).all() == [(n, "ü\t\\", bytes([0, 10, 255])) for n in range(3)]
        with pytest.raises(StorageError, match="database"), writing(engine) as connection:
            insert_many(connection, rows, [(7, "x", b""), (1, "x", b"")])
        with reading(engine) as connection:
            assert len(connection.execute(select(rows)).all()) == 3
    finally:
        METADATA.remove(rows)


def test_open_database__sqlite__waits_for_the_disk_and_lets_readers_go_on(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with reading(engine) as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "is not a URL"),
        ("", "is not a URL"),
        ("mysql://u:secret@h/x", "mysql is not supported"),
        ("postgresql://u:secret@h:port/x", "is not a URL"),
    ],
)
def test_open_database__what_is_no_database__is_one_line_without_secret(url, message):
    with pytest.raises(InputError, match=message) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)


def test_open_database__server_away__is_one_line_without_secret():
    with pytest.raises(StorageError, match="database postgresql") as caught:
        open_database("postgresql://u:secret@127.0.0.1:1/x")
    assert "secret" not in str(caught.value)
    assert isinstance(caught.value, UnavailableError)


def test_open_database__folder_missing_or_file_damaged__is_one_line(tmp_path):
    with pytest.raises(StorageError, match="unable to open"):
        open_database(f"sqlite:///{tmp_path / 'no' / 'x.sqlite'}")
    (tmp_path / "bad.sqlite").write_bytes(os.urandom(8192))
    with pytest.raises(StorageError, match="not a database"):
        open_database(f"sqlite:///{tmp_path / 'bad.sqlite'}")
