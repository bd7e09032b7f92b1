import sys
import warnings
from pathlib import Path

import pytest
from tqdm import tqdm

from callbacks.submission import fill_submission
from lightning_app.cli.errors.user_errors import exit_on_user_error
from lightning_app.main import COMMANDS, main


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
        fill_submission(Path("none.csv"), [], [], [])
    *_, error, hint = capsys.readouterr().err.splitlines()
    assert error == "error: There is no sample submission none.csv."
    assert hint == "(set LIGHTNING_CLI_DEBUG=1 for the stack trace)"


def test_warnings_are_plain_if_the_import_of_a_command_has_changed_them(
    tmp_path, monkeypatch, capsys
):
    lines = (
        "import warnings",
        "warnings.formatwarning = lambda *place: 'from a line of code'",  # as Lightning does
        "def run(arguments): print(warnings.formatwarning('two images', UserWarning, 'a.py', 7))",
    )
    (tmp_path / "importing.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(COMMANDS, "runs", "importing:run")
    main(["runs"])
    assert capsys.readouterr().out == "warning: two images\n\n"
