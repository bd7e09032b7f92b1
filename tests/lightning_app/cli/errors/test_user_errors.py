import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from tqdm import tqdm

from callbacks.submission import fill_submission
from lightning_app.cli.errors.user_errors import exit_on_user_error


def test_warnings_are_printed_as_plain_sentences():
    original = warnings.formatwarning
    with exit_on_user_error():
        shown = warnings.formatwarning("a class has one image", UserWarning, "arrange.py", 71)
    assert shown == "warning: a class has one image\n"
    assert warnings.formatwarning is original


def test_error_starts_on_a_new_line_below_an_open_progress_bar(capsys):
    bar = tqdm(total=3, desc="Predicting", file=sys.stderr)
    bar.refresh()
    with pytest.raises(SystemExit, match="1"), exit_on_user_error():
        fill_submission(Path("none.csv"), [], np.empty((0, 0)), [])
    *_, error, hint = capsys.readouterr().err.splitlines()
    assert error == "error: There is no sample submission none.csv."
    assert hint == "(set LIGHTNING_CLI_DEBUG=1 for the stack trace)"
