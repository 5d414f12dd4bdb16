"""The wheel is all that a user needs: no compiler, no Node, no checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
#: Revert data of the vault, as a node returns it.
REVERT = """
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from plimsoll.chain.revert import decode_revert
data = keccak(text="Vault__CapExceeded(uint256,uint256)")[:4] + encode(["uint256", "uint256"], [7, 5])
print(decode_revert("Vault.deposit", "0x" + data.hex()))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy of what is in the repository, without the network."""
    work = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "offchain", work / "offchain", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, work / name)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "out", "."]
    subprocess.run(command, cwd=work, check=True, capture_output=True)
    (found,) = (work / "out").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """What the wheel puts into an environment."""
    place = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


def run(installed, *command):
    """Run Python with the wheel's package, with no other program on the path, far from the checkout."""
    environment = {"PYTHONPATH": str(installed), "PATH": "", "HOME": str(installed), "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, *command], cwd=installed, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wheel__contracts__are_those_of_the_repository_and_no_mocks(wheel):
    folder = "plimsoll/chain/artifacts/"
    with zipfile.ZipFile(wheel) as archive:
        inside = {Path(n).name: archive.read(n) for n in archive.namelist() if n.startswith(folder)}
    here = {p.name: p.read_bytes() for p in (ROOT / "offchain" / folder).glob("*.json")}
    assert inside == here
    assert {"Vault.json", "MarginEngine.json", "LocalToken.json"} <= set(inside)
    mocks = {path.stem for path in (ROOT / "contracts" / "mocks").rglob("*.sol")}
    assert mocks
    assert not mocks & {Path(name).stem for name in inside}


def test_wheel__package__is_the_one_of_the_wheel(installed):
    assert run(installed, "-c", "import plimsoll; print(plimsoll.__file__)").startswith(os.path.realpath(installed))


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("margin", "--engine", "float"), "excess over maintenance"),
        (("compare",), "plimsoll single"),
    ],
)
def test_wheel__commands_on_files__answer(installed, arguments, shown):
    files = ("--market", str(EXAMPLES / "market.json"), "--portfolio", str(EXAMPLES / "portfolio.json"))
    assert shown in run(installed, "-m", "plimsoll", *arguments, *files)


def test_wheel__examples__are_in_it(installed):
    assert "portfolio.json" in run(installed, "-m", "plimsoll", "example", "desk")
    for name in ("market", "portfolio", "params"):
        assert (installed / "desk" / f"{name}.json").read_bytes() == (EXAMPLES / f"{name}.json").read_bytes()


def test_wheel__deploy__explains_itself(installed):
    assert "Deploy and configure the contracts" in run(installed, "-m", "plimsoll", "deploy", "--help")


def test_wheel__revert__is_named(installed):
    assert run(installed, "-c", REVERT) == "Vault.deposit: reverted with Vault__CapExceeded(7, 5)\n"
