"""What the pages show of a command is what the command prints.

A block marked ``console`` holds commands after ``$ `` and their output; a last line ``...`` leaves out the rest. What
needs a chain, or takes minutes, stands in an unmarked block, which nobody runs.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from plimsoll.chain import abi
from plimsoll.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
#: Pages whose Python is run, block after block in one interpreter.
TOLD_IN_PYTHON = [ROOT / "README.md", ROOT / "docs" / "start" / "python.md"]
#: Code, and what it prints: the next block before other code. A block that shows no output must print nothing.
CODE = re.compile(r"^```python\n(?P<code>.*?)^```$(?:(?:(?!^```).)*^```\n(?P<shown>.*?)^```$)?", re.M | re.S)
#: Between what two blocks print.
MARK = "\x1e"
#: A terminal of this width, as the pages were written with, and the package and command of this very checkout.
ENVIRONMENT = os.environ | {
    "COLUMNS": "100",
    "PYTHONPATH": str(ROOT / "offchain"),
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
}


def commands(page: str) -> list[tuple[str, list[str]]]:
    """Return each command of a page with the lines shown below it."""
    found: list[tuple[str, list[str]]] = []
    for block in BLOCK.findall(page):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def differences(shown: list[str], printed: list[str]) -> list[str]:
    """Return the lines of a page that are not what was printed; space at the end of a line does not count."""
    wanted, got = ([line.rstrip() for line in lines] for lines in (shown, printed))
    if wanted[-1:] == ["..."]:
        wanted = wanted[:-1]
        got = got[: len(wanted)]
    return [f"{a!r} is {b!r}" for a, b in zip(wanted, got, strict=False) if a != b] + (
        [] if len(wanted) == len(got) else [f"{len(wanted)} lines are {len(got)}"]
    )


SHOWN = [(page, *shown) for page in PAGES for shown in commands(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("page", "command", "shown"), SHOWN, ids=[f"{p.stem}-{c[:60]}" for p, c, _ in SHOWN])
def test_page__command__prints_what_is_shown(page, command, shown):
    run = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=120
    )
    assert differences(shown, run.stdout.splitlines()) == [], f"{page.name}: {command}\n{run.stderr}"


def code_of(page: str) -> list[tuple[str, list[str]]]:
    """Return each block of Python with the lines shown below it."""
    return [(found["code"], (found["shown"] or "").splitlines()) for found in CODE.finditer(page)]


@pytest.mark.parametrize("page", TOLD_IN_PYTHON, ids=lambda page: page.stem)
def test_page__python__prints_what_is_shown(page):
    blocks = code_of(page.read_text(encoding="utf-8"))
    script = f"print({MARK!r})\n".join(code for code, _ in blocks)
    shell = [sys.executable, "-c", script]
    run = subprocess.run(shell, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    # Not splitlines, which would break a line at the mark.
    for (code, shown), printed in zip(blocks, run.stdout.split(f"{MARK}\n"), strict=True):
        assert differences(shown, printed.split("\n")[:-1]) == [], f"{page.name}:\n{code}"


def test_differences__other_text_or_length__is_named():
    assert differences(["a", "b"], ["a ", "b"]) == []
    assert differences(["a", "..."], ["a", "b", "c"]) == []
    assert differences(["a", "b"], ["a", "c"]) == ["'b' is 'c'"]
    assert differences(["a"], ["a", "b"]) == ["1 lines are 2"]
    assert differences(["a", "b", "..."], ["a"]) == ["2 lines are 1"]


def test_commands__block_of_two__both_with_their_output():
    assert commands("text\n```console\n$ one\nx\n$ two\n```\n```\n$ three\n```\n") == [("one", ["x"]), ("two", [])]


def test_code_of__next_block_before_other_code__is_what_it_prints():
    shown, silent = "```python\na\n```\ntext\n```\n1\n```\n", "```python\nb\n```\n"
    page = f"{shown}{silent}```python\nc\n```\n```console\n$ d\n```\n```\n2\n```\n"
    assert code_of(page) == [("a\n", ["1"]), ("b\n", []), ("c\n", [])]


def test_readme__every_command__has_a_line():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.partition("\n## The command\n")[2].partition("```\n")[2].partition("```")[0]
    assert {line.split()[1] for line in block.splitlines()} == set(COMMANDS)


def test_python_page__every_example__has_a_row():
    page = (ROOT / "docs" / "start" / "python.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `examples/(\w+\.py)` \|", page, re.MULTILINE)
    assert sorted(rows) == sorted(path.name for path in (ROOT / "examples").glob("*.py"))


def test_doctor_page__shows_as_many_contracts_as_are_built():
    page = (ROOT / "docs" / "operate" / "doctor.md").read_text(encoding="utf-8")
    assert f" {sum(1 for _ in abi.ARTIFACTS.glob('*.json'))} built contracts\n" in page


def test_ways_in__readme_and_index__say_the_same():
    readme, index = ((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/index.md"))
    rows = re.findall(r"^\|.*\]\(docs/start/.*$", readme, re.MULTILINE)
    assert [row.replace("](docs/", "](") for row in rows] == re.findall(r"^\|.*\]\(start/.*$", index, re.MULTILINE)
    assert len(rows) == len(list((ROOT / "docs" / "start").glob("*.md")))
