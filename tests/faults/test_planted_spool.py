"""Files in the spool that are damaged, or that somebody else has put there."""

import json
import os
import pickle

import numpy as np
import pytest
from matplotlib.figure import Figure
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

from lightning_app.store.spooled_write import decode, encode
from lightning_app.store.spooling_client import SpoolingClient


class Unreachable:
    """A client whose every write fails as on a broken network."""

    def __getattr__(self, name):
        def call(*args, **kwargs):
            raise ConnectionError("no route to host")

        return call


@pytest.fixture
def run_id(client):
    return client.create_run(client.create_experiment("away")).info.run_id


@pytest.fixture
def spool(tmp_path):
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


def test_planted_pickle_is_not_read(client, spool, workplace, caplog):
    class Planted:
        def __reduce__(self):
            return (open, ("ran", "w"))

    (spool / "1.pkl").write_bytes(pickle.dumps(Planted()))
    spooling = SpoolingClient(client, spool)
    assert spooling.send_spooled() == 0
    assert spooling.send_spooled() == 0
    assert not (workplace / "ran").exists()
    assert [file.name for file in spool.iterdir()] == ["1.pkl.unread"]
    assert [record.getMessage()[:20] for record in caplog.records] == [f"1 writes in {spool}"[:20]]


ENTRY = {"version": 1, "call": "set_tag", "arguments": {"run_id": "", "key": "k", "value": "v"}}
DAMAGED = {
    "empty": b"",
    "cut off": json.dumps(ENTRY).encode()[:-5],
    "not text": b"\xff\xfe\x00",
    "a list": b"[]",
    "a number": b"5",
    "nested": b"[" * 100_000,
    "another call": json.dumps({**ENTRY, "call": "delete_run"}).encode(),
    "no call": json.dumps({**ENTRY, "call": "__init__"}).encode(),
    "unhashable call": json.dumps({**ENTRY, "call": ["set_tag"]}).encode(),
    "later version": json.dumps({**ENTRY, "version": 2}).encode(),
    "another argument": json.dumps({**ENTRY, "arguments": {"run_id": "", "file": "x"}}).encode(),
    "unknown type": json.dumps({**ENTRY, "arguments": {"type": "Popen", "args": "ls"}}).encode(),
    "wrong shape": json.dumps({"type": "image", "shape": [10**12], "data": "AAAA"}).encode(),
    "no run": json.dumps({**ENTRY, "arguments": {"run_id": 5, "key": "k", "value": "v"}}).encode(),
    "no metrics": json.dumps(
        {**ENTRY, "call": "log_batch", "arguments": {"run_id": "", "metrics": [5]}}
    ).encode(),
    "wrong metric": json.dumps({"type": "Metric", "key": 1}).encode(),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=list(DAMAGED))
def test_damaged_entry_is_set_aside_and_does_not_stop_the_others(
    client, run_id, spool, content, caplog
):
    (spool / "1.json").write_bytes(content)
    (spool / "2.json").write_bytes(encode("set_tag", (run_id, "later", "sent"), {}))
    assert SpoolingClient(client, spool).send_spooled() == 0
    assert client.get_run(run_id).data.tags["later"] == "sent"
    assert sorted(file.name for file in spool.glob("[0-9]*")) == ["1.damaged"]
    assert len(caplog.records) == 1
    assert "1.json is not sent, and kept as *.damaged" in caplog.text


def test_artifact_cannot_leave_the_folder_of_its_run(client, run_id, spool, workplace):
    write = {"run_id": run_id, "artifact_file": "../../../../escaped.txt"}
    entry = {"version": 1, "call": "log_file", "arguments": {**write, "content": b""}}
    entry["arguments"]["content"] = {"type": "bytes", "data": "AAAA"}
    (spool / "1.json").write_text(json.dumps(entry))
    SpoolingClient(client, spool).send_spooled()
    assert not [*workplace.parent.rglob("escaped.txt")]
    assert [file.name for file in spool.glob("[0-9]*")] == ["1.damaged"]


def test_named_pipe_does_not_block(client, spool):
    os.mkfifo(spool / "1.json")
    assert SpoolingClient(client, spool).send_spooled() == 0


def test_every_kind_of_write_arrives(client, run_id, spool, workplace):
    (workplace / "notes.txt").write_text("found")
    figure = Figure(figsize=(2, 1), dpi=50)
    away = SpoolingClient(Unreachable(), spool)
    inputs = DatasetInput(Dataset("d", "1234", "local", "{}", "", "{}"), [InputTag("a", "b")])
    away.log_batch(run_id, metrics=[Metric("m", np.float32(0.5), 3, 4)], params=[Param("p", "1")])
    away.log_batch(run_id, metrics=[Metric("nan", float("nan"), 3, 4)])
    away.set_tag(run_id, "tag", "é")
    away.log_text(run_id, "text", "a/b.txt")
    away.log_image(run_id, np.zeros((4, 5, 3), np.uint8), key="val/x", step=2)
    away.log_figure(run_id, figure, "figures/f.png")
    away.log_artifact(run_id, str(workplace / "notes.txt"), "notes")
    away.log_inputs(run_id, [inputs])
    away.set_terminated(run_id, "FINISHED")
    (workplace / "notes.txt").unlink()
    assert SpoolingClient(client, spool).send_spooled() == 0
    run = client.get_run(run_id)
    assert run.data.metrics["m"] == 0.5
    assert run.data.params == {"p": "1"}
    assert run.data.tags["tag"] == "é"
    assert run.inputs.dataset_inputs[0].dataset.name == "d"
    assert run.info.status == "FINISHED"
    found = [client.list_artifacts(run_id, folder) for folder in ("a", "figures", "notes")]
    names = [file.path for files in found for file in files]
    assert names == ["a/b.txt", "figures/f.png", "notes/notes.txt"]
    assert len(client.list_artifacts(run_id, "images")) == 2


def test_what_cannot_be_expressed_is_lost_with_a_message(spool, caplog):
    SpoolingClient(Unreachable(), spool).log_batch("0", metrics=[object()])
    assert "log_batch is lost: object cannot be spooled, and MLflow did not take it" in caplog.text


def test_pixels_are_exact(spool):
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    write = decode(encode("log_image", ("0", image), {"key": "k", "step": 1}))
    assert np.array_equal(write.arguments["image"], image)
