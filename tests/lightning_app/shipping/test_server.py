"""Tests of `mlflow models serve`: real requests, among them such that a server has to survive."""

import base64
import io
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import zlib
from collections import deque
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image

from lightning_app.main import main

READY = "Uvicorn running on"


@pytest.fixture(scope="module")
def address(shipped):
    """Address of a server of the champion."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shipped.folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        main(["promote", shipped.run.info.run_id, "--name", "served"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/served@champion"]
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{shipped.folder / 'mlruns' / 'mlflow.db'}",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    process = subprocess.Popen(
        [*command, "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        lines = []
        while not lines or READY not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], "".join(lines)  # the server has ended
        Thread(target=deque, args=(process.stdout, 0), daemon=True).start()  # empties the pipe
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def ask(address):
    """Function that posts a body, or an image as base64 text; returns status and answer."""

    def post(image=None, body=None):
        if body is None:
            body = json.dumps({"dataframe_records": [{"image": image}]})
        request = Request(address, body.encode(), {"Content-Type": "application/json"})
        try:
            with urlopen(request) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)

    return post


@pytest.fixture(scope="module")
def photograph(shipped):
    """A JPEG file of another size, as base64 text."""
    pixels = np.asarray(Image.open(shipped.photograph)).repeat(4, axis=0).repeat(6, axis=1)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()


def bomb():
    """A small PNG file whose header asks for 900 million pixels."""

    def chunk(kind, data):
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 9)), chunk(b"IEND", b"")]
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


def test_a_photograph_is_classified(ask, photograph, shipped):
    status, answer = ask(photograph)
    assert status == 200
    [found] = answer["predictions"]
    assert set(found["probabilities"]) == set(shipped.class_names)
    assert sum(found["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert found["label"] == max(found["probabilities"], key=found["probabilities"].get)


def test_several_photographs_and_a_parameter_are_taken(ask, photograph):
    status, answer = ask(body=json.dumps({"inputs": [photograph] * 3, "params": {"top_k": 1}}))
    assert status == 200
    assert [len(found["top"]) for found in answer["predictions"]] == [1, 1, 1]


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (base64.b64encode(b"no image").decode(), "Image 0: The data is not an image"),
        ("what a lovely day", "Image 0: The text 'what a lovely day' is not the base64 text"),
        ("/etc/passwd", "Image 0: The text '/etc/passwd' is not the base64 text"),
        ("A" * 50_000_000, "Image 0: The text has 50 MB; expected an image file of at most 32"),
        (bomb(), "Image 0: The image has more than 100,000,000 pixels"),
        (None, "Image 0: Expected the content of an image file"),
    ],
    ids=["no image", "text", "path", "50 MB", "bomb", "nothing"],
)
def test_what_cannot_be_read_has_status_400_and_the_server_lives_on(ask, photograph, image, text):
    status, answer = ask(image)
    assert status == 400
    assert text in answer["message"]
    assert len(answer["message"]) < 2000
    assert ask(photograph)[0] == 200


def test_a_body_that_is_no_json_has_status_400(ask):
    assert ask(body="hello")[0] == 400
