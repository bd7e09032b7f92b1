"""`import lightning_app`: fit, load, evaluate, predict, explain and compare from Python."""

import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

import lightning_app
from callbacks.pictures import ClassActivation
from datamodules import SyntheticDataModule
from lightning_app.api.settings import as_arguments, as_config

CONFIG = {
    "data": {
        "class_path": "SyntheticDataModule",
        "init_args": {"num_images": 80, "batch_size": 16},
    },
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {
            "backbone": {"class_path": "SmallCNN", "init_args": {"width": 4}},
            "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.01}},
        },
    },
    "trainer": {
        "max_epochs": 4,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "logger": {"init_args": {"experiment_name": "api", "run_name": "small"}},
    },
    "pictures": {"budget": 0},
    "report": False,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory, store_template):
    """A folder in which two networks were trained and tested."""
    folder = tmp_path_factory.mktemp("api")
    (folder / "mlruns").mkdir()
    shutil.copy(store_template, folder / "mlruns" / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        lightning_app.evaluate(lightning_app.fit(CONFIG))
        wide = {"model.backbone.width": 8, "trainer.logger.run_name": "wide"}
        lightning_app.evaluate(lightning_app.fit(CONFIG, wide))
    return folder


@pytest.fixture
def here(home, monkeypatch):
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def run(here):
    return lightning_app.load("small")


@pytest.fixture
def images():
    """Eight validation images as the network is evaluated on them, uint8 (8, 32, 32)."""
    data = SyntheticDataModule(num_images=80)
    return (data.images("val", range(8)) * 255).round().byte().numpy()[:, 0]


def test_importing_the_package_imports_no_torch():
    code = "import sys, lightning_app; print('torch' in sys.modules, *dir(lightning_app))"
    output = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert output[0] == "False"
    assert {*lightning_app.__all__, "__version__"} <= {*output}


def test_every_public_name_has_a_docstring_with_an_example():
    for name in lightning_app.__all__:
        text = getattr(lightning_app, name).__doc__
        assert ">>> " in text or name == "Comparison", name
    assert lightning_app.__version__ == "0.1.0"
    with pytest.raises(AttributeError, match="'lightning_app' has no attribute 'fitt'"):
        _ = lightning_app.fitt


def test_fit_returns_the_run_in_the_store(run, here):
    assert (run.name, run.experiment, run.status) == ("small", "api", "FINISHED")
    assert run.params["model.backbone.width"] == "4"
    assert run.checkpoint == here / "mlruns" / "checkpoints" / "api" / run.id / "best.ckpt"
    accuracy = run.metrics["test/accuracy"]
    assert f"<Run small ({run.id[:6]}) in api: finished, val/accuracy " in repr(run)
    assert f"test/accuracy {accuracy:.4f}>" in repr(run)
    again = lightning_app.load(run.id[:8])
    assert run == again
    assert hash(run) == hash(again)


def test_a_run_gives_its_history_configuration_predictions_and_network(run):
    history = run.history("val/accuracy")
    assert list(history.index) == [0, 1, 2, 3]
    assert history.iloc[-1] == run.metrics["val/accuracy"]
    assert run.config()["trainer"]["max_epochs"] == 4
    table = run.predictions("test")
    correct = table["label"] == table["predicted"]
    assert correct.mean() == pytest.approx(run.metrics["test/accuracy"])
    assert run.model()(torch.zeros(2, 1, 32, 32)).shape == (2, len(run.class_names))
    with pytest.raises(ValueError, match=r"'small' has no metric 'val/acc'; it has .*val/accuracy"):
        run.history("val/acc")
    with pytest.raises(ValueError, match=r"no predictions/val.csv; `lightning_app.evaluate` makes"):
        run.predictions("val")


def test_load_takes_best_last_and_checkpoint_files(here):
    wide = lightning_app.load("wide")
    assert lightning_app.load("best") == wide
    last = lightning_app.load("last")
    assert (last.id, last.checkpoint.name) == (wide.id, "last.ckpt")
    assert lightning_app.load(wide.checkpoint) == wide
    with pytest.raises(ValueError, match="There is no run 'narrow'; expected the id or name"):
        lightning_app.load("narrow")


def test_arrays_and_their_files_get_the_same_predictions(run, images, tmp_path):
    for index, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    table = lightning_app.predict(run, images)
    assert list(table["image"]) == [str(index) for index in range(8)]
    assert (table["confidence"] >= table["confidence_2"]).all()
    for same in (tmp_path, [*images], images[..., None], np.stack([images] * 3, axis=-1)):
        other = lightning_app.predict(run, same)
        pd.testing.assert_frame_equal(table.drop(columns="image"), other.drop(columns="image"))


def test_predictions_are_the_networks_own(run, images):
    with torch.inference_mode():
        logits = run.model()(torch.from_numpy(images)[:, None].float() / 255)
    probabilities = logits.softmax(dim=1)
    table = lightning_app.predict("small", images)
    assert list(table["predicted"]) == [run.class_names[i] for i in probabilities.argmax(dim=1)]
    np.testing.assert_allclose(table["confidence"], probabilities.amax(dim=1), atol=1e-5)


def test_images_that_cannot_be_read_are_refused(run, tmp_path):
    grey = np.zeros((4, 4), np.uint8)
    for images, message in (
        (grey / 255, r"Image 0: expected uint8 pixels in 0…255, got float64. .*255 \* images"),
        ([grey, np.zeros((4, 4, 2), np.uint8)], r"Image 1: expected the shape .* got \(4, 4, 2\)"),
        ([grey, "a.png"], r"either files and folders or arrays, got arrays and 'a.png' \(position"),
        ([], "There are no images; expected files, folders or arrays"),
        ("missing.png", "There is no image or folder missing.png"),
    ):
        with pytest.raises(ValueError, match=message):
            lightning_app.predict(run, images)
    with pytest.raises(ValueError, match=r"Expected device to be 'auto'.*got 'tpu'"):
        lightning_app.predict(run, grey, device="tpu")


def test_explain_returns_figures_that_a_notebook_shows(run, images):
    figures = lightning_app.explain(run, images, ["grad_cam", "filters"])
    assert {"grad_cam", "filters"} <= set(figures)
    assert all(isinstance(figure, Figure) for figure in figures.values())
    html = figures._repr_html_()
    assert html.count("data:image/png;base64,") == len(figures)


def test_ipython_is_taught_to_show_single_figures_unless_it_knows(monkeypatch):
    def shell(known):
        formatter = SimpleNamespace(lookup_by_type=known.__getitem__, for_type=known.__setitem__)
        return SimpleNamespace(
            display_formatter=SimpleNamespace(formatters={"image/png": formatter})
        )

    for known in ({}, {Figure: "inline"}):
        before = dict(known)
        ipython = SimpleNamespace(
            get_ipython=lambda known=known: shell(known),
            version_info=(8, 30),  # matplotlib reads it
        )
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        lightning_app.Figures()
        assert known == before if before else known[Figure](Figure()).startswith(b"\x89PNG")


def test_a_picture_can_be_given_with_its_options(run, images):
    figures = lightning_app.explain(run, images, {"cam": ClassActivation(num_images=2)})
    assert len(figures) == 1
    with pytest.raises(ValueError, match=r"no picture 'grad_cams'.\s+Near names: grad_cam"):
        lightning_app.explain(run, images, "grad_cams")


def test_compare_joins_two_runs_image_by_image(here):
    comparison = lightning_app.compare("small", "wide")
    small, wide = lightning_app.load("small"), lightning_app.load("wide")
    difference = wide.metrics["test/accuracy"] - small.metrics["test/accuracy"]
    assert comparison.difference == pytest.approx(difference)
    assert comparison.low <= comparison.difference <= comparison.high
    assert 0 <= comparison.p_value <= 1
    table = comparison.table
    fixed = (table["predicted"] != table["label"]) & (table["predicted_other"] == table["label"])
    assert list(table["change"] == "fixed") == list(fixed)
    counts = table["change"].value_counts()
    net = counts.get("fixed", 0) - counts.get("broken", 0)
    assert net / len(table) == pytest.approx(difference)
    assert list(comparison.settings.loc["model.backbone.width"]) == ["4", "8"]
    assert {"classes", "confusion"} <= set(comparison.figures)
    assert "McNemar" in repr(comparison)
    assert "<img" in comparison._repr_html_()
    with pytest.raises(ValueError, match="Expected two different runs, got 'small' twice"):
        lightning_app.compare(small, "small")


def test_mistakes_in_settings_are_exceptions_with_sentences(here):
    for config, overrides, message in (
        (CONFIG, {"trainer.epochs": 3}, "has no key 'epochs'"),
        (
            CONFIG,
            {"model.backbone": "SmalCNN"},
            "^`model.backbone` expects a subclass of Backbone",
        ),
        ("absent.yaml", {}, "absent.yaml"),
        ({}, {}, "The configuration is empty; expected the keys data, model and trainer"),
        (CONFIG, {"trainer.logger": False}, "trainer.logger has to be a RunLogger"),
        (CONFIG, {"model.backbone.width": object()}, "model.backbone.width: expected values that"),
    ):
        with pytest.raises(ValueError, match=message):
            lightning_app.fit(config, overrides)
    with pytest.raises(ValueError, match="Expected split to be 'test' or 'val', got 'train'"):
        lightning_app.evaluate("small", "train")


def test_values_reach_the_parser_as_yaml_in_one_line(tmp_path):
    values = {"a": "1e5", "b": None, "c": True, "d": {0: "head", 2: "all"}, "e": (1, np.int64(2))}
    options = as_arguments(values)
    assert options == ["--a=1e5", "--b=null", "--c=true", "--d={0: head, 2: all}", "--e=[1, 2]"]
    assert as_config({"data": {"root": tmp_path}}) == f"--config={{data: {{root: {tmp_path}}}}}"


def test_an_interrupt_is_a_keyboard_interrupt_every_time(here, monkeypatch):
    def interrupted(self, batch, batch_idx):
        raise KeyboardInterrupt

    monkeypatch.setattr("models.ImageClassifier.training_step", interrupted)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        lightning_app.fit(CONFIG, {"trainer.logger.run_name": "stopped"})
    assert signal.getsignal(signal.SIGINT) is handler
    assert lightning_app.load("stopped").status == "KILLED"
