"""Tests of the MLflow model that a fit logs: its links, its input and its output."""

import ast
import base64
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow.exceptions import MlflowException

from lightning_app.main import main
from lightning_app.store.checkpoints import find_checkpoint
from models.export import onnx_file
from models.export.shipped_code import code_of

TOLERANCE = 1e-4  # of a probability
# Refuses to import what a machine that only serves the model lacks.
ELSEWHERE = """
import sys

LACKING = {"albumentations", "callbacks", "cv2", "datamodules", "lightning", "lightning_app",
           "models", "onnx", "onnxscript", "timm", "torch", "torchmetrics", "torchvision"}

class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in LACKING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refusal())

import base64, json
import mlflow.pyfunc, numpy, pandas
from PIL import Image

folder, file = sys.argv[1:]
model = mlflow.pyfunc.load_model(folder)
data = open(file, "rb").read()
text, pixels = base64.b64encode(data).decode(), numpy.asarray(Image.open(file))
given = {
    "bytes": data,
    "text": text,
    "path": file,
    "list": [data, text, file],
    "series of arrays": pandas.Series([pixels]),
    "table": pandas.DataFrame({"image": [data, text, file, pixels, pixels.tolist()]}),
    "table with other columns": pandas.DataFrame({"image": [file], "id": [7]}),
    "data URI": "data:image/png;base64," + text,
}
found = {name: model.predict(each).to_dict("records") for name, each in given.items()}
assert not LACKING & {name.split(".")[0] for name in sys.modules}
print(json.dumps(found))
"""


@pytest.fixture(scope="session")
def files(shipped):
    """Folder with the files of the model."""
    return Path(shipped.model.artifact_location)


@pytest.fixture(scope="session")
def model(files):
    return mlflow.pyfunc.load_model(str(files))


@pytest.fixture(scope="session")
def elsewhere(shipped, files, tmp_path_factory):
    """Predictions of a Python that has neither torch nor any of our code, by kind of input."""
    place = tmp_path_factory.mktemp("elsewhere")
    command = [sys.executable, "-c", ELSEWHERE, str(files), str(shipped.photograph)]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_fit_says_which_model_it_logged(shipped):
    epoch = shipped.model.tags["epoch"]
    line = f"Model       models:/{shipped.model.model_id}, of best (epoch {epoch})"
    assert line in shipped.printed.splitlines()


def test_the_model_is_linked_with_its_run(shipped):
    assert shipped.model.source_run_id == shipped.run.info.run_id
    assert shipped.model.status == "READY"
    assert shipped.model.tags["checkpoint"] == "best"


def test_the_model_has_the_scores_of_its_epoch_with_their_datasets(shipped):
    digests = {each.dataset.name: each.dataset.digest for each in shipped.run.inputs.dataset_inputs}
    linked = {metric.key: metric for metric in shipped.model.metrics}
    epoch = int(shipped.model.tags["epoch"])
    for name in ("train/loss", "val/accuracy", "test/accuracy"):
        history = shipped.client.get_metric_history(shipped.run.info.run_id, name)
        assert linked[name].value == [point.value for point in history if point.step == epoch][-1]
        dataset = f"ImageFolder/{name.partition('/')[0]}"
        assert (linked[name].dataset_name, linked[name].dataset_digest) == (
            dataset,
            digests[dataset],
        )


def test_linking_scores_leaves_those_of_the_run_alone(shipped):
    history = shipped.client.get_metric_history(shipped.run.info.run_id, "val/accuracy")
    assert [point.step for point in history] == [0, 1]


def test_the_model_has_a_signature_an_example_and_requirements(files):
    about = yaml.safe_load((files / "MLmodel").read_text())
    signature = {key: json.loads(value) for key, value in about["signature"].items()}
    assert [each["name"] for each in signature["outputs"]] == [
        *("label", "probability", "probabilities", "top", "set")
    ]
    assert signature["inputs"] == [{"type": "any", "required": True}]
    assert [each["name"] for each in signature["params"]] == ["top_k"]
    assert about["metadata"]["class_names"] == '["blue", "green", "red"]'
    example = json.loads((files / "input_example.json").read_text())
    assert base64.b64decode(example["data"][0][0]).startswith(b"\x89PNG")
    requirements = (files / "requirements.txt").read_text().splitlines()
    names = ("mlflow", "numpy", "onnxruntime", "pandas", "pillow")
    assert sorted(requirements) == [f"{name}=={version(name)}" for name in names]


def test_nothing_of_the_model_is_unpickled(files):
    about = yaml.safe_load((files / "MLmodel").read_text())["flavors"]["python_function"]
    assert about["loader_module"] == "mlflow.pyfunc.loaders.code_model"
    assert not {file.suffix for file in files.rglob("*")} & {".pkl", ".pickle", ".pt", ".pth"}


