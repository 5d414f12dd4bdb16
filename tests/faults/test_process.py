"""The keeper as a process: signals, a node that is away at the start or for long, an artefact that lies."""

from __future__ import annotations

import json
import signal
import threading
import time

import pytest
from helpers import rpc_proxy as faulty
from scene import deadline, until

#: The longest outage of the first keeper's table, and what a case with it may take.
AWAY_SEC, LONG_CASE_SEC = 52, 240


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_process__told_to_stop__ends_with_0(scene, number):
    """The first keeper had no handler for SIGTERM, and ended with 130 at SIGINT where its pages said 0."""
    keeper = scene.start(is_process=True)
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    keeper.process.send_signal(number)
    assert keeper.process.wait(30) == 0, keeper.text
    assert "Traceback" not in keeper.text
    scene.judge(f"{number.name}", "ended with code 0")


def test_node__away_at_the_start__is_one_line_and_code_3(scene):
    """The first keeper ended with a traceback."""
    scene.proxy.add(faulty.drop())
    path = scene.file()
    refused = scene.start(path, is_process=True, is_ready=False)
    assert refused.process.wait(60) == 3, refused.text
    assert "Traceback" not in refused.text
    lines = [line for line in refused.text.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, refused.text
    assert "0 of 1 answer" in lines[0]
    scene.proxy.clear()
    scene.start(path)
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    scene.judge("node away at the start", "one line and code 3; the next start attended")


def test_node__away_for_52_s_in_the_crash__is_outlived(scene):
    """The first keeper ended, although its pages said that it outlives that."""
    with deadline(LONG_CASE_SEC):
        keeper = scene.start(is_process=True)
        scene.proxy.add(faulty.drop())
        scene.crash()
        threading.Timer(AWAY_SEC, scene.proxy.clear).start()
        time.sleep(AWAY_SEC)
        assert keeper.is_running, keeper.text
        scene.wait_attended(40)
        scene.quiet()
        scene.judge("node away for 52 s", "outlived, then attended", outage_sec=AWAY_SEC)


@pytest.mark.parametrize("what", ["tokens", "underlyings"])
def test_artefact__two_ids_swapped__is_refused_before_anything_is_sent(scene, what):
    """The first keeper accepted it, and would have priced one for the other."""
    path = scene.file()
    file = scene.folder / "deployment.json"
    whole = file.read_text(encoding="utf-8")
    document = json.loads(whole)
    first, second = list(document[what])[:2]
    if what == "tokens":
        one, other = document[what][first], document[what][second]
        key = next(name for name in one if one[name] != other[name] and "id" in name.lower())
        one[key], other[key] = other[key], one[key]
    else:
        document[what][first], document[what][second] = document[what][second], document[what][first]
    file.write_text(json.dumps(document), encoding="utf-8")
    refused = scene.start(path, is_process=True, is_ready=False)
    until(lambda: not refused.is_running, refused.log.read_text, 60)
    assert refused.process.returncode == 2, refused.text
    assert "Traceback" not in refused.text
    assert not scene.sent()
    file.write_text(whole, encoding="utf-8")
    scene.start(path)
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    scene.judge(f"artefact with two ids of {what} swapped", "refused with code 2")
