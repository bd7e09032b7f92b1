"""The command on two real runs, and its errors."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from mlflow import MlflowClient

from lightning_app.main import main
from lightning_app.pictures import PICTURES

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
    "pictures": dict.fromkeys(PICTURES.keys(), False),
    "report": False,
    "trainer": {
        "max_epochs": 2,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "logger": {"init_args": {"experiment_name": "compared"}},
    },
}


def compare_error(capsys, *args, status=1):
    with pytest.raises(SystemExit) as exit_:
        main(["compare", *args])
    assert exit_.value.code == status
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def folder(tmp_path_factory, store_template):
    """A folder with two fits that were tested."""
    folder = tmp_path_factory.mktemp("compared")
    (folder / "mlruns").mkdir()
    shutil.copy(store_template, folder / "mlruns" / "mlflow.db")
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
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
    assert "No sheets" not in output
    [line] = [line for line in output.splitlines() if line.startswith("Comparison")]
    file = place / line.split()[-1]
    assert file.name == "slow_fast.html"
    page = parse(file.read_text("utf-8"))
    assert {"Fixed", "What each class gained"} <= set(page.words)
    assert len(page.images()) == 3 + ("Broken" in page.words)
    links = [a[key] for _, a in page.tags for key in ("src", "href") if key in a]
    assert all(link.startswith("data:image/") for link in links)


def test_page_goes_into_the_last_run_alone(place):
    main(["compare", "slow", "fast"])
    client = MlflowClient(f"sqlite:///{place / 'mlruns' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("compared").experiment_id
    for run in client.search_runs([experiment]):
        files = [f.path for f in client.list_artifacts(run.info.run_id, "comparisons")]
        expected = ["comparisons/slow_fast.html"] if run.info.run_name == "fast" else []
        assert files == expected


def test_images_of_the_sheets_are_those_that_are_named(place):
    from lightning_app.compare.comparison import compare_runs
    from lightning_app.compare.figures import figures_of, shown_images
    from lightning_app.compare.images import read_images
    from lightning_app.report.record import open_record
    from lightning_app.runs import find_run, open_store

    client = open_store()
    runs = [find_run(client, name) for name in ("slow", "fast")]
    with open_record(client, runs[0]) as first, open_record(client, runs[1]) as second:
        found = compare_runs([first, second], "test")
        [pair] = found.pairs
        names = shown_images(found, 4)
        images = read_images(first, "test", names)
    assert set(names) == {found.answers.images[row] for row in pair.fixed[:4] + pair.broken[:4]}
    drawn = figures_of(found, pair, images, 4)["fixed"].axes[0].images
    for row, image in zip(pair.fixed[:4], drawn, strict=True):
        expected = images[found.answers.images[row]][0].numpy()
        np.testing.assert_allclose(image.get_array()[..., 0], expected)


def test_help_needs_no_torch():
    code = (
        "import sys, lightning_app.main as m\n"
        "try: m.main(['compare', '--help'])\n"
        "finally: print('torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "RUN RUN [RUN ...]" in shown.stdout
    assert shown.stdout.splitlines()[-1] == "False"


def test_one_run_does_not_parse(capsys, workplace):
    assert "the following arguments are required: RUN" in compare_error(capsys, "a", status=2)


def test_run_that_is_named_twice_is_an_error(make_tested, capsys):
    run_id = make_tested("a", "ccddoo")
    make_tested("b", "ccddoo")
    expected = "The run a is named twice; expected different runs."
    assert expected in compare_error(capsys, "a", "b", run_id)


def test_unknown_run_is_an_error(make_tested, capsys):
    make_tested("a", "ccddoo")
    assert "There is no run 'x'; expected the id or the name" in compare_error(capsys, "a", "x")


def test_run_without_predictions_is_an_error_with_the_command_that_makes_them(
    make_tested, make_run, capsys
):
    make_tested("a", "ccddoo")
    run_id = make_run(name="b", status="RUNNING")
    error = compare_error(capsys, "a", "b")
    assert (
        "The runs have no predictions in common: b without predictions/test.csv; a, b without "
        "predictions/val.csv. With the configuration of b, `lightning_cli test --config FILE.yaml "
        f"--ckpt_path mlruns/checkpoints/hand/{run_id}/best.ckpt` makes those that it lacks."
    ) in error
    error = compare_error(capsys, "a", "b", "--split", "val")
    assert "in common: a, b without predictions/val.csv. With" in error
    assert "`lightning_cli validate --config" in error


def test_validation_images_are_taken_if_not_all_runs_were_tested(
    make_tested, add_predictions, capsys
):
    for name in ("a", "b"):
        run_id = make_tested(name, "ccddoo", split="val")
    add_predictions(run_id, [("0.png", "cat", "cat", 1.0)])
    main(["compare", "a", "b", "--out", "x.html"])
    assert "b against a, on 6 val images" in capsys.readouterr().out


def test_runs_without_a_common_image_are_an_error(make_run, add_predictions, capsys):
    for name in ("a", "b"):
        add_predictions(make_run(name=name), [(f"{name}.png", "cat", "cat", 1.0)])
    expected = "No test image has the same name and label in all of a, b"
    assert expected in compare_error(capsys, "a", "b")


def test_options_of_no_use_are_errors(capsys, workplace):
    error = compare_error(capsys, "a", "b", "--num_images", "0")
    assert "--num_images is 0; expected 1 or more." in error
    error = compare_error(capsys, "a", "b", "--out", "a.pdf")
    assert "The page goes to a file that ends in .html (--out), not a.pdf." in error
    assert not Path("a.pdf").exists()


def test_file_in_the_run_has_a_name_that_every_system_takes(make_tested, client, capsys):
    make_tested("../a b/c?", "ccddoo")
    run_id = make_tested("猫" * 90, "ccddoo")
    main(["compare", "../a b/c?", "猫" * 90])
    [file] = client.list_artifacts(run_id, "comparisons")
    name = file.path.removeprefix("comparisons/")
    assert name.startswith("a-b-c-_猫")
    assert len(name.encode()) < 250
