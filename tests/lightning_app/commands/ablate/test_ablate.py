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
from lightning_app.store.checkpoints import find_checkpoint

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
    assert parent.info.status == "FAILED"
    table = json.loads(read_artifact(client, parent, "tables/ablation.json"))
    assert [row[0] for row in table["data"]] == ["base"]
    printed = capfd.readouterr()
    assert "huge rate, seed 0 failed: `fit` ended with status 1; mlruns/ablations/" in printed.out
    assert "is nan" in printed.out
    assert "1 of the runs failed" in printed.out
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
    runs = client.search_runs([experiment.experiment_id], "tags.ablation = 'parts.yaml'")
    assert len(runs) == 2


def test_without_a_fit_there_is_no_best(write_plan, in_this_process):
    main(["ablate", str(write_plan(variations=DROPOUT))])
    with pytest.raises(ValueError, match=r"Those of ablations do not count, but can be named"):
        find_checkpoint("best", "parts")
    assert find_checkpoint("dropout, seed 0").name == "best.ckpt"


def test_best_is_the_best_of_a_fit_not_of_an_ablation(write_plan, in_this_process, client):
    main(["fit", "--config", "base.yaml"])
    [experiment] = [e for e in client.search_experiments() if e.name == "parts"]
    [fit] = client.search_runs([experiment.experiment_id])
    main(["ablate", str(write_plan(variations=DROPOUT))])
    for found in (find_checkpoint("best", "parts"), find_checkpoint("last")):
        assert found.parent.name == fit.info.run_id


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
    assert ["variation", "accuracy"] in [line.split()[:2] for line in printed.splitlines()]
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
    error = capsys.readouterr().err
    assert "has no key 'dropuot'.\n  Near names: dropout" in error
    assert "That is told to the runs of 'wrong'." in error
    assert in_this_process == []
    assert [e.name for e in client.search_experiments()] == ["Default"]


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({}, "An ablation needs `variations` or `search`, one of the two"),
        ({"variations": DROPOUT, "base": "nix.yaml"}, "no configuration nix.yaml (base)"),
        ({"variations": DROPOUT, "base_name": "dropout"}, "is called 'dropout', as the base is"),
        ({"variations": DROPOUT, "seeds": [1, 1]}, "none twice, each 0 to 4294967295; got [1, 1]"),
        ({"variations": DROPOUT, "seeds": []}, "one seed or more"),
        ({"variations": DROPOUT, "seeds": [-1]}, "each 0 to 4294967295; got [-1]"),
        ({"variations": {"a": {"data.split.test": 0}}}, "no test images to compare on"),
        ({"variations": {"same": {}}}, "The variation 'same' changes nothing"),
        ({"variations": {"a": {"x": 1}, "b": {"x": 1}}}, "'a' and 'b' are the same"),
        ({"variations": {"a": {"seed_everything": 1}}}, "'a' sets seed_everything; `seeds:`"),
        ({"variations": {"a": {"trainer.logger.init_args.root": "x"}}}, "in one experiment"),
        ({"variations": {"a": {"data.batch_size": 0}}}, "data.batch_size is 0; expected 1"),
        (
            {"variations": {"a": {"trainer": {"logger": {"init_args": {"root": "x"}}}}}},
            "The runs of 'a' would be kept elsewhere than those of 'base'",
        ),
    ],
)
def test_wrong_plans_are_explained(write_plan, capsys, plan, message):
    with pytest.raises(SystemExit):
        main(["ablate", str(write_plan(**plan))])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "parts.yaml holds no settings"),
        ("base: b\nvariations: {1.0e+5: {x: 1}}", "Put the variation's name 100000.0 into quotes"),
        ("variations: {a: {x: 1}}", "add `base: configs/FILE.yaml`"),
        ("variations: {a: [1", "parts.yaml is no YAML"),
        ("base: b\nseeds:", "line 2: `seeds:` is empty"),
        ("base:\nvariations: {a: {x: 1}}", "line 1: `base:` is empty"),
        ("base: []\nvariations: {a: {x: 1}}", "line 1: `base:` is empty"),
        ("base: b\nvariations:\n  a: 3", "line 3: the variation 'a' has no settings"),
        ("base: b\nvariations:\n  a:", "line 3: the variation 'a' has no settings"),
        ("base: b\nvariations: {' ': {x: 1}}", "called ' '; expected a name of one line"),
        ("base: b\nvariations:\n  a: {x: 1}\n  a: {x: 2}", "line 4: 'a' stands there twice"),
    ],
)
def test_files_that_cannot_be_read_are_explained(workplace, capsys, text, message):
    Path("parts.yaml").write_text(text)
    with pytest.raises(SystemExit, match="1"):
        main(["ablate", "parts.yaml"])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argument", "message"),
    [("--seed_everything=3", "with --seeds 0 1 2"), ("--split", "`split:` belongs into the file")],
)
def test_what_the_file_says_is_not_for_the_command_line(write_plan, capsys, argument, message):
    with pytest.raises(SystemExit, match="1"):
        main(["ablate", str(write_plan(variations=DROPOUT)), argument])
    assert message in capsys.readouterr().err


