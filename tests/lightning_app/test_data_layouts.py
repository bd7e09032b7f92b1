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
    *("--pictures.budget", "0"),
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


def test_sample_submission_is_filled_in_its_order(images, artifact, workplace, capsys):
    folder = ["--config", str(CONFIGS / "folder.yaml"), "--data.root", str(images), *QUICK]
    main(["fit", *folder])
    predict = ["predict", *folder, "--ckpt_path", "best", "--predictions.sample_submission"]
    (workplace / "sample.csv").write_text(
        "id,label\n" + "".join(f"{i},?\n" for i in (3, 0, 4, 1, 2))
    )
    main([*predict, "sample.csv", "--predictions.top_k", "5"])
    answers = {row["image"]: row["predicted"] for row in artifact("predictions/predict.csv")}
    rows = artifact("predictions/submission.csv")
    assert [row["id"] for row in rows] == list("30412")
    assert [row["label"] for row in rows] == [answers[f"test/{i}.jpg"] for i in (3, 0, 4, 1, 2)]
    [first, *_] = artifact("predictions/predict.csv")  # of two classes no more than two are named
    assert float(first["confidence"]) + float(first["confidence_2"]) == pytest.approx(1, abs=2e-6)
    (workplace / "other.csv").write_text("id,label\n9,?\n")
    with pytest.raises(SystemExit, match="1"):
        main([*predict, "other.csv"])
    assert "other.csv: there is no image 9." in capsys.readouterr().err


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
