"""The command on two real runs."""

import subprocess
import sys

import numpy as np
import pytest
from mlflow import MlflowClient

from callbacks.plots.drawing.page import Picture
from lightning_app.cli.picture_options import picture_types
from lightning_app.main import main

CONFIG = {
    "data": {
        "class_path": "SyntheticDataModule",
        "init_args": {"num_images": 160, "batch_size": 8},
    },
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {
            "backbone": {"class_path": "SmallCNN", "init_args": {"width": 4}},
            "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 3e-3}},
        },
    },
    "pictures": dict.fromkeys(picture_types(), False),
    "report": False,
    "trainer": {
        "max_epochs": 2,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "logger": {"init_args": {"experiment_name": "compared"}},
    },
}


@pytest.fixture(scope="module")
def folder(in_new_folder):
    """A folder with two fits that were tested."""
    with in_new_folder("compared", CONFIG) as folder:
        for name, rate in (("slow", "1e-5"), ("fast", "1e-2")):
            config = ["--config", "config.yaml", "--model.optimizer.lr", rate]
            main(["fit", *config, "--trainer.logger.run_name", name])
            main(["test", *config, "--ckpt_path", "best"])
    return folder


@pytest.fixture
def place(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def test_page_of_two_fits_shows_the_images_that_changed(place, parse, capsys):
    main(["compare", "slow", "fast", "--num_images", "3"])
    output = capsys.readouterr().out
    assert "model.optimizer.lr    1e-05  0.01" in output
    assert "No contact sheets" not in output
    [line] = [line for line in output.splitlines() if line.startswith("Comparison")]
    file = place / line.split()[-1]
    assert file.name == "slow_fast.html"
    page = parse(file.read_text("utf-8"))
    assert {"Fixed", "Change in the recall of each class"} <= set(page.words)
    assert len(page.images()) == 3 + ("Broken" in page.words)
    links = [a[key] for _, a in page.tags for key in ("src", "href") if key in a]
    assert all(link.startswith("data:image/") for link in links)


def test_page_is_an_artifact_of_the_last_run_alone(place):
    main(["compare", "slow", "fast"])
    client = MlflowClient(f"sqlite:///{place / 'mlruns' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("compared").experiment_id
    for run in client.search_runs([experiment]):
        files = [f.path for f in client.list_artifacts(run.info.run_id, "comparisons")]
        expected = ["comparisons/slow_fast.html"] if run.info.run_name == "fast" else []
        assert files == expected


def test_contact_sheets_show_the_images_of_their_captions(place):
    from lightning_app.commands.compare.comparison import compare_runs
    from lightning_app.commands.compare.figures import plot_pair, shown_images
    from lightning_app.commands.compare.images import read_images
    from lightning_app.store.runs import find_run, open_store
    from lightning_app.store.stored_run import open_stored_run

    client = open_store()
    runs = [find_run(client, name) for name in ("slow", "fast")]
    with open_stored_run(client, runs[0]) as first, open_stored_run(client, runs[1]) as second:
        found = compare_runs([first, second], "test")
        [pair] = found.pairs
        names = shown_images(found, 4)
        images = read_images(first, "test", names)
    assert set(names) == {found.predictions.images[row] for row in pair.fixed[:4] + pair.broken[:4]}
    figure = plot_pair(found, pair, images, 4)["fixed"]
    drawn, captions = figure.findobj(Picture), figure.texts[1:]
    labels = [caption.get_text().split("\n")[0] for caption in captions]
    assert labels == found.predictions.labels[pair.fixed[:4]].tolist()
    for row, image in zip(pair.fixed[:4], drawn, strict=True):
        expected = images[found.predictions.images[row]][0].numpy()
        np.testing.assert_allclose(image.pixels[..., 0], expected)


def test_help_needs_no_torch():
    code = (
        "import sys, lightning_app.main as m\n"
        "try: m.main(['compare', '--help'])\n"
        "finally: print('torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "RUN RUN [RUN ...]" in shown.stdout
    assert shown.stdout.splitlines()[-1] == "False"


def test_names_that_the_command_prints_are_accepted(make_tested, capsys):
    ids = [make_tested("same", letters) for letters in ("ccddoo", "ccddoc")]
    main(["compare", f"same ({ids[0][:6]})", ids[1][:6], "--out", "x.html"])
    assert "fixed 0, broken 1" in capsys.readouterr().out


def test_validation_images_are_taken_if_not_all_runs_were_tested(
    make_tested, add_predictions, capsys
):
    for name in ("a", "b"):
        run_id = make_tested(name, "ccddoo", split="val")
    add_predictions(run_id, [("0.png", "cat", "cat", 1.0)])
    main(["compare", "a", "b", "--out", "x.html"])
    assert "b against a, on 6 val images" in capsys.readouterr().out


def test_artifact_has_a_name_that_every_system_accepts(make_tested, client, capsys):
    make_tested("../a b/c?", "ccddoo")
    run_id = make_tested("猫" * 90, "ccddoo")
    main(["compare", "../a b/c?", "猫" * 90])
    [file] = client.list_artifacts(run_id, "comparisons")
    name = file.path.removeprefix("comparisons/")
    assert name.startswith("a-b-c-_猫")
    assert len(name.encode()) < 250
