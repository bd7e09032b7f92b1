"""The notebooks in `examples/` run as they are."""

import ast
import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
QUICKSTART = json.loads((ROOT / "examples" / "quickstart.ipynb").read_text("utf-8"))
CODE = [cell for cell in QUICKSTART["cells"] if cell["cell_type"] == "code"]


def execute(cells):
    """Run cells in one namespace; returns it, and what each cell would display."""
    names, shown = {"__name__": "__main__"}, []
    for cell in cells:
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, cell["id"], "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), cell["id"], "eval"), names)
            shown.append(value._repr_html_() if hasattr(value, "_repr_html_") else repr(value))
    return names, shown


def test_the_quickstart_is_committed_without_outputs():
    assert QUICKSTART["nbformat"] == 4
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in CODE)


@pytest.fixture
def project(workplace):
    """A folder with the configuration that the notebook names."""
    (workplace / "configs").mkdir()
    shutil.copy(ROOT / "configs" / "digits.yaml", workplace / "configs")
    return workplace


def test_the_quickstart_trains_explains_and_compares(project):
    names, shown = execute(CODE)
    accuracy = names["run"].metrics["val/accuracy"]
    assert accuracy > 0.7
    assert shown[0] == repr(names["run"])
    assert f"val/accuracy {accuracy:.4f}" in shown[0]
    assert (names["predictions"]["label"] == names["predictions"]["predicted"]).mean() > 0.5
    assert {"grad_cam", "filters"} <= set(names["figures"])
    assert any("McNemar" in text and "<img" in text for text in shown)
    assert names["again"].id == names["run"].id
