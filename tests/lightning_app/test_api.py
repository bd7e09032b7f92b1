"""`import lightning_app`: fit, load, evaluate, predict, explain and compare from Python."""

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
from callbacks.pictures import PICTURES, ClassActivation, SanityChecks
from datamodules import SyntheticDataModule
from lightning_app.api.settings import as_arguments, as_config
from lightning_app.store.checkpoints import find_checkpoint

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
def home(in_new_folder):
    """A folder in which two networks were trained and tested."""
    with in_new_folder("api") as folder:
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
    assert sorted(output[1:]) == sorted([*lightning_app.__all__, "__version__"])


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


def test_scores_from_elsewhere_are_metrics_of_the_run(run):
    scored = lightning_app.score(run, {"kaggle/public": 1, "kaggle/private": 0.99855}, note="late")
    assert scored.metrics["external/kaggle/private"] == 0.99855
    assert (scored.id, scored.checkpoint) == (run.id, run.checkpoint)
    assert lightning_app.load(run.id).metrics == {**run.metrics, **scored.metrics}
    with pytest.raises(ValueError, match=r"cannot be called 'a b'; expected a name of letters"):
        lightning_app.score(run, {"a b": 1})


def test_a_run_gives_its_history_configuration_predictions_and_network(run):
    history = run.history("val/accuracy")
    assert list(history.index) == [0, 1, 2, 3]
    assert history.iloc[-1] == pytest.approx(run.metrics["val/accuracy"])
    assert run.config()["trainer"]["max_epochs"] == 4
    table = run.predictions("test")
    correct = table["label"] == table["predicted"]
    assert correct.mean() == pytest.approx(run.metrics["test/accuracy"])
    assert run.model()(torch.zeros(2, 1, 32, 32)).shape == (2, len(run.class_names))
    with pytest.raises(ValueError, match=r"'small' has no metric 'val/acc'; it has .*val/accuracy"):
        run.history("val/acc")
    with pytest.raises(ValueError, match=r"no predictions/val.csv; `lightning_app.evaluate` makes"):
        run.predictions("val")
    with pytest.raises(ValueError, match="to be 'test', 'val' or 'predict', got 'train'"):
        run.predictions("train")


