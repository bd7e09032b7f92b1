import sys
import warnings
from pathlib import Path

import pytest
from tqdm import tqdm

from callbacks.submission import fill_submission
from lightning_app.cli.errors.user_errors import explained


def test_warnings_of_every_command_are_sentences():
    python = warnings.formatwarning
    with explained():
        shown = warnings.formatwarning("a class has one image", UserWarning, "arrange.py", 71)
    assert shown == "warning: a class has one image\n"
    assert warnings.formatwarning is python


def test_error_stands_on_a_line_of_its_own_below_an_open_bar(capsys):
    bar = tqdm(total=3, desc="Predicting", file=sys.stderr)
    bar.refresh()
    with pytest.raises(SystemExit, match="1"), explained():
        fill_submission(Path("none.csv"), [], [], [])
    *_, error, hint = capsys.readouterr().err.splitlines()
    assert error == "error: There is no sample submission none.csv."
    assert hint.startswith("(the stack trace")
