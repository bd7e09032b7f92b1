"""Passwords in settings: none is printed, stored or reported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from datamodules import redaction
from datamodules.redaction import HIDDEN
from lightning_app.main import main
from lightning_app.store.run_logger import RunLogger
from lightning_app.store.runs import open_store
from lightning_app.store.stored_run import StoredRun

PASSWORD = "hunter2-hunter2"
TOKEN = "s3cr3t-t0k3n"


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    """What a test finds hidden was recognised, not remembered from another test."""
    monkeypatch.setattr(redaction, "_remembered", set())
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # no server is there to wait for


def all_bytes(folder):
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_nothing_that_a_fit_stores_or_prints_holds_a_secret(trained, in_new_folder, capfd):
    options = {
        "--data.options.origin": f"http://me:{PASSWORD}@host/x?sig={TOKEN}",
        "--trainer.logger.tags": f"{{api_key: {TOKEN}, where: 'https://{TOKEN}@host'}}",
    }
    with in_new_folder("secrets") as folder:
        arguments = [f"{name}={value}" for name, value in options.items()]
        config = str(trained / "config.yaml")
        main(["fit", "--config", config, "--report", "true", *arguments])
        main(["report", "last", "--out", "out.html"])
        stored = all_bytes(folder)
        (run,) = open_store().search_runs(["1"])
    printed = "".join(capfd.readouterr())
    for secret in (PASSWORD, TOKEN):
        assert secret not in printed
        assert secret.encode() not in stored
    assert f"--data.options.origin=http://{HIDDEN}@host/x?sig={HIDDEN}" in run.data.tags["command"]
    assert b"<html" in stored


@pytest.mark.parametrize(
    ("command", "url"),
    [
        ("fit", f"http://me:{PASSWORD}@127.0.0.1:9/shards"),
        ("fit", f"http://{PASSWORD}@127.0.0.1:9/shards"),
        ("fit", f"nowhere://me:a/{PASSWORD}@host/shards"),
        ("fit", f"s3://me:{PASSWORD}@host/shards?token={PASSWORD}"),
        ("validate", f"http://me:{PASSWORD}@127.0.0.1:9/shards"),
    ],
)
def test_errors_about_data_hold_no_secret(folder, refused, monkeypatch, url, command):
    monkeypatch.setattr("datamodules.sources.remote.WAITS", ())
    data = ("--data", "ShardDataModule", "--data.root", url)
    checkpoint = ("--ckpt_path", folder / "best.ckpt") if command == "validate" else ()
    error = refused(command, "--config", "config.yaml", *data, *checkpoint)
    assert PASSWORD not in error
    assert HIDDEN in error


def test_folder_that_is_a_url_is_reported_without_its_password(folder, refused):
    data = ("--data", "ImageFolderDataModule", "--data.root", f"http://me:{PASSWORD}@host/x")
    error = refused("fit", "--config", "config.yaml", *data)
    assert PASSWORD not in error
    assert f"{HIDDEN}@host" in error


def test_value_that_does_not_parse_is_not_repeated(folder, refused):
    error = refused("fit", "--config", "config.yaml", "--data.password", PASSWORD)
    assert "password" in error
    assert PASSWORD not in error


@pytest.mark.parametrize("command", [("report", "last"), ("ui",), ("explain", "--log")])
def test_password_of_the_tracking_server_is_not_printed(
    folder, refused, monkeypatch, write_image, command
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:{PASSWORD}@127.0.0.1:9")
    write_image(folder / "image.png")
    if command[0] == "explain":
        command = (*command, "--ckpt_path", "best.ckpt", "--images", "image.png")
    if command == ("ui",):
        with pytest.raises(SystemExit) as end:
            main([*command])
        error = str(end.value)
    else:
        error = refused(*command)
    assert PASSWORD not in error
    assert f"http://{HIDDEN}@127.0.0.1:9" in error


def test_password_of_the_tracking_server_is_not_raised_by_a_fit(workplace, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:{PASSWORD}@127.0.0.1:9")
    with pytest.raises(ConnectionError, match=r"Cannot open the runs at http://\*\*\*@") as error:
        _ = RunLogger("hidden").experiment
    assert PASSWORD not in str(error.value)


def test_secrets_that_an_earlier_version_stored_are_not_shown(client, tmp_path):
    run_id = client.create_run(client.create_experiment("old")).info.run_id
    client.set_tag(run_id, "command", f"fit --data.root http://me:{PASSWORD}@host")
    client.log_param(run_id, "data.access_key", PASSWORD)
    stored = StoredRun(client, client.get_run(run_id), tmp_path)
    assert PASSWORD not in str(stored.tags) + str(stored.params)


def test_stack_trace_of_a_library_holds_no_secret(tmp_path):
    """In a process of its own, since only that prints the trace of an error that nobody catches."""
    (tmp_path / "broken.py").write_text(
        "import sys\nfrom lightning_app import main\n"
        f"def fail(args):\n    raise KeyError('http://me:{PASSWORD}@host')\n"
        "main.pkgutil.resolve_name = lambda name: fail\nmain.main(['ui'])\n"
    )
    ended = subprocess.run(
        [sys.executable, tmp_path / "broken.py"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert ended.returncode == 1
    assert f"KeyError: 'http://{HIDDEN}@host'" in ended.stderr.splitlines()[-1]
    assert "Traceback" in ended.stderr
    assert PASSWORD not in ended.stderr.replace(f"raise KeyError('http://me:{PASSWORD}@host')", "")
