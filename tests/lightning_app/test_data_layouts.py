"""Data as users have them, through the command line."""

import csv
from pathlib import Path

import pytest

from lightning_app.main import main

QUICK = [
    *("--trainer.max_epochs", "1", "--trainer.accelerator", "cpu"),
    *("--trainer.enable_progress_bar", "false", "--data.image_size", "16"),
    *("--data.num_workers", "0", "--data.batch_size", "8"),
    *("--model.backbone", "SmallCNN", "--model.backbone.width", "4"),
    *(f"--pictures.{name}=false" for name in ("curves", "confusion", "filters", "grad_cam")),
]
CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def images(workplace, write_image):
    for label, name in enumerate(("cat", "dog")):
        for index in range(12):
            write_image(
                workplace / "images" / "train" / name / f"{index}.png", (90 * label, 9, index)
            )
    for index in range(5):
        write_image(workplace / "images" / "test" / f"{index}.jpg")
    return workplace / "images"


@pytest.fixture
def artifact(client):
    """Read a CSV artifact of the only run."""

    def read(path):
        [run] = client.search_runs([e.experiment_id for e in client.search_experiments()])
        with Path(client.download_artifacts(run.info.run_id, path)).open() as stream:
            return list(csv.DictReader(stream))

    return read


def test_unlabelled_test_images_are_predicted(images, artifact):
    folder = ["--config", str(CONFIGS / "folder.yaml"), "--data.root", str(images), *QUICK]
    main(["fit", *folder])
    main(["predict", *folder, "--ckpt_path", "best"])
    rows = artifact("predictions/predict.csv")
    assert [row["image"] for row in rows] == [f"test/{index}.jpg" for index in range(5)]
    assert {row["label"] for row in rows} == {""}
    assert {row["predicted"] for row in rows} <= {"cat", "dog"}


def test_splits_that_a_run_wrote_down_train_again(images, artifact, workplace, capsys):
    folder = ["--config", str(CONFIGS / "folder.yaml"), "--data.root", str(images), *QUICK]
    main(["fit", *folder])
    rows = artifact("data/splits.csv")
    manifest = workplace / "splits.csv"
    with manifest.open("w") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    config = ["--config", str(CONFIGS / "manifest.yaml"), "--data.manifest", str(manifest)]
    first = capsys.readouterr().out
    main(["fit", *config, "--data.root", str(images), *QUICK])
    best = [line for line in first.splitlines() if line.startswith("Best")]
    assert [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("Best")
    ] == best
