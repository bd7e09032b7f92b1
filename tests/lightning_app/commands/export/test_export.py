"""Exports of a real fit: complete, compared with the checkpoint, quantised and measured."""

import json
import shutil
import sys

import mlflow
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import torch
from mlflow import MlflowClient
from safetensors import safe_open

import lightning_app
from datamodules import SyntheticDataModule
from lightning_app.cli.networks.exportable import Exportable, is_fitted
from lightning_app.cli.networks.write_files import write_files
from lightning_app.commands.export import write_int8
from lightning_app.commands.export.run_export import run_export
from lightning_app.main import main
from models.evaluation.temperature import fit_temperature
from models.export.agreement import DifferentOutputError


@pytest.fixture
def folder(trained, monkeypatch):
    monkeypatch.chdir(trained)
    return trained


@pytest.fixture
def source(folder):
    return Exportable("small")


@pytest.fixture(scope="module")
def written(trained, tmp_path_factory):
    """All formats, the quantised one, and the benchmark."""
    out = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(trained)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        return lightning_app.export("small", out=out, int8=True, benchmark=True)


def run_onnx(file, images):
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(["probabilities", "logits"], {"images": images})


def validation_images():
    data = SyntheticDataModule(num_images=80)
    labels = data.sources["val"].labels
    images = (data.images("val", range(len(labels))) * 255).round().byte().numpy()
    return images, labels


def test_folder_for_mlflow_gives_the_probabilities_of_the_onnx_file(source, written, tmp_path):
    [model] = lightning_app.export("small", ["mlflow"], tmp_path).files.values()
    images, _ = validation_images()
    pixels = [np.ascontiguousarray(image.transpose(1, 2, 0)) for image in images[:4]]
    found = mlflow.pyfunc.load_model(str(model)).predict(pd.DataFrame({"image": pixels}))
    expected = run_onnx(written.files["onnx"], images[:4])[0]
    table = np.array([list(each.values()) for each in found["probabilities"]])
    np.testing.assert_allclose(table, expected, atol=1e-6)
    with pytest.raises(ValueError, match=r"\.mlflow exists; remove it"):
        lightning_app.export("small", ["mlflow"], tmp_path)


def test_network_with_channels_last_is_exported(source, tmp_path):
    source.source.model.to(memory_format=torch.channels_last)
    [file] = write_files(source, ["onnx"], tmp_path)
    assert file.agreement.largest_difference < 1e-4


def test_onnxruntime_gives_the_scaled_probabilities_of_the_checkpoint(source, written):
    images, _ = validation_images()
    with torch.inference_mode():
        expected = source.source.model(torch.from_numpy(images).float() / 255).numpy()
    probabilities, logits = run_onnx(written.files["onnx"], images)
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    temperature = source.temperature[0]
    scaled = torch.from_numpy(expected / temperature).softmax(1).numpy()
    np.testing.assert_allclose(probabilities, scaled, atol=1e-5)


def test_every_file_says_what_it_needs_and_where_it_comes_from(source, written):
    session = onnxruntime.InferenceSession(written.files["onnx"])
    metadata = session.get_modelmeta().custom_metadata_map
    run = source.run
    digests = [each.dataset.digest for each in run.inputs.dataset_inputs]
    assert len(json.loads(metadata["class_names"])) == 4
    assert (metadata["image_size"], metadata["num_channels"]) == ("32", "1")
    assert (metadata["run_id"], metadata["run_name"]) == (run.info.run_id, "small")
    assert metadata["data_digest"] in digests
    assert metadata["version"] == lightning_app.__version__
    assert metadata["torch_version"] == torch.__version__
    assert (json.loads(metadata["mean"]), json.loads(metadata["std"])) == ([0.5], [0.25])
    assert "proportions change" in metadata["resize_rule"]
    with safe_open(written.files["safetensors"], "pt") as content:
        other = content.metadata()
    assert {**metadata, "any_size": "", "min_size": ""} == {
        **{key: value for key, value in other.items() if key != "format"},
        **{"any_size": "", "min_size": ""},
    }
    extra = {"description.json": ""}
    torch.export.load(str(written.files["pt2"]), extra_files=extra)
    assert json.loads(extra["description.json"]) == metadata


