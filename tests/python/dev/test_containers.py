"""Container files: what they name is there, what they pin is what the repository pins, and no key can get in."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
STEPS = [line for line in TEXT.splitlines() if line and not line.startswith("#")]
STAGES = re.findall(r"^FROM \S+ AS (\w+)", TEXT, re.MULTILINE)
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def in_context(path):
    """Whether a file of the checkout is sent to the builder: the last pattern that matches decides."""
    sent = True
    for pattern in (line for line in IGNORE if line and not line.startswith("#")):
        wanted = pattern.removeprefix("!").removeprefix("**/")
        parts = [path, *map(str, Path(path).parents)]
        names = [Path(part).name for part in parts] if "**/" in pattern else parts
        if any(fnmatch(name, wanted) for name in names if name != "."):
            sent = pattern.startswith("!")
    return sent


def sources():
    for step in STEPS:
        if step.startswith("COPY ") and "--from" not in step:
            yield from step.split()[1:-1]


def test_containerfile__copied_files__exist_and_are_sent():
    copied = list(sources())
    assert copied
    for path in copied:
        assert (ROOT / path).exists(), path
        assert in_context(path), path


def test_containerfile__stages__are_named_before_they_are_used():
    for step in STEPS:
        for stage in re.findall(r"--from=(\S+)", step):
            assert stage in STAGES
            assert TEXT.index(f" AS {stage}") < TEXT.index(step)


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".venv/bin/python",
        "node_modules/solc/index.js",
        ".git/config",
        "build/plimsoll/development.json",
        "key.json",
    ],
)
def test_dockerignore__environments_and_keys__are_not_sent(path):
    assert not in_context(path)


def test_dockerignore__built_contracts__are_sent():
    assert in_context("offchain/plimsoll/chain/artifacts/Vault.json")
    assert not in_context("offchain/plimsoll/cli/__pycache__/demo.cpython-311.pyc")


def test_containerfile__versions__are_those_of_the_repository():
    anvil = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["optionalDependencies"]
    assert re.findall(r"ANVIL_VERSION=(\S+)", TEXT) == list(anvil.values())
    assert set(re.findall(r"^FROM python:([\d.]+)", TEXT, re.MULTILINE)) == {"3.11"}


def test_containerfile__default__prints_the_help_as_nobody_in_particular():
    assert STEPS[-1] == 'CMD ["--help"]'
    assert STEPS[-2] == 'ENTRYPOINT ["plimsoll"]'
    last = STEPS[max(n for n, step in enumerate(STEPS) if step.startswith("FROM")) :]
    assert "USER plimsoll" in last


def test_devcontainer__build__names_a_stage_and_a_command_of_the_makefile():
    there = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    build = there["build"]
    assert (ROOT / ".devcontainer" / build["dockerfile"]).resolve() == ROOT / "Containerfile"
    assert build["target"] in STAGES
    target = there["postCreateCommand"].removeprefix("make ")
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
