"""A real PostgreSQL server for the tests, started by them in a temporary folder and ended with them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

#: Newest first.
FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
START_SEC = 30
#: PostgreSQL refuses to run as root, so a test run as root lends it one of these users.
UNPRIVILEGED = ("postgres", "nobody")
_names = count(1)


def _binaries() -> Path:
    """Return the folder of ``initdb`` and ``postgres``; tests fail where there is none."""
    found = shutil.which("initdb")
    candidates = [Path(found).parent] if found else []
    for folder in [*candidates, *FOLDERS]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise RuntimeError("PostgreSQL is not installed: no initdb on the path or in /usr/lib/postgresql/*/bin")


def _user() -> str | None:
    """Return whom to run the server as; ``None`` for the user of the tests."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in UNPRIVILEGED if name in known)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A running server.

    Parameters
    ----------
    port : int
        Where it listens, on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, schema: str = "public") -> str:
        """Return the URL of its database, seen through one schema."""
        return f"postgresql+psycopg://plimsoll@127.0.0.1:{self.port}/postgres?options=-csearch_path%3D{schema}"

    def execute(self, statement: str) -> None:
        """Run one statement outside of a transaction."""
        with psycopg.connect(self.url().replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def new_database(self) -> str:
        """Return the URL of an empty schema: as good as a database of its own, and there at once."""
        name = f"test_{next(_names)}"
        self.execute(f"CREATE SCHEMA {name}")
        return self.url(name)


@contextmanager
def server() -> Iterator[Server]:
    """Keep a server for the length of a ``with`` block."""
    binaries, user, port = _binaries(), _user(), _free_port()
    prefix = [] if user is None else ["setpriv", "--reuid", user, "--regid", str(_group(user)), "--clear-groups", "--"]
    folder = Path(tempfile.mkdtemp(prefix="plimsoll-postgres-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        data, log = folder / "data", folder / "log"
        log.touch()
        init = [str(binaries / "initdb"), "-D", str(data), "-U", "plimsoll", "--auth=trust", "--no-sync", "-E", "UTF8"]
        made = subprocess.run([*prefix, *init], capture_output=True, text=True, check=False, cwd=folder)
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr.strip()}")
        options = [*("-D", str(data), "-p", str(port), "-k", str(folder), "-h", "127.0.0.1"), *("-c", "fsync=off")]
        with log.open("w") as out:
            process = subprocess.Popen(
                [*prefix, str(binaries / "postgres"), *options], stdout=out, stderr=out, cwd=folder
            )
        try:
            running = Server(port)
            _wait(running, process, log)
            yield running
        finally:
            # Its immediate shutdown: nobody needs the data any more, and the others wait for clients.
            process.send_signal(signal.SIGQUIT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


def _wait(running: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + START_SEC
    while time.monotonic() < deadline and process.poll() is None:
        try:
            running.execute("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-500:]}")
