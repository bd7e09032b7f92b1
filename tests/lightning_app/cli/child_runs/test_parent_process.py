import os
import signal
import subprocess
import sys

from lightning_app.cli.child_runs.parent_process import ENDS_WITH_STDIN

CHILD = """
import signal, sys
from lightning_app.cli.child_runs.parent_process import stop_with_parent

stop_with_parent()
print("started", flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit("checkpoint written"))
while True:
    signal.pause()
"""
PARENT = f"""
import os, subprocess, sys
from lightning_app.cli.child_runs.parent_process import ENDS_WITH_STDIN, lifeline

command = [sys.executable, "-c", {CHILD!r}]
environment = {{**os.environ, ENDS_WITH_STDIN: "1"}}
subprocess.Popen(
    command, stdin=lifeline(), stderr=sys.stdout, env=environment, start_new_session=True
).wait()
"""


def test_run_stops_in_an_orderly_way_when_its_parent_process_is_killed():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline() == "started\n"
    parent.send_signal(signal.SIGKILL)
    rest = parent.stdout.read()  # ends with the last process that writes to it
    parent.wait()
    gone = "The command that has started this run is gone; stopping.\n"
    assert rest == f"{gone}checkpoint written\n"


def test_other_processes_do_not_watch_their_standard_input():
    own = {name: value for name, value in os.environ.items() if name != ENDS_WITH_STDIN}
    code = CHILD.replace("while True", "if False")
    done = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, env=own, capture_output=True
    )
    assert (done.returncode, done.stdout) == (0, b"started\n")