class DiffersWhenExported(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.features_and_logits(images)[1]

    def features_and_logits(self, images):
        features, logits = self.network.features_and_logits(images)
        return features, logits.flip(1) if torch.compiler.is_exporting() else logits


def test_a_file_that_differs_from_the_checkpoint_is_refused_and_not_kept(source, tmp_path):
    source.network.network = DiffersWhenExported(source.network.network)
    message = r"The pt2 file does not give the outputs of the checkpoint: largest difference .* of"
    with pytest.raises(DifferentOutputError, match=message):
        write_files(source, ["pt2"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_int8_is_quantised_and_its_accuracy_compared(written, source):
    graph = onnx.load(written.files["int8"]).graph
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in graph.node}
    stored = [each for each in graph.initializer if each.data_type == onnx.TensorProto.INT8]
    assert sum(np.prod(each.dims) for each in stored) > 500  # the weights of the convolutions
    images, labels = validation_images()
    table = written.benchmark.set_index("format")
    for kind, name in (("onnx", "ONNX"), ("int8", "ONNX int8")):
        predicted = run_onnx(written.files[kind], images)[0].argmax(axis=1)
        assert table.accuracy[name] == pytest.approx((predicted == labels).mean())
    found = onnxruntime.InferenceSession(written.files["int8"]).get_modelmeta()
    assert found.custom_metadata_map["kind"] == "int8"
    assert found.custom_metadata_map["run_id"] == source.run.info.run_id


def test_a_quantised_file_that_loses_too_much_is_refused_and_not_kept(
    source, tmp_path, monkeypatch
):
    monkeypatch.setattr(write_int8, "MAX_LOSS", -1.01)  # any loss, and any gain, is too much
    message = r"much less accurate than the checkpoint: [+-]\d+\.\d percentage points \(95 % inter"
    with pytest.raises(DifferentOutputError, match=message):
        run_export(source, [], tmp_path, int8=True)
    assert list(tmp_path.iterdir()) == []


def test_benchmark_is_a_table_and_a_figure_of_the_run(written, source):
    table = written.benchmark
    assert list(table.format) == ["checkpoint (PyTorch)", "ONNX", "PyTorch .pt2", "ONNX int8"]
    assert list(table.agreement[:3]) == [1, 1, 1]
    assert (table.ms_1 > 0).all()
    assert (table.ms_1_95 >= table.ms_1).all()
    np.testing.assert_allclose(table.images_per_second, 32_000 / table.ms_32)
    size = written.files["onnx"].stat().st_size
    assert table.megabytes[1] == pytest.approx(size / 1e6)
    client = MlflowClient(f"sqlite:///{source.file.parents[3] / 'mlflow.db'}")
    run_id = source.run.info.run_id
    files = {
        file.path for name in ("figures", "tables") for file in client.list_artifacts(run_id, name)
    }
    assert {"figures/export.png", "tables/export.json"} <= files
    [axes, *_] = written.figures["export"].axes
    assert [label.get_text() for label in axes.get_yticklabels()] == list(table.format)


def test_command_writes_the_formats_that_are_named(folder, tmp_path, capsys):
    main(["export", "small", "--to", "safetensors", "--out", str(tmp_path)])
    output = capsys.readouterr().out
    assert [file.name for file in tmp_path.iterdir()] == ["small.safetensors"]
    assert "Network     small, epoch 0, 4 classes" in output
    assert "Temperature" in output
    assert "another class for 0 of 28 images" in output  # 12 for validation, and 16 random ones


def test_without_its_run_a_checkpoint_is_checked_on_random_images(trained, workplace, capsys):
    [file] = (trained / "mlruns").rglob("best.ckpt")
    shutil.copy(file, "alone.ckpt")
    main(["export", "alone.ckpt", "--to", "safetensors"])
    output = capsys.readouterr().out
    assert "Temperature 1.000, not fitted: the run of the checkpoint, which names its" in output
    assert "0 of 16 images" in output
    with pytest.raises(SystemExit, match="1"):
        main(["export", "alone.ckpt", "--int8"])
    error = capsys.readouterr().err
    assert "int8 is calibrated on training images, but the run of the checkpoint" in error


def test_temperature_is_fitted_if_the_run_has_none_of_this_epoch(source):
    data = source.require_data("a test")
    images, labels = validation_images()
    with torch.inference_mode():
        logits = source.source.model(torch.from_numpy(images).float() / 255).double()
    expected = fit_temperature(logits, torch.from_numpy(labels))
    assert source._fitted_temperature(data) == (pytest.approx(expected, rel=1e-3), len(labels))
    assert is_fitted(expected) == (source.temperature[0] != 1)


def test_a_missing_package_is_named_with_what_installs_it(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(SystemExit, match="1"):
        main(["export", "small", "--out", str(tmp_path)])
    error = capsys.readouterr().err
    assert "ONNX needs onnxruntime, which is not installed: `pip install" in error
    assert list(tmp_path.iterdir()) == []


def test_unknown_formats_folders_and_numbers_of_images_are_refused(folder, tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"file is a file; the output \(--out\) has to be a fold"):
        lightning_app.export("small", to=["pt2"], out=tmp_path / "file")
    with pytest.raises(ValueError, match="no format 'tflite'; there are onnx, pt2, safetensors"):
        lightning_app.export("small", to=["tflite"])
    with pytest.raises(SystemExit, match="1"):
        main(["export", "small", "--max_images", "0"])
    assert "--max_images is 0; expected 1 or more" in capsys.readouterr().err
