"""What a command imports: no more than it uses."""

import subprocess
import sys

import pytest

from lightning_app.commands.explain.options import DRAWABLE, drawable
from lightning_app.main import main

HELP = """
import sys
from lightning_app.main import main
for command in ("explain", "report", "compare", "ui", "predict"):
    try:
        main([command, "--help"])
    except SystemExit as end:
        assert end.code == 0, command
print(sorted({"torch", "lightning", "mlflow", "pandas", "matplotlib", "timm"} & sys.modules.keys()))
"""


def test_help_of_a_command_imports_neither_torch_nor_lightning_nor_mlflow():
    shown = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    *text, imported = shown.stdout.splitlines()
    assert imported == "[]"
    assert sum(line.startswith("usage: lightning_cli") for line in text) == 5


def test_help_of_explain_names_the_pictures_that_it_can_draw():
    assert list(drawable()) == list(DRAWABLE)


def test_help_of_a_picture_lists_its_settings(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["explain", "--pictures.saliency.help"])
    assert "--pictures.saliency.num_images" in capsys.readouterr().out
