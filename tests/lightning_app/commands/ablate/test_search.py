"""A search with Optuna; its studies are real."""

import json
import time
from pathlib import Path

import optuna
import pytest
import torch

from datamodules import SyntheticDataModule
from lightning_app.commands.ablate.pruning import PRUNED, PruneTrial
from lightning_app.commands.ablate.study_storage import open_storage
from lightning_app.main import main

RANGES = {"model.optimizer.lr": {"low": 1e-4, "high": 1e-2, "log": True}}


def read_table(client, family):
    """Columns and rows of the table of trials."""
    parent, _ = family()
    file = client.download_artifacts(parent.info.run_id, "tables/search.json")
    table = json.loads(Path(file).read_text())
    return table["columns"], [
        dict(zip(table["columns"], row, strict=True)) for row in table["data"]
    ]


def test_search_runs_the_trials_that_are_missing(
    write_plan, untrained_runs, client, family, capsys
):
    main(["ablate", str(write_plan(search={"ranges": RANGES, "trials": 2}))])
    assert [command for command, _ in untrained_runs] == ["fit", "fit"]
    untrained_runs.clear()
    main(["ablate", str(write_plan(search={"ranges": RANGES, "trials": 3}))])
    assert len(untrained_runs) == 1
    columns, rows = read_table(client, family)
    assert columns == ["trial", "val/accuracy", "state", "model.optimizer.lr", "run"]
    assert len(rows) == 3
    values = [client.get_run(row["run"]).data.metrics["val/accuracy"] for row in rows]
    assert [row["val/accuracy"] for row in rows] == values == sorted(values, reverse=True)
    parent, _ = family()
    figures = [f.path for f in client.list_artifacts(parent.info.run_id, "figures")]
    assert figures == ["figures/search.png"]
    printed = capsys.readouterr().out
    assert "The best of 3 trials (0 pruned):\nval/accuracy  settings" in printed
    assert "lightning_cli fit --config base.yaml --model.optimizer.lr=" in printed


def test_trial_is_trained_with_its_settings_and_stopped_early(
    write_plan, in_this_process, client, family, monkeypatch
):
    always = optuna.pruners.ThresholdPruner(lower=2.0)
    monkeypatch.setattr(optuna.pruners, "MedianPruner", lambda *number, **options: always)
    search = {"ranges": RANGES, "trials": 1}
    main(["ablate", str(write_plan(search=search)), "--trainer.max_epochs", "3"])
    assert [command for command, _ in in_this_process] == ["fit"]
    _, [row] = read_table(client, family)
    assert row["state"] == "pruned"
    assert len(client.get_metric_history(row["run"], "val/accuracy")) == 1
    run = client.get_run(row["run"])
    assert run.data.metrics["val/accuracy"] == row["val/accuracy"]
    assert float(run.data.params["model.optimizer.lr"]) == pytest.approx(row["model.optimizer.lr"])


def test_invalid_choice_is_reported_before_anything_runs(write_plan, in_this_process, capsys):
    ranges = {"data.augmentation": ["none", "nix"], **RANGES, "model.lrr": [1]}
    with pytest.raises(SystemExit, match="2"):
        main(["ablate", str(write_plan(search={"ranges": ranges}))])
    assert "has no key 'lrr'" in capsys.readouterr().err
    assert in_this_process == []


def test_failed_trial_is_reported(write_plan, in_this_process, capsys):
    search = {"ranges": {"model.optimizer.lr": [1e30]}, "trials": 1}
    with pytest.raises(SystemExit, match="1"):
        main(["ablate", str(write_plan(search=search))])
    printed = capsys.readouterr().out
    assert "lr 1e+30 failed: `fit` ended with status 1" in printed
    assert "No results yet: no trial has finished." in printed


@pytest.fixture
def study(tmp_path):
    """Three trials with 0.99 after each epoch, and the address of their database."""
    address = f"sqlite:///{tmp_path / 'optuna.db'}"
    study = optuna.create_study(storage=address, study_name="study", direction="maximize")
    for _ in range(3):
        trial = study.ask()
        for epoch in range(5):
            trial.report(0.99, epoch)
        study.tell(trial, 0.99)
    return study, address


def test_trial_below_the_median_is_stopped_after_the_first_epochs(
    study, make_classifier, make_trainer
):
    study, address = study
    trial = study.ask()
    callback = PruneTrial(address, "study", trial._trial_id, "val/accuracy", starts=1)
    optimizer = {"optimizer": lambda groups: torch.optim.SGD(groups, lr=0.0)}
    trainer = make_trainer(max_epochs=5, callbacks=[callback])
    trainer.fit(make_classifier(**optimizer), SyntheticDataModule(num_images=80, num_workers=0))
    frozen = study.get_trials()[-1]
    assert trainer.current_epoch == 2
    assert frozen.user_attrs == {PRUNED: 1}
    assert list(frozen.intermediate_values) == [0, 1]


def test_last_trial_on_another_machine_is_waited_for_and_not_run_here(
    write_plan, untrained_runs, client, family, monkeypatch
):
    monkeypatch.setenv("STUDIES", f"sqlite:///{Path('shared.db').resolve()}")
    main(["ablate", str(write_plan(search={"ranges": RANGES, "trials": 1, "storage": "$STUDIES"}))])
    untrained_runs.clear()
    [name] = optuna.get_all_study_names("sqlite:///shared.db")
    study = optuna.load_study(study_name=name, storage="sqlite:///shared.db")
    trial = study.ask()
    trial.suggest_float("model.optimizer.lr", 1e-4, 1e-2, log=True)
    monkeypatch.setattr(time, "sleep", lambda seconds: study.tell(trial, 2.0))
    main(["ablate", str(write_plan(search={"ranges": RANGES, "trials": 2, "storage": "$STUDIES"}))])
    assert untrained_runs == []
    _, rows = read_table(client, family)
    assert rows[0]["val/accuracy"] == 2.0
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("postgresql+nix://db/studies", "The driver of search.storage postgresql.nix://db/studies"),
        ("somewhere", "search.storage is somewhere; expected postgresql.psycopg://USER@HOST/DATAB"),
        ("sqlite:////nix/studies.db", "does not answer: unable to open database file"),
    ],
)
def test_storage_that_cannot_be_used_is_explained(address, message):
    with pytest.raises(ValueError, match=message):
        open_storage(address)
