"""One compiler with one set of settings, wherever it is written down: Brownie, Foundry, npm, the set-up, the doctor."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from plimsoll.doctor.installed import SOLC
from tools.setup.compiler import VERSION

ROOT = Path(__file__).resolve().parents[3]
BROWNIE = (ROOT / "brownie-config.yaml").read_text(encoding="utf-8")
FOUNDRY = tomllib.loads((ROOT / "foundry.toml").read_text(encoding="utf-8"))["profile"]["default"]


def brownie(key):
    """Value of the one line of brownie-config.yaml that sets a key."""
    (found,) = re.findall(rf"^\s+{key}: *([^\s#]+)", BROWNIE, re.MULTILINE)
    return found


@pytest.mark.parametrize(
    ("key", "there", "kind"),
    [
        ("version", "solc", str),
        ("evm_version", "evm_version", str),
        ("viaIR", "via_ir", lambda text: text == "true"),
        ("enabled", "optimizer", lambda text: text == "true"),
        ("runs", "optimizer_runs", int),
        ("contracts", "src", str),
    ],
)
def test_foundry__setting__is_brownies(key, there, kind):
    assert FOUNDRY[there] == kind(brownie(key))


def test_foundry__remappings__are_brownies_and_lead_somewhere():
    listed = re.findall(r'^\s+- "([^"]+)"', BROWNIE, re.MULTILINE)
    assert sorted(FOUNDRY["remappings"]) == sorted(listed)
    for remapping in listed:
        name, folder = remapping.split("=")
        assert folder == f"node_modules/{name}"
    assert FOUNDRY["libs"] == ["node_modules"]


def test_compiler__version__is_the_same_everywhere():
    npm = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]["solc"]
    assert {FOUNDRY["solc"], brownie("version"), npm, SOLC} == {VERSION}


def test_foundry__output__stays_in_the_folder_that_git_ignores():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert "build/" in ignored
    assert all(FOUNDRY[key].startswith("build/") for key in ("out", "cache_path"))