def test_the_model_loads_where_none_of_our_code_is_with_the_checkpoints_probabilities(
    shipped, elsewhere
):
    expected = dict(zip(shipped.class_names, shipped.expected, strict=True))
    for kind, rows in elsewhere.items():
        for row in rows:
            assert row["probabilities"] == pytest.approx(expected, abs=TOLERANCE), kind
    assert [len(rows) for rows in elsewhere.values()] == [1, 1, 1, 3, 1, 5, 1, 1]


def test_label_probability_and_top_follow_from_the_probabilities(elsewhere):
    [row] = elsewhere["bytes"]
    order = sorted(row["probabilities"].items(), key=lambda item: -item[1])
    assert (row["label"], row["probability"]) == order[0]
    assert [(each["label"], each["probability"]) for each in row["top"]] == order


def test_top_k_is_a_parameter(model, shipped):
    found = model.predict(str(shipped.photograph), params={"top_k": 2})
    assert len(found["top"][0]) == 2
    with pytest.raises(MlflowException, match="top_k is 0; expected 1 or more"):
        model.predict(str(shipped.photograph), params={"top_k": 0})


def test_more_images_than_a_batch_keep_their_order(model, shipped):
    images = [shipped.folder / "images" / name / "0.png" for name in ("blue", "red")] * 40
    found = model.predict([str(image) for image in images])["probability"].tolist()
    assert found[0] != found[1]
    assert found == pytest.approx(found[:2] * 40)


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ("no/such/file.png", "Image 0: The text 'no/such/file.png' is not the base64 text of an"),
        (b"no image", "Image 0: The data is not an image that can be read"),
        (7.5, "Image 0: Expected the content of an image file, as bytes or base64 text, or pixels"),
        ([[1, 2], [3]], "Image 0: The rows of the pixels have different lengths"),
        (np.zeros((4, 4, 3)), "Image 0: Expected uint8 pixels"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_image_that_cannot_be_read_is_named(model, image, text):
    with pytest.raises(MlflowException, match=text) as error:
        model.predict(pd.DataFrame({"image": [image]}))
    assert error.value.get_http_status_code() == 400


def test_an_array_that_is_no_cell_of_a_table_is_explained(model):
    with pytest.raises(MlflowException, match=r"got int. An array is a cell: pandas.DataFrame"):
        model.predict(np.zeros((16, 16), np.uint8))


def test_the_sources_of_the_code_define_different_names():
    defined = [
        node.name if hasattr(node, "name") else ast.unparse(node.targets[0])
        for node in ast.parse(code_of("pyfunc_model")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assign)
    ]
    assert len(defined) == len(set(defined)) > 20


def test_a_server_reads_no_file_of_its_own(model, shipped, monkeypatch):
    monkeypatch.setenv("_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "true")
    with pytest.raises(MlflowException, match="is not the base64 text of an image file"):
        model.predict(str(shipped.photograph))


def test_the_code_of_the_model_imports_nothing_of_ours():
    lines = code_of("pyfunc_model").splitlines()
    imported = {line.split()[1].split(".")[0] for line in lines if line[:5] in ("from ", "impor")}
    assert not imported & {"models", "callbacks", "datamodules", "lightning_app", "torch", "cv2"}


def test_without_the_packages_of_onnx_a_fit_says_in_a_line_what_to_install(shipped, monkeypatch):
    monkeypatch.chdir(shipped.folder)
    monkeypatch.setattr(onnx_file, "PACKAGES", ("missing_package",))
    names = ["--trainer.logger.init_args.experiment_name=other", "--trainer.max_epochs=1"]
    quiet = ["--config", "config.yaml", "--pictures", "false", "--report=false"]
    with pytest.warns(UserWarning, match="No model logged.*ONNX needs missing_package.*`pip inst"):
        main(["fit", *quiet, *names, "--log_model=true"])


def test_an_address_of_the_registry_is_the_checkpoint_that_was_logged(shipped, monkeypatch, capsys):
    monkeypatch.chdir(shipped.folder)
    run_id = shipped.run.info.run_id
    main(["promote", run_id, "--name", "colours"])
    file = find_checkpoint("models:/colours@champion")
    assert file.resolve() == find_checkpoint(run_id).resolve()
    main(["predict", "--ckpt_path", "models:/colours@champion", str(shipped.photograph)])
    label = shipped.class_names[int(np.argmax(shipped.expected))]
    assert label in capsys.readouterr().out


def test_a_checkpoint_that_was_replaced_since_is_refused(shipped, monkeypatch):
    monkeypatch.chdir(shipped.folder)
    main(["promote", shipped.run.info.run_id, "--name", "replaced"])
    shipped.client.set_logged_model_tags(shipped.model.model_id, {"epoch": "7"})
    try:
        with pytest.raises(ValueError, match=r"is of epoch \d now.*was logged from epoch 7"):
            find_checkpoint("models:/replaced/1")
    finally:
        epoch = shipped.model.tags["epoch"]
        shipped.client.set_logged_model_tags(shipped.model.model_id, {"epoch": epoch})
