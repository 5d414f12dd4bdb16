"""A keeper reduced to its lease: journals and "sends" as often as it may, and writes each send into a file.

It stops itself between the question whether it may send and the journal's transaction when FILE.freeze exists, and in
that transaction when FILE.hold does.
"""

import asyncio
import os
import signal
from pathlib import Path

from sqlalchemy import text

from plimsoll.errors import UnavailableError
from plimsoll.keeper.config.sections import StandbySection
from plimsoll.keeper.holder import myself
from plimsoll.keeper.lease import Lease, boot_clock
from plimsoll.keeper.lease_table import LeaseLostError, LeaseTable
from plimsoll.keeper.shutdown import Shutdown
from plimsoll.storage import open_database, writing

INSERT = text("INSERT INTO sends (token, name) VALUES (:token, :name)")


class Worker:
    """Asks, journals, sends."""

    def __init__(self, url, name, file, lease_sec, delay_sec, margin_sec):
        section = StandbySection(lease_sec=float(lease_sec), delay_sec=float(delay_sec), margin_sec=float(margin_sec))
        self.engine, self.name, self.freeze = open_database(url), name, Path(file + ".freeze")
        self.hold = Path(file + ".hold")
        self.lease = Lease(LeaseTable(open_database(url), "test"), myself(name), section)
        self.out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.shutdown = Shutdown(5.0)
        self.write("started", 0)

    def write(self, what, token):
        os.write(self.out, f"{what} {token} {self.name} {boot_clock():.4f}\n".encode())

    def journal(self, token):
        with writing(self.engine) as connection:
            self.lease.fence(connection)
            self.pause(self.hold, "held", token)
            connection.execute(INSERT, {"token": token, "name": self.name})

    def pause(self, file, what, token):
        if file.exists():
            file.unlink()
            self.write(what, token)
            os.kill(os.getpid(), signal.SIGSTOP)
            self.write("resumed", token)

    async def send(self):
        token = self.lease.token
        self.pause(self.freeze, "frozen", token)
        try:
            await asyncio.to_thread(self.journal, token)
        except LeaseLostError:
            self.write("refused", token)
        except UnavailableError:
            await asyncio.sleep(0.05)
        else:
            if self.lease.may_send():
                self.write("sent", token)

    async def work(self):
        while not await self.shutdown.wait(0.01):
            if self.lease.may_send():
                await self.send()

    async def run(self):
        self.shutdown.install()
        beside = asyncio.create_task(self.lease.run())
        await self.shutdown.run(self.work(), self.lease.release)
        beside.cancel()


def start(*arguments):
    """Run a worker until it is asked to stop: URL, NAME, FILE, LEASE_SEC, DELAY_SEC, MARGIN_SEC."""

    async def main():
        await Worker(*arguments).run()

    asyncio.run(main())
