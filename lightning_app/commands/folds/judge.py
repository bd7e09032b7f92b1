"""What is done with the networks of all folds: their predictions, their ensemble, its test."""

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

import yaml
from mlflow.entities import Run

from callbacks.tracking import store_table
from lightning_app.cli.child_runs.child_run import ChildRun
from lightning_app.cli.child_runs.claims import Claims
from lightning_app.cli.child_runs.parent_run import ParentRun
from lightning_app.cli.child_runs.runner import Runner
from lightning_app.cli.child_runs.shared_children import POLL
from lightning_app.cli.networks.derived_run import key_of
from lightning_app.cli.networks.ensembles import write_ensemble
from lightning_app.cli.networks.exportable import Exportable
from lightning_app.cli.recorded_data import build_data
from lightning_app.commands.folds.out_of_fold import OutOfFold, read_out_of_fold
from lightning_app.commands.folds.pictures import scores_of, store_pictures
from lightning_app.commands.folds.plan import fold_of
from lightning_app.commands.folds.results import FoldResults, fold_results
from lightning_app.commands.folds.tables import markdown
from lightning_app.store.checkpoints import read_checkpoint
from lightning_app.store.describe_run import OUT_OF_FOLD
from lightning_app.store.evaluations import Evaluation, evaluations_of, store_evaluations
from lightning_app.store.run_recorder import CLASS_NAMES
from lightning_app.store.stored_run import open_stored_run

ENSEMBLE = "ensemble"
TESTED = "folds.tested"  # tag of the parent run: digest of the networks whose ensemble was tested

Finished = Sequence[tuple[ChildRun, Run]]


def judge(parent: ParentRun, done: Finished, complete: bool, has_test: bool) -> FoldResults:
    """Log the out-of-fold predictions; of all folds, draw pictures, and test the ensemble.

    Args:
        parent: The parent run, which gets the results.
        done: The finished runs, one or more.
        complete: Whether no run is missing; else there is no ensemble yet.
        has_test: Whether there are test images.

    Raises:
        ChildRunFailed: If the ensemble cannot be tested.
    """
    client, run_id = parent.client, parent.run_id
    with contextlib.ExitStack() as stack:
        records = [stack.enter_context(open_stored_run(client, run)) for _, run in done]
        folds = [fold_of(child.variation) for child, _ in done]
        print(f"Joining     predictions of {len(done)} networks", flush=True)
        found = read_out_of_fold(list(zip(folds, records, strict=True)), _class_names(parent, done))
        _log_out_of_fold(parent, found)
        if complete:
            data = build_data(records[0], num_workers=0)
            data.prepare_data()
            print("Drawing     pictures of the out-of-fold predictions", flush=True)
            store_pictures(client, run_id, found, data)
            _ensemble(parent, done, has_test)
        own = stack.enter_context(open_stored_run(client, client.get_run(run_id)))
        names = [child.name for child, _ in done]
        tested = own if complete and has_test else None
        results = fold_results(list(zip(names, records, strict=True)), found, tested)
        store_table(client, run_id, results.columns(), "folds")
        client.log_text(run_id, markdown(results), "folds.md")
        if results.gains:
            store_table(client, run_id, results.gain_columns(), "ensemble")
        if complete and yaml.safe_load(records[0].text("config/config.yaml")).get("report"):
            client.update_run(run_id, status="FINISHED")  # so that the report does not deny it
            print("Writing     the report", flush=True)
            _run("report", parent, ChildRun("report", 0, (), "report"), run_id)
    return results


def _class_names(parent: ParentRun, done: Finished) -> list[str]:
    return list(read_checkpoint(_file(parent, done[0][1]))[CLASS_NAMES])


def _file(parent: ParentRun, run: Run) -> Path:
    file = parent.checkpoint(run, "best") or parent.checkpoint(run, "last")
    if file is None:
        raise ValueError(
            f"The checkpoint of the run {run.info.run_name} is not on this machine, so there is no "
            "ensemble. Use a shared folder, or --checkpoints upload."
        )
    return file


def _log_out_of_fold(parent: ParentRun, found: OutOfFold) -> None:
    """Log the table of predictions and its metrics."""
    client, run_id = parent.client, parent.run_id
    client.log_text(run_id, found.table().to_csv(index=False), f"predictions/{OUT_OF_FOLD}.csv")
    scores = scores_of(found)
    for name, value in scores.items():
        client.log_metric(run_id, f"{OUT_OF_FOLD}/{name}", value, step=0)
    with open_stored_run(client, client.get_run(run_id)) as own:
        others = [each for each in evaluations_of(own) if each.split != OUT_OF_FOLD]
    evaluation = Evaluation(
        OUT_OF_FOLD,
        "best of each fold",
        -1,
        len(found.images),
        time=time.time_ns() // 1_000_000,
        scores=scores,
    )
    store_evaluations(client, run_id, [*others, evaluation])


def _ensemble(parent: ParentRun, done: Finished, has_test: bool) -> None:
    """Write the ensemble, and test it unless it was tested before, or on another machine."""
    waited = False
    claims, key = Claims(parent.client, parent.run_id), key_of([run.info.run_id for _, run in done])
    while (other := claims.take(ENSEMBLE)) is not None:
        if not waited:
            print(f"Waiting     the ensemble is being tested on {other.host}", flush=True)
        waited = True
        time.sleep(POLL)
    try:
        if parent.client.get_run(parent.run_id).data.tags.get(TESTED) != key:
            _write_and_test(parent, done, has_test, key)
    finally:
        claims.stop()


def _write_and_test(parent: ParentRun, done: Finished, has_test: bool, key: str) -> None:
    client, run_id = parent.client, parent.run_id
    sources = [Exportable(str(_file(parent, run)), stored=(client, run)) for _, run in done]
    print(f"Writing     the ensemble of {len(done)} networks", flush=True)
    file = write_ensemble(client, parent.run, sources, parent.settings.root)
    if has_test:
        first = done[0][0]
        print("Testing     the ensemble on the test images", flush=True)
        child = ChildRun(ENSEMBLE, first.seed, first.arguments, ENSEMBLE)
        _run("test", parent, child, "--ckpt_path", str(file), "--report=false")
    client.set_tag(run_id, TESTED, key)


def _run(command: str, parent: ParentRun, child: ChildRun, *more: str) -> None:
    Runner(parent, (), 1).start(command, child, *more)
