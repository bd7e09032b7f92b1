"""Lines of libraries that a user cannot use stay off the console; a failed picture is kept."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from callbacks import OutputRecorder, PictureGallery
from callbacks.pictures import Picture
from lightning_app.store.run_logger import RunLogger

DECODE = """
import os, sys
from datamodules.sources import quiet_decoders
from datamodules.sources.decode import read_image
if sys.argv[1] == "quiet":
    quiet_decoders.enable()
try:
    read_image(sys.argv[2], 3)
except Exception as error:
    print(error, file=sys.stderr)
os.write(2, b"from C\\n")
"""


def test_lines_of_libpng_do_not_reach_the_console_and_those_of_python_and_c_do(tmp_path):
    file = tmp_path / "a.png"
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(file)
    content = bytearray(file.read_bytes())
    content[content.index(b"IDAT") + 8] ^= 0xFF  # the checksum of the pixels no longer fits
    file.write_bytes(content)
    lines = {}
    for mode in ("loud", "quiet"):
        command = [sys.executable, "-c", DECODE, mode, str(file)]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True)
        lines[mode] = done.stderr.splitlines()
    assert any("libpng" in line for line in lines["loud"])  # else there is nothing to hide
    assert lines["quiet"] == [f"{file} is broken: its pixels cannot be read.", "from C"]


@pytest.mark.slow
def test_resumed_epoch_says_nothing_about_loaders_that_cannot_resume(configured, fork):
    [code], _ = fork(configured(("Signal", {"name": "SIGTERM", "step": 1})))
    assert code == 143
    [code], [output] = fork([*configured(), "--ckpt_path", "last"])
    assert code == 0
    assert "resumable" not in output


@dataclass(eq=False)
class Failing(Picture):
    name: ClassVar[str] = "failing"

    def draw(self, context):
        raise RuntimeError("out of paint")
        yield


def test_picture_that_fails_leaves_its_trace_and_a_tag(
    workplace, client, make_trainer, make_classifier, synthetic
):
    recorder, logger = OutputRecorder(), RunLogger("pictures")
    callbacks = [recorder, PictureGallery([Failing(when="last")], recorder)]
    trainer = make_trainer(max_epochs=1, logger=logger, callbacks=callbacks)
    trainer.fit(make_classifier(), synthetic)
    run = client.get_run(logger.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["picture_failed.failing"] == "RuntimeError: out of paint"
    [file] = [f.path for f in client.list_artifacts(logger.run_id, "failed")]
    text = Path(client.download_artifacts(logger.run_id, file)).read_text()
    assert text.startswith("Traceback")
    assert text.endswith("RuntimeError: out of paint\n")
    assert file == "failed/failing.txt"
