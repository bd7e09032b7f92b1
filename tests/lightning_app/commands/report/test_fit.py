"""Reports of real runs: of a fit, of the resumed fit, and after the test."""

import shutil
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from mlflow import MlflowClient

from lightning_app.cli.picture_options import picture_types
from lightning_app.commands.report import report_of_fit
from lightning_app.commands.report.settings import Report
from lightning_app.main import main
from lightning_app.store.run_logger import RunLogger

CLASSES = ('<b>&"', "$a_b$", "猫")
DRAWN = ("confusion", "grad_cam", "per_class", "curves")
CONFIG = {
    "data": {
        "class_path": "ImageFolderDataModule",
        "init_args": {"root": "images", "image_size": 16, "batch_size": 8, "num_workers": 0},
    },
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {"backbone": {"class_path": "SmallCNN", "init_args": {"width": 4}}},
    },
    "pictures": dict.fromkeys(picture_types().keys() - DRAWN, False),
    "trainer": {
        "max_epochs": 2,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "logger": {"init_args": {"experiment_name": "reports", "run_name": "mine"}},
    },
}


def write_images(root):
    noise = np.random.default_rng(0)
    for number, name in enumerate(CLASSES):
        (root / name).mkdir(parents=True)
        for index in range(20):
            image = noise.integers(0, 120, (16, 16, 3)) + np.eye(3)[number] * 130
            data = cv2.imencode(".png", image.astype(np.uint8))[1]
            (root / name / f"{index}.png").write_bytes(data.tobytes())


def page_and_run(parse, experiment="reports"):
    """The report of the only run of an experiment, and the run."""
    client = MlflowClient(f"sqlite:///{Path('mlruns/mlflow.db').resolve()}")
    [run] = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    file = client.download_artifacts(run.info.run_id, "report.html")
    return parse(Path(file).read_text("utf-8")), run


@pytest.fixture(scope="module")
def folder(in_new_folder):
    """A folder in which a run was fitted, resumed and tested, with what the commands printed."""
    with in_new_folder("reports", CONFIG) as folder, redirect_stdout(StringIO()) as output:
        write_images(folder / "images")
        fit = ["fit", "--config", "config.yaml", "--report.language", "zh"]
        main([*fit, "--trainer.max_epochs", "1"])
        [report] = reports()
        shutil.copy(report, "first.html")
        main([*fit, "--ckpt_path", "last"])
        shutil.copy(report, "resumed.html")
        main(["test", "--config", "config.yaml", "--ckpt_path", "best"])
    (folder / "output.txt").write_text(output.getvalue())
    return folder


def reports():
    return set(Path("mlruns/artifacts").glob("*/artifacts/report.html"))


@pytest.fixture
def inside(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def page(inside, parse):
    return page_and_run(parse)[0]


@pytest.fixture
def run(inside, parse):
    return page_and_run(parse)[1]


def test_scores_of_the_report_are_the_metrics_of_the_run(page, run):
    for split in ("val", "test"):
        for name in ("accuracy", "f1_macro"):
            assert f"{100 * run.data.metrics[f'{split}/{name}']:.2f}%" in page.words


def test_every_picture_of_the_run_is_in_the_report(page, run):
    folder = Path("mlruns/artifacts") / run.info.run_id / "artifacts"
    drawn = [*folder.glob("images/*.png"), *folder.glob("figures/**/*.png")]
    assert len(page.all("img")) == len(drawn)
    names = {str(file.relative_to(folder)) for file in drawn}
    assert {"figures/learning_curves.png", "figures/test_confusion_matrix.png"} < names


def test_report_after_a_test_is_in_the_language_of_the_fit(page, inside):
    assert page.all("html") == [{"lang": "zh-Hans"}]
    assert (inside / "output.txt").read_text().count("report.html") == 3


def test_class_names_are_shown_unchanged(page):
    assert all(name in page.words for name in CLASSES)


def test_report_of_a_resumed_run_covers_all_epochs(inside, parse):
    first, resumed = (
        parse((inside / f"{name}.html").read_text("utf-8")) for name in ("first", "resumed")
    )
    assert "1 / 1" in first.words
    assert "2 / 2" in resumed.words
    assert "该网络尚未测试。" in resumed.text


def test_report_is_self_contained(page):
    links = [a[key] for _, a in page.tags for key in ("src", "href") if key in a]
    assert all(link.startswith("data:image/") for link in links)


def test_failed_fit_leaves_a_report_that_says_so(inside, parse, capsys):
    rate = ["--model.optimizer", "torch.optim.SGD", "--model.optimizer.lr", "1e30"]
    with pytest.raises(SystemExit):
        main(["fit", "--config", "config.yaml", *rate, *in_experiment("failed")])
    page, run = page_and_run(parse, "failed")
    assert run.info.status == "FAILED"
    assert "This run ended with an error." in page.text


def test_report_can_be_switched_off(inside):
    before = reports()
    options = ["--report", "false", "--trainer.max_epochs", "0"]
    main(["fit", "--config", "config.yaml", *options, *in_experiment("silent")])
    assert reports() == before


def in_experiment(name):
    return ["--trainer.logger.experiment_name", name]


def test_failure_to_write_the_report_is_a_warning(workplace, monkeypatch):
    def refuse(*_):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(report_of_fit, "store_report", refuse)
    logger = RunLogger()
    with pytest.warns(UserWarning, match="Report not written: ConnectionError: no route to host"):
        report_of_fit.report_run(logger, Report())
    with suppress(Exception):
        logger.finalize()
