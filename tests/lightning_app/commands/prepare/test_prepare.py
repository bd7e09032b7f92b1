import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from lightning_app.main import main


@pytest.fixture
def folder(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for index in range(8):
            picture = np.full((6, 6, 3), 20 * index, np.uint8)
            Image.fromarray(picture).save(tmp_path / "images" / name / f"{index}.png")
    return tmp_path / "images"


@pytest.fixture
def in_a_new_process(folder, tmp_path):
    """The output of two commands in a fresh interpreter, and whether they imported torch."""
    code = f"""
import sys
from lightning_app.main import main
import lightning_app.commands.prepare.check.check
main(["prepare", "--help"])
print("---")
main(["prepare", "split", {str(folder)!r}, "--out", {str(tmp_path / "csv")!r}])
print("---")
print("torch" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.split("---\n")


def test_help_split_and_check_need_no_torch(in_a_new_process):
    shown, counts, torch = in_a_new_process
    assert torch == "False\n"
    assert counts.split()[:4] == ["class", "train", "val", "test"]
    assert "lightning_cli prepare check" in shown


def test_help_fits_on_one_screen(capsys):
    main(["prepare", "--help"])
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) <= 24
    assert max(map(len, shown)) <= 80
    for command in ("check", "split", "augment", "shard"):
        assert f"lightning_cli prepare {command}" in "\n".join(shown)


def test_without_a_command_the_help_is_shown(capsys):
    main(["prepare"])
    assert "lightning_cli prepare split" in capsys.readouterr().out


def test_unknown_command_shows_the_commands(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["prepare", "cut"])
    error = capsys.readouterr().err
    assert error.startswith("There is no command 'prepare cut'.")
    assert "lightning_cli prepare split" in error


def test_user_error_is_one_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["prepare", "split", str(tmp_path / "nowhere"), "--out", str(tmp_path / "csv")])
    error = capsys.readouterr().err
    assert error.startswith(f"error: There is no folder {tmp_path / 'nowhere'}.")
    assert "Traceback" not in error


@pytest.mark.parametrize("command", ["check", "split", "augment", "shard"])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["prepare", command, "--help"])
    assert f"lightning_cli prepare {command}" in capsys.readouterr().out
