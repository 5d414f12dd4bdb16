"""The notebooks run from the first cell to the last, print what they hold, and are light."""

import json

import pytest

from tools.generate import notebooks

PATHS = sorted(notebooks.NOTEBOOKS.glob("*.ipynb"))


def test_notebooks__are_three():
    assert [path.stem for path in PATHS] == ["a_crash", "a_hedge", "a_margin"]


def test_notebooks__run_and_print_what_they_hold(capsys):
    assert notebooks.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_notebooks__one_that_prints_something_else__is_named(tmp_path, monkeypatch, capsys):
    notebook = json.loads(PATHS[0].read_text(encoding="utf-8"))
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"][:1]
    notebook["cells"][0]["source"] = "print(1 + 1)"
    (tmp_path / "sum.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    assert notebooks.main(["--check"]) == 1
    assert capsys.readouterr().out.startswith("notebooks/sum.ipynb: prints something else than it holds")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_notebooks__are_light_and_hold_figures_and_text_alone(path):
    assert path.stat().st_size < notebooks.MAX_BYTES
    notebook = json.loads(path.read_text(encoding="utf-8"))
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert "application/vnd.plotly.v1+json" in kinds
    assert kinds <= {"application/vnd.plotly.v1+json", "text/plain"}
    assert all(output["output_type"] != "error" for output in outputs)
