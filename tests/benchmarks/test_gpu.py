"""`gpu.py` on a CPU: parts that need no GPU, and what is counted in those that do."""

import json
import warnings

import gpu
import gpu_machine
import pytest
import torch
import torchvision
from gpu_faces import faces, until
from gpu_machine import LeftOut, Settings, forward_operations, peak_operations, utilisation
from gpu_overflow import BAD, STEPS, overflow
from gpu_sheets import sheets
from gpu_training import share
from gpu_waits import EVERY, MESSAGE, recorded, row_of
from processes import Finished


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path, tiny=True, device="cpu")


@pytest.fixture
def in_this_process(monkeypatch):
    """Parts are measured in this process, which saves the time for imports."""

    def run(command, seconds, folder, printed, log):
        log.touch()
        try:
            return Finished(gpu.main(command[2:]), 1.0, 1.0)
        except Exception:
            log.write_text("Traceback\nlast line")
            return Finished(1, 1.0, 1.0)

    monkeypatch.setattr(gpu, "run_limited", run)


def test_a_step_that_overflows_is_skipped_and_the_fit_goes_on(settings):
    before, spoiled, after, end = overflow(settings)
    assert [row["step"] for row in (before, spoiled, after)] == [BAD - 1, BAD, BAD + 1]
    for row in (before, after):
        assert not row["gradient is infinite"]
        assert row["weights change"]
        assert row["scale after / before"] == 1
    assert spoiled["gradient is infinite"]
    assert not spoiled["counts as not finite"]  # it belongs to the scaling
    assert not spoiled["weights change"]
    assert spoiled["scale after / before"] == 0.5
    assert (end["done"], end["of"]) == (STEPS, STEPS)


def test_sheets_are_equal_where_both_devices_are_one(settings):
    rows = [*sheets(settings)]
    assert len(rows) == 9
    assert {row["largest difference"] for row in rows} == {0.0}
    assert [row["equal to 1e-3"] for row in rows] == [True] * 6 + [None] * 3


def test_waits_are_counted_in_known_and_in_other_steps():
    class Loop:
        def advance(self, message):
            if message:
                warnings.warn(message, stacklevel=1)
            return message

    loop, messages = Loop(), [""] * (EVERY + 2)
    messages[0] = messages[EVERY - 1] = messages[EVERY] = messages[3] = MESSAGE
    messages[5] = "something else"
    with recorded(Loop, "advance") as calls:
        assert [loop.advance(message) for message in messages] == messages
    row = row_of("training step", calls, (0, EVERY - 1))
    assert [row[name] for name in ("number", "that wait, known", "that wait, others")] == [12, 3, 1]
    assert row["places of others"].startswith("benchmarks/test_gpu.py:")
    assert row["places of others"].endswith("(1 times)")
    assert loop.advance("") == ""
    assert len(calls) == len(messages)


def test_operations_of_resnet50_are_those_that_torchvision_states():
    with torch.device("meta"):
        network = torchvision.models.resnet50()
    stated = torchvision.models.ResNet50_Weights.IMAGENET1K_V1.meta["_ops"]  # 1e9 multiply-adds
    assert forward_operations(network, 224) == pytest.approx(2e9 * stated, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H200", 989.4e12),
        ("NVIDIA H100 80GB HBM3", 989.4e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA A10G", 70e12),
        ("NVIDIA L40S", 362e12),
        ("NVIDIA GeForce RTX 4090", 165.2e12),
        ("NVIDIA GeForce GTX 1080", None),
    ],
)
def test_peaks_are_those_of_the_data_sheets(name, peak):
    assert peak_operations(name) == peak


def test_utilisation_is_the_share_of_the_peak_or_unknown(monkeypatch):
    assert utilisation(10**9, 1000, "cpu") == "unknown"
    monkeypatch.setattr(gpu_machine.torch.cuda, "get_device_name", lambda: "NVIDIA H200")
    assert utilisation(8_178_000_000, 3000, "cuda") == pytest.approx(0.0744, rel=1e-3)
    assert share(50.0, 200.0) == 0.25
    assert share(50.0, None) is None


def test_published_accuracy_counts_as_reached_when_it_is_met_exactly():
    accuracy = torch.tensor(1229 / 2000)  # rounded to float32, as the metric is
    assert until(1229 / 2000)["init_args"]["stopping_threshold"] < accuracy.item()


def test_faces_are_left_out_without_their_file(tmp_path):
    with pytest.raises(LeftOut, match=r"needs S3's training rows: --faces FILE\.csv"):
        next(faces(Settings(tmp_path)))


def test_parts_that_fail_or_are_left_out_stop_no_other(
    tmp_path, monkeypatch, in_this_process, capsys
):
    def fails(settings):
        yield {"row": 1}
        raise ValueError("out of memory")

    monkeypatch.setattr("gpu_options.options", fails)
    arguments = ["--tiny", "--parts", "options", "waits", "overflow", f"--out={tmp_path}"]
    assert gpu.main(arguments) == 1
    parts = json.loads((tmp_path / "gpu.json").read_text())["results"]["parts"]
    assert parts["options"]["rows"] == [{"row": 1}]
    assert parts["options"]["failed"] == "ValueError: out of memory"
    assert parts["waits"]["left out"] == "needs CUDA"
    assert len(parts["overflow"]["rows"]) == 4
    printed = capsys.readouterr().out
    assert "failed: ValueError: out of memory" in printed
    assert "left out: needs CUDA" in printed


def test_parts_without_time_are_left_out(tmp_path, in_this_process):
    assert gpu.main(["--minutes=0", "--parts", "vit", f"--out={tmp_path}"]) == 0
    parts = json.loads((tmp_path / "gpu.json").read_text())["results"]["parts"]
    assert parts["vit"]["left out"] == "no time is left; see --minutes"


@pytest.mark.slow
def test_all_parts_run_on_tiny_networks(tmp_path):
    assert gpu.main(["--tiny", "--minutes=60", f"--out={tmp_path}"]) == 0
    parts = json.loads((tmp_path / "gpu.json").read_text())["results"]["parts"]
    assert parts.keys() == gpu.PARTS.keys()
    assert [name for name, part in parts.items() if not part["rows"]] == ["waits"]
    assert not any("error" in row for part in parts.values() for row in part["rows"])
    [resumed] = parts["resume"]["rows"]
    assert resumed["equal"]
    assert [row["compilations"] > 0 for row in parts["unfreezing"]["rows"]] == [True] * 3
