"""A cross-validation from the command to its ensemble and soup, trained once for all tests."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from mlflow import MlflowClient

import lightning_app
from lightning_app.cli.networks.ensembles import check_fit
from lightning_app.cli.networks.exportable import Exportable
from lightning_app.cli.several_checkpoints import with_one_checkpoint
from lightning_app.commands.export.benchmark import Benchmark, run_benchmark
from lightning_app.commands.export.run_export import run_export
from lightning_app.commands.folds.plan import FoldsPlan
from lightning_app.main import main
from lightning_app.store.checkpoints import find_checkpoint
from models.export.torch_program import TorchProgram
from models.soup import average

FOLDS = ("fold 1, seed 0", "fold 2, seed 0")


@pytest.fixture
def client_of_folds(in_folder):
    """The store of the cross-validation."""
    return MlflowClient(f"sqlite:///{in_folder.folder / 'mlruns' / 'mlflow.db'}")


@pytest.fixture
def parent(client_of_folds):
    """The parent run, and a function that reads its artifacts."""
    client = client_of_folds
    [run] = client.search_runs(["1"], "tags.folds != ''")
    run.read = lambda path: Path(client.download_artifacts(run.info.run_id, path)).read_text()
    run.files = lambda place: {f.path for f in client.list_artifacts(run.info.run_id, place)}
    return run


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (6, 1, 16, 16), generator=generator, dtype=torch.uint8)


def probabilities(run, images):
    """Of a network of a fold, at the temperature that its export has."""
    source = Exportable(str(find_checkpoint(run)))
    with torch.inference_mode():
        return source.network(images)[0]


def test_a_fold_that_failed_does_not_stop_the_others_and_is_all_that_is_repeated(trained):
    scored = [(command, FOLDS[1]) for command in ("fit", "validate", "test")]
    assert trained.starts[0] == [("fit", FOLDS[0]), *scored]
    assert trained.status == 1
    again = [(command, FOLDS[0]) for command in ("fit", "validate", "test")]
    assert trained.starts[1] == [*again, ("test", "ensemble, seed 0")]


def test_a_fold_that_failed_goes_on_where_it_stopped(trained, parent, client_of_folds):
    assert trained.resumed == [FOLDS[0]]
    runs = client_of_folds.search_runs(["1"], f"attributes.run_name = '{FOLDS[0]}'")
    [steps] = [client_of_folds.get_metric_history(r.info.run_id, "val/accuracy") for r in runs]
    assert {point.step for point in steps} >= {0, 1}


def test_every_image_that_is_not_tested_on_has_one_prediction_of_its_fold(parent):
    table = pd.read_csv(io.StringIO(parent.read("predictions/out_of_fold.csv")))
    splits = pd.read_csv(io.StringIO(parent.read("data/splits.csv")))
    assert sorted(table.image) == sorted(splits.image[splits.split == "train"])
    assert set(table.fold) == {1, 2}
    columns = [name for name in table if name.startswith("probability of ")]
    shares = table[columns].to_numpy()
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)
    names = np.array([name.removeprefix("probability of ") for name in columns])
    assert table.predicted.tolist() == names[shares.argmax(axis=1)].tolist()
    assert table.confidence.tolist() == pytest.approx(shares.max(axis=1).tolist())
    accuracy = (table.predicted == table.label).mean()
    assert parent.data.metrics["out_of_fold/accuracy"] == pytest.approx(accuracy, abs=1e-6)


def test_results_and_pictures_are_in_the_parent_run(parent):
    assert parent.info.status == "FINISHED"
    tables = {"folds", "per_class_out_of_fold", "confusions_out_of_fold", "mistakes_out_of_fold"}
    assert {f"tables/{name}.json" for name in tables} <= parent.files("tables")
    figures = ("confusion_matrix", "per_class", "calibration")
    names = {f"figures/out_of_fold_{name}.png" for name in figures}
    assert names <= parent.files("figures")
    assert "figures/out_of_fold_mistakes" in parent.files("figures")
    text = parent.read("folds.md")
    assert "| mean | " in text
    assert "Ensemble against the mean of its networks, on 12 test images" in text


def test_ensemble_is_the_mean_of_its_members_on_the_test_images(parent, images):
    expected = sum(probabilities(name, images) for name in FOLDS) / 2
    assert torch.allclose(probabilities(parent.info.run_id, images), expected, atol=1e-6)
    table = pd.read_csv(io.StringIO(parent.read("predictions/test.csv")))
    accuracy = (table.predicted == table.label).mean()
    assert parent.data.metrics["test/accuracy"] == pytest.approx(accuracy)


def test_ensemble_is_refused_on_images_that_a_member_was_trained_on(parent, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["validate", "--ckpt_path", parent.info.run_id])
    error = capsys.readouterr().err
    assert "24 of 24 val images were trained on" in error
    assert "one of them has seen these images" in error


def test_exported_graph_answers_as_the_ensemble(parent, images, tmp_path):
    main(["export", *FOLDS, "--to", "pt2", "--out", str(tmp_path)])
    [file] = tmp_path.glob("*.pt2")
    expected = sum(probabilities(name, images) for name in FOLDS) / 2
    assert np.abs(TorchProgram(file)(images.numpy()) - expected.numpy()).max() < 1e-5


def test_several_runs_are_one_run_wherever_a_run_is_expected(parent, images, capsys):
    run = lightning_app.load(FOLDS)
    assert run.name == f"ensemble of {', '.join(FOLDS)}"
    assert lightning_app.load(FOLDS).id == run.id  # not written again
    table = lightning_app.predict(run, images[:, 0].numpy())
    expected = sum(probabilities(name, images) for name in FOLDS) / 2
    assert table.confidence.tolist() == pytest.approx(expected.amax(1).tolist(), abs=1e-5)
    found = with_one_checkpoint(["--ckpt_path", *FOLDS, "a.jpg", "--each"])
    assert found == ["--ckpt_path", str(run.checkpoint.relative_to(Path.cwd())), "a.jpg", "--each"]
    figures = lightning_app.explain(run, images[:2, 0].numpy(), "grad_cam")
    assert "mean of 2 networks" in " ".join(figures["grad_cam"].get_suptitle().split())


def test_ensemble_cannot_be_trained_on(parent, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(
            [
                "fit",
                "--config",
                "config.yaml",
                "--ckpt_path",
                str(find_checkpoint(FOLDS[0]).parent.parent / parent.info.run_id / "best.ckpt"),
            ]
        )
    assert "so there is no training to resume" in capsys.readouterr().err


def test_networks_that_do_not_fit_are_refused(parent):
    first, second = (Exportable(str(find_checkpoint(name))) for name in FOLDS)
    second.source = second.source._replace(image_size=20)
    with pytest.raises(
        ValueError, match=r"see the same image, but image_size is 16 for fold 1.* and 20"
    ):
        check_fit([first, second])
    second.source = second.source._replace(class_names=("rows", "columns", "checks", "else"))
    with pytest.raises(
        ValueError, match=r"the same classes; only fold 1.* has full; only fold 2.* has else"
    ):
        check_fit([first, second])
    with pytest.raises(ValueError, match="one of the networks is there twice"):
        lightning_app.load([FOLDS[0], FOLDS[0]])


def test_soup_of_folds_has_no_images_to_choose_by(parent, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["soup", parent.info.run_id])
    assert "Every validation image was trained on by one of these" in capsys.readouterr().err


def test_uniform_soup_has_the_mean_of_the_weights_and_its_parents(parent, capsys):
    main(["soup", parent.info.run_id, "--uniform"])
    name = capsys.readouterr().out.split("--ckpt_path ")[1].strip()
    soup = torch.load(find_checkpoint(name), weights_only=True)
    states = [torch.load(find_checkpoint(f), weights_only=True)["state_dict"] for f in FOLDS]
    key = "head.layers.1.weight"
    assert torch.equal(soup["state_dict"][key], average(states)[key])
    assert [member.rpartition(" (")[0] for member in sorted(soup["members"])] == list(FOLDS)
    norm = "backbone.blocks.block1.norm.running_mean"
    assert not torch.equal(soup["state_dict"][norm], average(states)[norm])
    assert Exportable(name).temperature == (
        1.0,
        "not fitted: its networks were trained on the validation images",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "Expected --folds of 2 or more, got 1"),
        ({"seeds": 0}, "Expected --seeds of 1 or more, got 0"),
        ({"arguments": ("--data.split.fold=1",)}, "`folds` sets --data.split.fold itself"),
    ],
)
def test_wrong_plans_are_explained(options, message):
    with pytest.raises(ValueError, match=message):
        FoldsPlan(**{"arguments": (), **options})


def test_out_of_fold_predictions_rank_the_labels(parent, tmp_path, capsys):
    main(["suspects", "--predictions", parent.info.run_id, "--out", str(tmp_path)])
    table = pd.read_csv(io.StringIO(parent.read("predictions/out_of_fold.csv"))).set_index("image")
    own = [row[f"probability of {row['label']}"] for _, row in table.iterrows()]
    ranking = pd.read_csv(tmp_path / "label_suspects.csv")
    assert sorted(ranking.image) == sorted(table.index)
    assert ranking.label_probability.tolist() == pytest.approx(sorted(own), abs=6e-5)
    assert set(ranking.split) == {"out of fold"}
    assert (tmp_path / "label_suspects.png").stat().st_size > 0
    with pytest.raises(SystemExit, match="1"):
        main(["suspects", "--predictions", FOLDS[0], "--out", str(tmp_path)])
    assert "has no predictions/out_of_fold.csv; expected a run of" in capsys.readouterr().err


def test_ensemble_of_folds_is_measured_on_test_images(parent, in_folder, capsys):
    source = Exportable(parent.info.run_id)
    assert source.unseen == "test"
    found = run_benchmark(source, [], 100)
    assert found.images == 12
    assert found.columns["accuracy"] == [pytest.approx(parent.data.metrics["test/accuracy"])]
    assert found.conditions.endswith("accuracy on 12 test images")
    assert Exportable(FOLDS[0]).unseen == "val"


def test_ensemble_of_folds_without_test_images_has_no_accuracy(parent):
    source = Exportable(parent.info.run_id)
    data = source.require_data("")
    del data.sources["test"]
    assert source.unseen is None
    conditions = Benchmark({}, 0, 1, source.unseen).conditions
    assert "no accuracy, since images of all splits were trained on by one" in conditions
    with pytest.raises(ValueError, match=r"int8 is tested on images .*, but images of all splits"):
        run_export(source, [], Path("exported"), int8=True)


def test_ensemble_is_described_by_its_networks_and_has_no_epoch(parent, capsys):
    table = json.loads(parent.read("tables/evaluations.json"))
    assert {row[table["columns"].index("epoch")] for row in table["data"]} == {-1}
    main(["card", parent.info.run_id])
    card = Path(capsys.readouterr().out.split()[-1]).read_text()
    assert "| Made of | fold 1, seed 0 (" in card
    assert "| Epochs |" not in card
    assert "| test | 12 | best | accuracy |" in card


def test_folds_says_what_it_does_after_the_last_run(trained):
    steps = [
        "Joining     predictions of 2 networks",
        "Drawing     pictures of the out-of-fold predictions",
        "Writing     the ensemble of 2 networks",
        "Testing     the ensemble on the test images",
    ]
    lines = trained.printed.splitlines()
    assert [line for line in lines if line in steps] == steps


def test_the_end_of_folds_names_the_commands_that_come_next(trained, parent):
    name = parent.info.run_name
    lines = [line for line in trained.printed.splitlines() if name in line]
    assert [line.split(maxsplit=1)[0] for line in lines] == ["Suspects", "Predict", "Look"]
    assert f'lightning_cli suspects --predictions "{name}"' in lines[0]
    assert f'lightning_cli predict --ckpt_path "{name}" --data.predict DIR' in lines[1]
    [line] = [line for line in trained.printed.splitlines() if line.startswith("Out of fold ")]
    assert (trained.folder / line.split()[-1]).is_file()
