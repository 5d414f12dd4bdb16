"""A PostgreSQL server of a test run's own, from the packages of the system: started, stopped, killed, started again."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
#: The server refuses to run as root.
PERSON = "postgres"


def is_installed():
    return bool(BINARIES)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    """One server in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"postgresql+psycopg://{PERSON}@127.0.0.1:{self.port}/postgres"
        if os.getuid() == 0:
            shutil.chown(folder, PERSON)
        self._run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", PERSON, "-E", "UTF8", "--no-sync")

    def _run(self, program, *arguments):
        person = ["setpriv", f"--reuid={PERSON}", f"--regid={PERSON}", "--clear-groups"] if os.getuid() == 0 else []
        command = [*person, str(BINARIES[-1] / program), *arguments]
        subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", "-o", options, "start")

    def stop(self, mode="immediate"):
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", mode, "stop")

    def read_only(self, is_so):
        """Let transactions of everybody be read-only, or no longer."""
        address = self.url.replace("+psycopg", "") + "?options=-c%20default_transaction_read_only%3Doff"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {'on' if is_so else 'off'}")
            connection.execute("SELECT pg_reload_conf()")


@contextmanager
def running() -> Iterator[Postgres]:
    """Keep a server for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="plimsoll-pg-") as name:
        server = Postgres(Path(name))
        server.start()
        try:
            yield server
        finally:
            if (server.folder / "data" / "postmaster.pid").exists():
                server.stop()
