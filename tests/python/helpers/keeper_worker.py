"""A keeper whose loop does nothing but count: everything around it is real.

python keeper_worker.py FILE [block|hang|fail]
"""

import asyncio
import sys
import threading
import time
from pathlib import Path

from plimsoll.keeper.config import load_config
from plimsoll.keeper.operations import Operations


async def main(file, behave):
    operations = Operations(load_config(Path(file)), "test", ("prices",))
    operations.has_keys = True

    async def work():
        block = 0
        while not await operations.shutdown.wait(0.05):
            block += 1
            operations.progress.head_seen(block)
            operations.progress.index_at(block)
            operations.progress.duty_done("prices")
            operations.metrics.events.inc()
            if behave == "fail":
                raise RuntimeError("a defect of the loop")
            if behave == "block" and block == 20:
                time.sleep(60)
            if behave == "hang" and block == 20:
                await asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)

    await operations.run(work)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
