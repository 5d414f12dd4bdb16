"""Shell completion of ``plimsoll``: commands, their subcommands and their options, with only one command imported."""

import os
import subprocess
import sys

import pytest

from plimsoll.cli import run


def complete(*words):
    """What bash would be offered after these words; the last one is still being typed."""
    typed = {"COMP_WORDS": "\n".join(("plimsoll", *words)), "COMP_CWORD": str(len(words))}
    code = "import sys; from plimsoll.cli import main; sys.argv = ['plimsoll']; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **typed, "_PLIMSOLL_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("mar",), {"margin", "market"}),
        (("margin", "--mar"), {"--market"}),
        (("account", ""), {"show"}),
        (("market", "fit", "--o"), {"--out"}),
        (("nothing", "--"), set()),
    ],
)
def test_completion__bash__offers_what_may_follow(words, offered):
    found = complete(*words)
    assert found == offered or (not offered and not found & {"--market", "--out"})


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion__show__prints_a_script_for_the_shell_it_runs_in(shell, capsys, monkeypatch):
    monkeypatch.setattr("shellingham.detect_shell", lambda: (shell, f"/bin/{shell}"))
    with pytest.raises(SystemExit) as stop:
        run(["--show-completion"])
    assert stop.value.code == 0
    assert "_PLIMSOLL_COMPLETE=complete_" + shell in capsys.readouterr().out


def test_completion__of_one_command__imports_no_other():
    code = (
        "import os, sys; os.environ.update(_PLIMSOLL_COMPLETE='complete_bash', COMP_WORDS='plimsoll\\nmargin\\n--',"
        " COMP_CWORD='2'); import plimsoll.cli as cli; cli.build_app(cli._asked_for(cli._words([])));"
        " print(*({m for m, _ in cli.COMMANDS.values()} & set(sys.modules)), *({'web3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["plimsoll.cli.margin"]
