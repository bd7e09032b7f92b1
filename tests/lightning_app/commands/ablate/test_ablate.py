"""An ablation from its file to its table; some tests start real processes."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from lightning_app.cli.child_runs import runner
from lightning_app.main import main
from lightning_app.store.checkpoints import find_checkpoint

DROPOUT = {"dropout": {"model.head.dropout": 0.5}}


def read_artifact(client, run, path):
    return Path(client.download_artifacts(run.info.run_id, path)).read_text()


@pytest.mark.slow
def test_failed_run_does_not_stop_the_others(write_plan, client, family, capfd):
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
    assert "huge rate, seed 0 failed: `fit` ended with status 1; the last lines of " in printed.out
    assert "is nan" in printed.out
    assert "1 of the runs failed" in printed.out
    assert children["base"].data.metrics["test/accuracy"] >= 0
    assert children["base"].data.metrics["time/epoch"] > 0


def test_finished_runs_are_not_repeated(write_plan, untrained_runs, family):
    main(["ablate", str(write_plan(variations=DROPOUT)), "--seeds", "0"])
    both = ["base", "dropout"]
    assert untrained_runs == [(c, f"{n}, seed 0") for n in both for c in ("fit", "test")]
    untrained_runs.clear()
    more = {**DROPOUT, "narrow": {"model.backbone.width": 2}}
    main(["ablate", str(write_plan(variations=more)), "--seeds", "0"])
    assert untrained_runs == [("fit", "narrow, seed 0"), ("test", "narrow, seed 0")]
    _, children = family()
    assert set(children) == {"base", "dropout", "narrow"}


def test_fresh_repeats_all_runs(write_plan, untrained_runs, client):
    for _ in range(2):
        main(["ablate", str(write_plan(variations=DROPOUT)), "--fresh"])
    assert len(untrained_runs) == 8
    [experiment] = [e for e in client.search_experiments() if e.name == "parts"]
    runs = client.search_runs([experiment.experiment_id], "tags.ablation = 'parts.yaml'")
    assert len(runs) == 2


def test_best_never_means_a_run_of_an_ablation(write_plan, untrained_runs):
    main(["ablate", str(write_plan(variations=DROPOUT))])
    with pytest.raises(ValueError, match=r"No run of the experiment 'parts' has"):
        find_checkpoint("best", "parts")
    assert find_checkpoint("dropout, seed 0").name == "best.ckpt"


def test_best_is_the_checkpoint_of_a_fit_beside_an_ablation(write_plan, untrained_runs, client):
    main(["fit", "--config", "base.yaml"])
    [experiment] = [e for e in client.search_experiments() if e.name == "parts"]
    [fit] = client.search_runs([experiment.experiment_id])
    main(["ablate", str(write_plan(variations=DROPOUT))])
    for found in (find_checkpoint("best", "parts"), find_checkpoint("last")):
        assert found.parent.name == fit.info.run_id


def test_results_are_stored_and_printed(write_plan, untrained_runs, client, family, capsys):
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
    names = ("ablation", "training", "recall_by_class", "classes_left_out")
    assert figures == {f"figures/{name}.png" for name in names}
    assert read_artifact(client, parent, "parts.yaml").startswith("base: base.yaml")
    assert "| base | " in read_artifact(client, parent, "ablation.md")
    printed = capsys.readouterr().out
    assert ["variation", "accuracy"] in [line.split()[:2] for line in printed.splitlines()]
    assert "the run is ablation parts" in printed


def test_validation_images_are_compared_if_the_plan_says_so(
    write_plan, untrained_runs, client, family
):
    main(["ablate", str(write_plan(variations=DROPOUT, split="val", base_name="plain"))])
    assert [command for command, _ in untrained_runs] == ["fit", "validate"] * 2
    parent, _ = family()
    table = pd.read_csv(client.download_artifacts(parent.info.run_id, "ablation.csv"))
    assert table.variation.tolist() == ["plain", "dropout"]
    assert "val/accuracy" in table


def test_error_in_a_variation_is_reported_before_anything_runs(
    write_plan, in_this_process, client, capsys
):
    plan = write_plan(variations={**DROPOUT, "wrong": {"model.head.dropuot": 0.5}})
    with pytest.raises(SystemExit, match="2"):
        main(["ablate", str(plan)])
    error = capsys.readouterr().err
    assert "has no key 'dropuot'.\n  Near names: dropout" in error
    assert "This setting belongs to variation 'wrong'." in error
    assert in_this_process == []
    assert [e.name for e in client.search_experiments()] == ["Default"]


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({}, "An ablation needs either `variations` or `search`"),
        ({"variations": DROPOUT, "base": "nix.yaml"}, "no configuration nix.yaml (base)"),
        (
            {"variations": DROPOUT, "base_name": "dropout"},
            "the name of the base, 'dropout'",
        ),
        (
            {"variations": DROPOUT, "seeds": [1, 1]},
            "from 0 to 4294967295, got [1, 1]",
        ),
        ({"variations": DROPOUT, "seeds": []}, "one or more different seeds"),
        ({"variations": DROPOUT, "seeds": [-1]}, "from 0 to 4294967295, got [-1]"),
        ({"variations": {"a": {"data.split.test": 0}}}, "no test images to compare on"),
        ({"variations": {"same": {}}}, "The variation 'same' changes nothing"),
        ({"variations": {"a": {"x": 1}, "b": {"x": 1}}}, "'a' and 'b' are the same"),
        ({"variations": {"a": {"seed_everything": 1}}}, "'a' sets seed_everything; `seeds:`"),
        ({"variations": {"a": {"trainer.logger.init_args.root": "x"}}}, "belong to one experiment"),
        ({"variations": {"a": {"data.batch_size": 0}}}, "data.batch_size is 0; expected 1"),
        (
            {"variations": {"a": {"trainer": {"logger": {"init_args": {"root": "x"}}}}}},
            "The runs of 'a' would not be stored with those of 'base'",
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
        ("", "parts.yaml has no settings"),
        ("base: b\nvariations: {1.0e+5: {x: 1}}", "Put the variation's name 100000.0 in quotes"),
        ("variations: {a: {x: 1}}", "add `base: configs/FILE.yaml`"),
        ("variations: {a: [1", "parts.yaml is not valid YAML"),
        ("base: b\nseeds:", "line 2: `seeds:` is empty"),
        ("base:\nvariations: {a: {x: 1}}", "line 1: `base:` is empty"),
        ("base: []\nvariations: {a: {x: 1}}", "line 1: `base:` is empty"),
        ("base: b\nvariations:\n  a: 3", "line 3: the variation 'a' has no settings"),
        ("base: b\nvariations:\n  a:", "line 3: the variation 'a' has no settings"),
        ("base: b\nvariations: {' ': {x: 1}}", "called ' '; expected a name of one line"),
        ("base: b\nvariations:\n  a: {x: 1}\n  a: {x: 2}", "line 4: duplicate key 'a'"),
    ],
)
def test_files_that_cannot_be_read_are_explained(workplace, capsys, text, message):
    Path("parts.yaml").write_text(text)
    with pytest.raises(SystemExit, match="1"):
        main(["ablate", "parts.yaml"])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argument", "message"),
    [("--seed_everything=3", "with --seeds 0 1 2"), ("--split", "`split:` belongs in the file")],
)
def test_settings_of_the_file_are_no_options(write_plan, capsys, argument, message):
    with pytest.raises(SystemExit, match="1"):
        main(["ablate", str(write_plan(variations=DROPOUT)), argument])
    assert message in capsys.readouterr().err


NAMES = ["- x", "lr 1e-3: low", "null", "both ' and \"", "[a, b]", "1.0e+5", "#1", "back\\slash"]


def test_a_variation_may_have_any_name(write_plan, untrained_runs, family):
    variations = {name: {"model.head.dropout": 0.1 * k} for k, name in enumerate(NAMES, 1)}
    main(["ablate", str(write_plan(variations=variations))])
    _, children = family()
    assert set(children) == {"base", *NAMES}
    assert {run.info.run_name for run in children.values()} == {
        f"{name}, seed 0" for name in ("base", *NAMES)
    }


def test_files_of_one_name_are_two_ablations(write_plan, untrained_runs, client):
    file = write_plan(variations=DROPOUT)
    Path("other").mkdir()
    other = Path("other") / file.name
    other.write_text(file.read_text())
    for plan in (file, other):
        main(["ablate", str(plan)])
    assert len(untrained_runs) == 8
    [experiment] = [e for e in client.search_experiments() if e.name == "parts"]
    runs = client.search_runs([experiment.experiment_id], "tags.ablation != ''")
    assert {run.data.tags["ablation"] for run in runs} == {"parts.yaml", "other/parts.yaml"}


def test_missing_file_is_named(workplace, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["ablate", "nix.yaml"])
    assert "There is no file nix.yaml." in capsys.readouterr().err


def test_runs_without_our_logger_are_rejected(write_plan, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["ablate", str(write_plan(variations=DROPOUT)), "--trainer.logger", "false"])
    assert "trainer.logger has to be RunLogger" in capsys.readouterr().err


ENDLESS = """
from pathlib import Path

