"""A search by Optuna, with real studies and real runs."""

import json
from pathlib import Path

import optuna
import pytest
import torch

from datamodules import SyntheticDataModule
from lightning_app.commands.ablate.pruning import PRUNED, PruneTrial
from lightning_app.main import main

RANGES = {"model.optimizer.lr": {"low": 1e-4, "high": 1e-2, "log": True}}


def test_search_makes_so_many_trials_and_goes_on_where_it_stopped(
    write_plan, in_this_process, client, capsys
):
    main(["ablate", str(write_plan(search={"ranges": RANGES, "trials": 2}))])
    assert [command for command, _ in in_this_process] == ["fit", "fit"]
    in_this_process.clear()
    main(["ablate", str(write_plan(search={"ranges": RANGES, "trials": 3}))])
    assert len(in_this_process) == 1
    [experiment] = [e for e in client.search_experiments() if e.name == "parts"]
    runs = client.search_runs([experiment.experiment_id])
    [parent] = [run for run in runs if "ablation" in run.data.tags]
    file = client.download_artifacts(parent.info.run_id, "tables/search.json")
    table = json.loads(Path(file).read_text())
    assert table["columns"] == ["trial", "val/accuracy", "state", "model.optimizer.lr", "run"]
    best = {run.info.run_id: run for run in runs}[table["data"][0][-1]]
    assert best.data.metrics["val/accuracy"] == table["data"][0][1]
    lr = float(best.data.params["model.optimizer.lr"])
    assert lr == pytest.approx(table["data"][0][3])
    figures = [f.path for f in client.list_artifacts(parent.info.run_id, "figures")]
    assert figures == ["figures/search.png"]
    printed = capsys.readouterr().out
    assert "The best of 3 trials by val/accuracy, 0 of them pruned:" in printed
    assert "lightning_cli fit --config base.yaml --model.optimizer.lr=" in printed


def test_trial_that_was_stopped_early_is_called_so(
    write_plan, in_this_process, client, monkeypatch
):
    always = optuna.pruners.ThresholdPruner(lower=2.0)
    monkeypatch.setattr(optuna.pruners, "MedianPruner", lambda *number, **options: always)
    search = {"ranges": RANGES, "trials": 1}
    main(["ablate", str(write_plan(search=search)), "--trainer.max_epochs", "3"])
    [experiment] = [e for e in client.search_experiments() if e.name == "parts"]
    runs = client.search_runs([experiment.experiment_id])
    [parent] = [run for run in runs if "ablation" in run.data.tags]
    file = client.download_artifacts(parent.info.run_id, "tables/search.json")
    table = json.loads(Path(file).read_text())
    row = dict(zip(table["columns"], table["data"][0], strict=True))
    assert row["state"] == "pruned"
    assert len(client.get_metric_history(row["run"], "val/accuracy")) == 1


def test_wrong_choice_is_found_before_anything_runs(write_plan, in_this_process, capsys):
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
    assert "There is nothing to compare: no trial was finished." in printed


@pytest.fixture
def study(tmp_path):
    """Three trials that were at 0.99 after each epoch, and the address of their database."""
    address = f"sqlite:///{tmp_path / 'optuna.db'}"
    study = optuna.create_study(storage=address, study_name="study", direction="maximize")
    for _ in range(3):
        trial = study.ask()
        for epoch in range(5):
            trial.report(0.99, epoch)
        study.tell(trial, 0.99)
    return study, address


def test_hopeless_trial_is_stopped_after_the_first_epochs(study, make_classifier, make_trainer):
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
