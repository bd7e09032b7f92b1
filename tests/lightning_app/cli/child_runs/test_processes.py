import signal
import subprocess
import sys

import pytest

from lightning_app.cli.child_runs.processes import end_processes

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
WAITING = "print('ready', flush=True); time.sleep(600)"


@pytest.fixture
def start():
    processes = []

    def run(code):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        processes.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def test_process_that_does_not_stop_is_killed(start):
    deaf, willing = start(f"{DEAF}; {WAITING}"), start(f"import time; {WAITING}")
    end_processes([deaf, willing], grace=0.2)
    assert (deaf.returncode, willing.returncode) == (-signal.SIGKILL, -signal.SIGTERM)


def test_process_has_time_to_exit_on_its_own(start):
    tidy = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))"
    process = start(f"{tidy}; {WAITING}")
    end_processes([process], grace=60)
    assert process.returncode == 7
