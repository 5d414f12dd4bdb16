"""``plimsoll example``: files that every command takes, never over somebody's own."""

from __future__ import annotations

import json

from plimsoll.cli import run


def test_example__in_an_empty_folder__is_margined_and_reported(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["example"]) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[-1] == "next: plimsoll margin --market market.json --portfolio portfolio.json"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["market.json", "params.json", "portfolio.json"]
    book = ["--market", "market.json", "--portfolio", "portfolio.json"]
    assert run(["margin", *book, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)["initialMargin"]
    assert run(["margin", *book, "--params", "params.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["initialMargin"] > plain


def test_example__into_a_folder_of_its_own__makes_it(tmp_path, capsys):
    assert run(["example", str(tmp_path / "desk" / "one")]) == 0
    assert (tmp_path / "desk" / "one" / "market.json").is_file()


def test_example__over_a_file__is_refused_unless_forced(tmp_path, capsys):
    own = tmp_path / "params.json"
    own.write_text("mine", encoding="utf-8")
    assert run(["example", str(tmp_path)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"error: FOLDER: {own} is there already; --force replaces it\n"
    assert [p.name for p in tmp_path.iterdir()] == ["params.json"]
    assert run(["example", str(tmp_path), "--force"]) == 0
    assert json.loads(own.read_text(encoding="utf-8"))["schema"] == "plimsoll.params/1"


def test_example__where_a_file_is_in_the_way__is_one_line(tmp_path, capsys):
    (tmp_path / "desk").write_text("", encoding="utf-8")
    assert run(["example", str(tmp_path / "desk")]) == 2
    assert capsys.readouterr().err.startswith("error: FOLDER: ")
