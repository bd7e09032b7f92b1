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


def imported_by(*args):
    """What was printed, and whether torch was imported."""
    code = f"import sys\nfrom lightning_app.main import main\nmain({list(args)})\n"
    code += "print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *shown, torch = run.stdout.splitlines()
    return shown, torch == "True"


def test_help_fits_one_screen_and_needs_no_torch():
    shown, torch = imported_by("prepare", "--help")
    assert not torch
    assert len(shown) <= 24
    assert max(map(len, shown)) <= 80
    for command in ("check", "split", "augment", "shard"):
        assert f"lightning_cli prepare {command}" in "\n".join(shown)


def test_split_needs_no_torch(folder, tmp_path):
    shown, torch = imported_by("prepare", "split", str(folder), "--out", str(tmp_path / "csv"))
    assert not torch
    assert shown[0].split() == ["class", "train", "val", "test"]


def test_without_a_command_the_help_is_shown(capsys):
    main(["prepare"])
    assert "lightning_cli prepare split" in capsys.readouterr().out


def test_unknown_command_shows_the_commands(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["prepare", "cut"])
    error = capsys.readouterr().err
    assert error.startswith("There is no command 'prepare cut'.")
    assert "lightning_cli prepare split" in error


def test_mistake_ends_with_a_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["prepare", "split", str(tmp_path / "nowhere"), "--out", str(tmp_path / "csv")])
    error = capsys.readouterr().err
    assert error.startswith(f"error: There is no folder {tmp_path / 'nowhere'}.")
    assert "Traceback" not in error


@pytest.mark.parametrize("command", ["check", "split", "augment", "shard"])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["prepare", command, "--help"])
    assert f"lightning_cli prepare {command}" in capsys.readouterr().out
