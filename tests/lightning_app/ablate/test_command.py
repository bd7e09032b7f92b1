"""An ablation from its file to its table; processes are real in the first test."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from lightning_app.main import main

DROPOUT = {"dropout": {"model.head.dropout": 0.5}}


@pytest.fixture
def family(client):
    """The parent run and its children, by variation."""

    def find():
        [experiment] = [e for e in client.search_experiments() if e.name == "parts"]
        runs = client.search_runs([experiment.experiment_id])
        [parent] = [run for run in runs if "ablation" in run.data.tags]
        children = [r for r in runs if r.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
        return parent, {run.data.tags["variation"]: run for run in children}

    return find


def read_artifact(client, run, path):
    return Path(client.download_artifacts(run.info.run_id, path)).read_text()


def test_failure_of_one_child_does_not_stop_the_others(write_plan, client, family, capfd):
    file = write_plan(variations={"huge rate": {"model.optimizer.lr": 1e30}})
    with pytest.raises(SystemExit, match="1"):
        main(["ablate", str(file), "--jobs", "2"])
    parent, children = family()
    states = {name: run.info.status for name, run in children.items()}
    assert states == {"base": "FINISHED", "huge rate": "FAILED"}
    assert parent.info.status == "FINISHED"
    table = json.loads(read_artifact(client, parent, "tables/ablation.json"))
    assert [row[0] for row in table["data"]] == ["base"]
    printed = capfd.readouterr()
    assert "huge rate, seed 0 failed: `fit` ended with status 1; mlruns/ablations/" in printed.out
    assert "is nan" in printed.out
    assert children["base"].data.metrics["test/accuracy"] >= 0
    assert children["base"].data.metrics["time/epoch"] > 0


def test_finished_children_are_not_repeated(write_plan, in_this_process, family):
    main(["ablate", str(write_plan(variations=DROPOUT)), "--seeds", "0"])
    both = ["base", "dropout"]
    assert in_this_process == [(c, f"{n}, seed 0") for n in both for c in ("fit", "test")]
    in_this_process.clear()
    more = {**DROPOUT, "narrow": {"model.backbone.width": 2}}
    main(["ablate", str(write_plan(variations=more)), "--seeds", "0"])
    assert in_this_process == [("fit", "narrow, seed 0"), ("test", "narrow, seed 0")]
    _, children = family()
    assert set(children) == {"base", "dropout", "narrow"}


def test_fresh_begins_anew(write_plan, in_this_process, client):
    for _ in range(2):
        main(["ablate", str(write_plan(variations=DROPOUT)), "--fresh"])
    assert len(in_this_process) == 8
    [experiment] = [e for e in client.search_experiments() if e.name == "parts"]
    runs = client.search_runs([experiment.experiment_id], "tags.ablation = 'parts'")
    assert len(runs) == 2


def test_interrupted_child_goes_on_from_its_checkpoint(write_plan, in_this_process, family, client):
    main(["ablate", str(write_plan(variations=DROPOUT)), "--trainer.max_epochs", "2"])
    _, children = family()
    run_id = children["dropout"].info.run_id
    client.set_terminated(run_id, "KILLED")
    in_this_process.clear()
    main(["ablate", str(write_plan(variations=DROPOUT)), "--trainer.max_epochs", "2"])
    assert in_this_process == [("fit", "dropout, seed 0"), ("test", "dropout, seed 0")]
    assert family()[1]["dropout"].info.run_id == run_id
    assert client.get_run(run_id).info.status == "FINISHED"


def test_results_are_stored_and_printed(write_plan, in_this_process, client, family, capsys):
    variations = {"no checks": {"data.options.exclude_classes": ["checks"]}, **DROPOUT}
    main(["ablate", str(write_plan(variations=variations, seeds=[0, 1]))])
    parent, _ = family()
    table = pd.read_csv(client.download_artifacts(parent.info.run_id, "ablation.csv"))
    assert table.variation.tolist() == ["base", "no checks", "no checks: other classes", "dropout"]
    assert table.seeds.tolist() == [2, 2, 2, 2]
    table = table.drop(index=2)
    difference = table["test/accuracy"] - table["test/accuracy"][0]
    assert table.difference[1:].tolist() == pytest.approx(difference[1:].tolist())
    assert table.p_value[1:].between(0, 1).all()
    figures = {f.path for f in client.list_artifacts(parent.info.run_id, "figures")}
    names = ("ablation", "accuracy_by_class", "classes_left_out")
    assert figures == {f"figures/{name}.png" for name in names}
    assert read_artifact(client, parent, "parts.yaml").startswith("base: base.yaml")
    assert "| base | " in read_artifact(client, parent, "ablation.md")
    printed = capsys.readouterr().out
    assert "variation  accuracy" in printed
    assert "the run is ablation parts" in printed


def test_validation_images_are_compared_where_the_plan_says_so(
    write_plan, in_this_process, client, family
):
    main(["ablate", str(write_plan(variations=DROPOUT, split="val", base_name="plain"))])
    assert [command for command, _ in in_this_process] == ["fit", "validate"] * 2
    parent, _ = family()
    table = pd.read_csv(client.download_artifacts(parent.info.run_id, "ablation.csv"))
    assert table.variation.tolist() == ["plain", "dropout"]
    assert "val/accuracy" in table


def test_mistake_in_a_variation_is_found_before_anything_runs(
    write_plan, in_this_process, client, capsys
):
    plan = write_plan(variations={**DROPOUT, "wrong": {"model.head.dropuot": 0.5}})
    with pytest.raises(SystemExit, match="2"):
        main(["ablate", str(plan)])
    assert "has no key 'dropuot'.\n  Near names: dropout" in capsys.readouterr().err
    assert in_this_process == []
    assert [e.name for e in client.search_experiments()] == ["Default"]


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({}, "An ablation needs `variations` or `search`, one of the two"),
        ({"variations": DROPOUT, "base": "nix.yaml"}, "no configuration nix.yaml (base)"),
        ({"variations": DROPOUT, "base_name": "dropout"}, "is called 'dropout', as the base is"),
        ({"variations": DROPOUT, "seeds": [1, 1]}, "none of them twice; got [1, 1]"),
    ],
)
def test_wrong_plans_are_explained(write_plan, capsys, plan, message):
    with pytest.raises(SystemExit):
        main(["ablate", str(write_plan(**plan))])
    assert message in capsys.readouterr().err


def test_missing_file_is_named(workplace, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["ablate", "nix.yaml"])
    assert "There is no file nix.yaml." in capsys.readouterr().err


def test_runs_that_are_kept_elsewhere_are_refused(write_plan, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["ablate", str(write_plan(variations=DROPOUT)), "--trainer.logger", "false"])
    assert "trainer.logger has to be RunLogger" in capsys.readouterr().err


def test_a_request_to_stop_reaches_the_child(write_plan, workplace, store_template):
    plan = write_plan(variations=DROPOUT)
    command = [sys.executable, "-m", "lightning_app", "ablate", str(plan)]
    long = ["--trainer.max_epochs", "100000"]
    process = subprocess.Popen([*command, *long], cwd=workplace, stdout=subprocess.DEVNULL)
    client = MlflowClient(f"sqlite:///{workplace / 'mlruns' / 'mlflow.db'}")
    deadline = time.monotonic() + 120
    while not list(workplace.glob("mlruns/checkpoints/parts/*/last.ckpt")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        os.sched_yield()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 128 + signal.SIGTERM
    [experiment] = [e for e in client.search_experiments() if e.name == "parts"]
    states = [run.info.status for run in client.search_runs([experiment.experiment_id])]
    assert states == ["KILLED", "KILLED"]
