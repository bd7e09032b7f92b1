import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from lightning_app import main as command_line
from lightning_app.cli.child_runs.child_run import ChildRun
from lightning_app.cli.child_runs.parent_process import lifeline
from lightning_app.cli.child_runs.run_children import under_parent
from lightning_app.cli.child_runs.runner import Runner


def interrupted(args):
    def work(parent):
        raise KeyboardInterrupt

    opened: Any = nullcontext()
    under_parent(opened, work)


def test_interruption_is_said_once(monkeypatch, capsys):
    monkeypatch.setitem(command_line.COMMANDS, "folds", f"{__name__}:interrupted")
    with pytest.raises(SystemExit) as end:
        command_line.main(["folds"])
    assert end.value.code == 130
    assert capsys.readouterr().err == "\nInterrupted. The same command resumes.\n"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="reads its own files in /proc")
def test_standard_input_of_a_child_run_is_the_pipe_that_ends_with_its_parent(tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho "$LIGHTNING_CLI_ENDS_WITH_STDIN"\nreadlink /proc/self/fd/0')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    runner = object.__new__(Runner)
    runner._running, runner.is_stopped = set(), False
    with (tmp_path / "log").open("ab") as log:
        runner._start("fit", ChildRun("base", 0, (), "key"), (), dict(os.environ), log)
    pipe = Path(f"/proc/self/fd/{lifeline()}").readlink()
    assert (tmp_path / "log").read_text() == f"1\n{pipe}\n"
