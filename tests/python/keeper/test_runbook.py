"""Every alert leads to a section that says what it means and what to do, and every procedure is there."""

import re
from pathlib import Path

import pytest

from plimsoll.keeper.alert_book import AlertKind
from plimsoll.keeper.config import page

DOCS = Path(__file__).resolve().parents[3] / "docs" / "operate"
RUNBOOK = (DOCS / "runbook.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))


def anchor(title):
    """As the builder of the site makes it."""
    return re.sub(r"[^\w\s-]", "", title).strip().lower().replace(" ", "-")


ANCHORS = {anchor(title): text for title, text in SECTIONS.items()}


@pytest.mark.parametrize("kind", list(AlertKind))
def test_runbook__each_alert__says_what_it_means_and_what_to_do(kind):
    text = ANCHORS[kind.value]
    assert re.search(r"\*\*What it means\.\*\* \S.{80,}", text, re.DOTALL)
    assert re.search(r"\*\*What to do\.\*\*", text)
    assert re.search(r"^1\. .+\n(.*\n)*?2\. ", text, re.MULTILINE)


@pytest.mark.parametrize(
    "title",
    ["Restart", "Restore the database", "Rotate a key", "Unstick a signer", "Switch over", "Move to PostgreSQL"],
)
def test_runbook__each_procedure__is_there(title):
    assert re.search(r"^1\. ", SECTIONS[title], re.MULTILINE)


def test_runbook__options_that_it_names__exist():
    listed = page()
    named = set(
        re.findall(r"`((?:health|alerts|standby|transact|chain|keeper|database|web|index|feed)\.\w+)`", RUNBOOK)
    )
    assert named
    for name in named:
        section, option = name.split(".")
        table = listed.split(f"## `[{section}]`")[1].split("\n## ")[0]
        assert f"| `{option}` |" in table, name


def test_page_of_options__is_what_the_options_say():
    assert (DOCS / "keeper-config.md").read_text(encoding="utf-8") == page()
