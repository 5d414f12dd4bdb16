"""A database that is full, read-only, restarted, or broken."""

from __future__ import annotations

import resource
import time

import pytest
from scene import until


def test_postgres__restarted_in_the_crash__keeper_goes_on(scene, postgres_server):
    url = scene.fresh(postgres_server)
    scene.start(scene.file(url=url))
    postgres_server.stop()
    try:
        scene.crash()
        time.sleep(3)
    finally:
        postgres_server.start()
    outage_sec = time.monotonic() - scene.crashed_at
    scene.wait_attended(60)
    scene.quiet()
    scene.judge("PostgreSQL restarted", "attended", url=url, outage_sec=outage_sec, bound_sec=25)


def test_postgres__read_only_for_a_while__nothing_is_sent_unwritten(scene, postgres_server):
    url = scene.fresh(postgres_server)
    scene.start(scene.file(url=url))
    postgres_server.read_only(True)
    try:
        scene.crash()
        time.sleep(3)
        assert not scene.sent()
    finally:
        postgres_server.read_only(False)
    outage_sec = time.monotonic() - scene.crashed_at
    scene.wait_attended(60)
    scene.quiet()
    scene.judge("PostgreSQL read-only for 3 s", "nothing sent unwritten, then attended", url=url, outage_sec=outage_sec,
                bound_sec=25)  # fmt: skip


def test_sqlite__disk_full_for_a_while__nothing_is_sent_unwritten(scene):
    keeper = scene.start(is_process=True)
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(keeper.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    scene.crash()
    time.sleep(3)
    assert not scene.sent()
    assert keeper.is_running, keeper.text
    resource.prlimit(keeper.process.pid, resource.RLIMIT_FSIZE, unlimited)
    outage_sec = time.monotonic() - scene.crashed_at
    scene.wait_attended(60)
    scene.quiet()
    scene.judge("disk full for 3 s", "nothing sent unwritten, then attended", outage_sec=outage_sec, bound_sec=25)


@pytest.mark.parametrize("is_whole", [True, False], ids=["garbage", "pages"])
def test_sqlite__corrupted__is_one_error_and_a_new_file_sends_nothing_twice(scene, is_whole):
    path = scene.file()
    keeper = scene.start(path)
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    keeper.end()
    file = scene.folder / "keeper.sqlite"
    for extra in scene.folder.glob("keeper.sqlite-*"):
        extra.unlink()
    content = bytearray(file.read_bytes())
    first = 0 if is_whole else 4_096
    content[first:] = b"\x5a" * (len(content) - first)
    file.write_bytes(content)
    broken = scene.start(path, is_process=True, is_ready=False)
    until(lambda: not broken.is_running, broken.log.read_text, 60)
    assert broken.process.returncode in (2, 3), broken.text
    assert "Traceback" not in broken.text
    assert "keeper.sqlite" in broken.text
    file.unlink()
    scene.start(path)
    scene.quiet(2)
    name = "whole file" if is_whole else "pages"
    scene.judge(f"SQLite file corrupted, {name}", "one error; a new file sent nothing twice")