def test_evaluate_joins_the_run_from_any_folder(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = lightning_app.load("small", root=home / "mlruns")
    again = lightning_app.evaluate(run)
    assert (again.id, again.root) == (run.id, home / "mlruns")
    assert not (tmp_path / "mlruns").exists()


def test_load_takes_best_last_and_checkpoint_files(here):
    wide = lightning_app.load("wide")
    assert lightning_app.load("best") == wide
    last = lightning_app.load("last")
    assert (last.id, last.checkpoint.name) == (wide.id, "last.ckpt")
    assert lightning_app.load(wide.checkpoint) == wide
    with pytest.raises(ValueError, match="There is no run 'narrow'; expected the id or name"):
        lightning_app.load("narrow")
    with pytest.raises(ValueError, match=r"There is no checkpoint missing/best.ckpt; expected a"):
        lightning_app.load("missing/best.ckpt")


def test_a_checkpoint_is_found_in_the_store_of_its_root(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = home / "mlruns"
    run = lightning_app.load("wide", root)
    assert find_checkpoint("wide", root=root) == run.checkpoint


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


def test_a_file_that_is_given_twice_has_two_rows(run, images, tmp_path):
    files = [tmp_path / name for name in ("b.png", "b.png", "a.png")]
    for file, image in zip(files, images[[0, 0, 1]], strict=True):
        Image.fromarray(image).save(file)
    assert list(lightning_app.predict(run, files)["image"]) == ["b.png", "b.png", "a.png"]


def test_pil_images_are_read_like_their_files(run, images, tmp_path):
    grey = Image.fromarray(images[0])
    clear = Image.merge("LA", (grey, grey))
    shown = [grey, grey.convert("P"), grey.convert("RGB"), clear]
    files = [tmp_path / f"{index}.png" for index in range(len(shown))]
    for file, image in zip(files, shown, strict=True):
        image.save(file)
    expected = lightning_app.predict(run, files).drop(columns="image")
    table = lightning_app.predict(run, shown).drop(columns="image")
    pd.testing.assert_frame_equal(table, expected, atol=0.01)
    pd.testing.assert_frame_equal(lightning_app.predict(run, grey).iloc[:, 1:], table[:1])


def test_arrays_whose_layout_is_unclear_are_refused_with_a_remedy(run, images):
    for shape, message in (
        ((32, 32, 4), r"got \(32, 32, 4\). If it is RGBA, drop the alpha channel: `image\[..., :3"),
        ((3, 32, 32), r"\(N, H, W, 1\) or .* got \(3, 32, 32\). .* `image.transpose\(1, 2, 0\)`"),
        ((4, 32, 32), r"`image\[:3\].transpose\(1, 2, 0\)`; a batch of 4 grey needs an axis more"),
        ((1, 32, 32), r"got \(1, 32, 32\)"),
        ((2, 3, 32, 32), r"Image 0: expected .* got \(3, 32, 32\). If its channels come first"),
        ((2, 32, 32, 4), r"Image 0: expected .* got \(32, 32, 4\). If it is RGBA"),
    ):
        with pytest.raises(ValueError, match=message):
            lightning_app.predict(run, np.zeros(shape, np.uint8))
    assert len(lightning_app.predict(run, images[:3, ..., None])) == 3


def test_images_that_cannot_be_read_are_refused(run, tmp_path):
    grey = np.zeros((4, 4), np.uint8)
    for images, message in (
        (grey / 255, r"Image 0: expected uint8 pixels in 0…255, got float64. .*255 \* images"),
        ([grey, np.zeros((4, 4, 2), np.uint8)], r"Image 1: expected the shape .* got \(4, 4, 2\)"),
        ([grey, "a.png"], r"either files and folders or arrays, got arrays and 'a.png' \(position"),
        ([], "Expected one image or more, got none."),
        (torch.zeros(1, 4, 4), "Expected files, folders, PIL images or uint8 arrays, got Tensor."),
        ([torch.zeros(4, 4)], "PIL images or uint8 arrays, got Tensor."),
        (None, "PIL images or uint8 arrays, got None."),
        (3, "PIL images or uint8 arrays, got int."),
        (Image.new("I;16", (4, 4)), "Image 0: expected 8 bits .* a PIL image of mode 'I;16'"),
        ("missing.png", "There is no image or folder missing.png"),
    ):
        with pytest.raises(ValueError, match=message):
            lightning_app.predict(run, images)
    with pytest.raises(ValueError, match=r"Expected the device to be auto.*got 'tpu'"):
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
    with pytest.raises(ValueError, match=r"cam: expected a picture .*, got 'grad_cam'"):
        lightning_app.explain(run, images, {"cam": "grad_cam"})
    with pytest.raises(ValueError, match=r"'confusion' needs labels.*app.evaluate\(run\)` draws"):
        lightning_app.explain(run, images, "confusion")


def test_maps_that_fail_a_check_are_a_warning(run):
    """Of a blank image, no pixel matters more than another."""
    blank = np.full((6, 32, 32), 128, np.uint8)
    checks = {"honesty": SanityChecks(methods=("vanilla",), num_steps=1, num_stages=1)}
    with pytest.warns(UserWarning, match="Do not trust the maps of vanilla: "):
        lightning_app.explain(run, blank, checks)


def test_figures_are_named_after_the_keys_of_their_pictures(run, images):
    cam = ClassActivation(num_images=2)
    deep = {"first": cam, "second": ClassActivation(method="eigen_cam", num_images=2)}
    assert list(lightning_app.explain(run, images, {"a": cam, "b": cam})) == ["a", "b"]
    assert list(lightning_app.explain(run, images, deep)) == ["first", "second"]
    maps = list(lightning_app.explain(run, images, {"maps": PICTURES["feature_maps"]()}))
    assert len(maps) > 1
    assert all(name.startswith("maps/") for name in maps)


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
    with pytest.raises(ValueError, match="Expected split to be 'test' or 'val', got 'train'"):
        lightning_app.compare(small, wide, split="train")
    with pytest.raises(ValueError, match=r"val.csv. `lightning_app.evaluate\(run, 'val'\)` makes"):
        lightning_app.compare(small, wide, split="val")


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