NAMES = ["- x", "lr 1e-3: low", "null", "both ' and \"", "[a, b]", "1.0e+5", "#1", "back\\slash"]


def test_a_variation_may_be_called_anything(write_plan, in_this_process, family):
    variations = {name: {"model.head.dropout": 0.1 * k} for k, name in enumerate(NAMES, 1)}
    limits = ("--trainer.limit_train_batches=1", "--pictures.activation_maximisation=false")
    main(["ablate", str(write_plan(variations=variations)), *limits])
    _, children = family()
    assert set(children) == {"base", *NAMES}
    assert {run.info.run_name for run in children.values()} == {
        f"{name}, seed 0" for name in ("base", *NAMES)
    }


def test_files_of_one_name_are_two_ablations(write_plan, in_this_process, client):
    file = write_plan(variations=DROPOUT)
    Path("other").mkdir()
    other = Path("other") / file.name
    other.write_text(file.read_text())
    for plan in (file, other):
        main(["ablate", str(plan)])
    assert len(in_this_process) == 8
    [experiment] = [e for e in client.search_experiments() if e.name == "parts"]
    runs = client.search_runs([experiment.experiment_id], "tags.ablation != ''")
    assert {run.data.tags["ablation"] for run in runs} == {"parts.yaml", "other/parts.yaml"}


def test_missing_file_is_named(workplace, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["ablate", "nix.yaml"])
    assert "There is no file nix.yaml." in capsys.readouterr().err


def test_runs_that_are_kept_elsewhere_are_refused(write_plan, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["ablate", str(write_plan(variations=DROPOUT)), "--trainer.logger", "false"])
    assert "trainer.logger has to be RunLogger" in capsys.readouterr().err


@pytest.fixture
def start_long(write_plan, workplace, store_template):
    """Start an ablation in a process of its own, and wait until its first run has a checkpoint."""
    processes = []

    def start(max_epochs):
        command = [sys.executable, "-m", "lightning_app", "ablate", str(plan)]
        long = ["--trainer.max_epochs", str(max_epochs)]
        process = subprocess.Popen([*command, *long], cwd=workplace, stdout=subprocess.PIPE)
        processes.append(process)
        return process

    def wait(process):
        deadline = time.monotonic() + 120
        while not list(workplace.glob("mlruns/checkpoints/parts/*/last.ckpt")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            os.sched_yield()

    plan = write_plan(variations=DROPOUT)
    start.wait = wait
    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_a_request_to_stop_reaches_the_child(start_long, workplace):
    process = start_long(100000)
    start_long.wait(process)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert b"The same command goes on from here." in output
    client = MlflowClient(f"sqlite:///{workplace / 'mlruns' / 'mlflow.db'}")
    [experiment] = [e for e in client.search_experiments() if e.name == "parts"]
    states = [run.info.status for run in client.search_runs([experiment.experiment_id])]
    assert states == ["KILLED", "KILLED"]


def test_a_run_that_outlives_its_ablation_is_not_trained_twice(start_long, workplace):
    epochs = 40
    process = start_long(epochs)
    start_long.wait(process)
    process.kill()
    process.wait()
    again = start_long(epochs)
    output, _ = again.communicate(timeout=240)
    assert b"base, seed 0 is still running since an earlier start; waiting" in output
    assert again.returncode == 0
    client = MlflowClient(f"sqlite:///{workplace / 'mlruns' / 'mlflow.db'}")
    [experiment] = [e for e in client.search_experiments() if e.name == "parts"]
    runs = client.search_runs([experiment.experiment_id], "tags.variation != ''")
    assert sorted(run.data.tags["variation"] for run in runs) == ["base", "dropout"]
    for run in runs:
        points = client.get_metric_history(run.info.run_id, "val/accuracy")
        assert [point.step for point in points] == list(range(epochs))