from lightning.pytorch import Callback


class UntilFileExists(Callback):
    def on_train_epoch_end(self, trainer, pl_module):
        trainer.should_stop = Path("let_end").exists()
"""


@pytest.fixture
def endless(write_plan, workplace, monkeypatch):
    """Arguments of an ablation whose runs train until there is a file `let_end`."""
    (workplace / "endless.py").write_text(ENDLESS)
    monkeypatch.syspath_prepend(str(workplace))
    plan = write_plan(variations=DROPOUT)
    options = ["--trainer.max_epochs=100000", "--trainer.callbacks+=endless.UntilFileExists"]
    yield ["ablate", str(plan), *options]
    (workplace / "let_end").touch()


def wait_for_checkpoint(given_up=lambda: False):
    """Wait until a run has a checkpoint; the ten minutes only end a test that hangs."""
    deadline = time.monotonic() + 600
    while not list(Path().glob("mlruns/checkpoints/parts/*/last.ckpt")):
        if given_up() or time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_request_to_stop_reaches_the_child_and_the_same_command_resumes(
    endless, client, family, request, monkeypatch, capfd
):
    monkeypatch.setattr(runner, "GRACE", 600)  # a slow machine may take its time
    ended = threading.Event()

    def stop():
        if wait_for_checkpoint(ended.is_set):
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        with pytest.raises(SystemExit, match=str(128 + signal.SIGTERM)):
            main(endless)
    finally:
        ended.set()
        thread.join()
    assert "Asked to stop. The same command resumes." in capfd.readouterr().out
    parent, children = family()
    [base] = children.values()
    assert [parent.info.status, base.info.status] == ["KILLED", "KILLED"]
    printed = [log.read_text() for log in Path("mlruns").glob(f"*/{parent.info.run_id}/*.log")]
    assert any(printed)
    assert "leaked" not in "".join(printed)  # nanobind's word for objects that are never freed

    commands = request.getfixturevalue("in_this_process")
    Path("let_end").touch()
    main(endless)
    both = ["base", "dropout"]
    assert commands == [(c, f"{n}, seed 0") for n in both for c in ("fit", "test")]
    assert family()[1]["base"].info.run_id == base.info.run_id
    assert client.get_run(base.info.run_id).info.status == "FINISHED"


@pytest.mark.slow
def test_a_run_that_outlives_its_ablation_is_not_trained_twice(
    endless, client, family, request, monkeypatch
):
    class Killed(BaseException):
        pass

    def killed(process):
        if processes:  # the next run, begun before the exception arrived
            process.kill()
        else:
            processes.append(process)
        raise Killed

    processes = []
    with monkeypatch.context() as patch:  # what is left of a killed process is a run and its lock
        patch.setattr(subprocess.Popen, "wait", killed)
        patch.setattr(runner.Runner, "stop", lambda _: None)  # a killed process stops nothing
        with pytest.raises(Killed):
            main(endless)
    [outliving] = processes
    assert wait_for_checkpoint(lambda: outliving.poll() is not None)

    messages = []

    def write(text):
        messages.append(text)
        Path("let_end").touch()

    monkeypatch.setattr(runner, "tqdm", SimpleNamespace(write=write))
    commands = request.getfixturevalue("in_this_process")
    main(endless)
    assert messages == ["base, seed 0 is still running from an earlier start; waiting for it."]
    assert outliving.wait() == 0
    dropout = "dropout, seed 0"
    assert commands == [("test", "base, seed 0"), ("fit", dropout), ("test", dropout)]
    _, children = family()
    assert set(children) == {"base", "dropout"}
    for run in children.values():
        assert run.info.status == "FINISHED"
        points = client.get_metric_history(run.info.run_id, "val/accuracy")
        assert [point.step for point in points] == list(range(len(points)))
