"""Trials of a search as artifacts of its parent run."""

import shlex
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from callbacks.plots.search import plot_search
from callbacks.tracking import store_figure, store_table
from datamodules.redaction import redact_arguments
from lightning_app.cli.child_runs.parent_run import ParentRun
from lightning_app.commands.ablate.search import RUN_ID, TrialSearch, describe_settings
from lightning_app.output.console import Column, print_table

SHOWN = 5  # trials that are printed
MIN_TRIALS = 4  # from which the importance of the settings can be estimated


def log_trials(parent: ParentRun, search: TrialSearch) -> None:
    """Log all trials as a table and a figure, and print the best.

    Args:
        parent: The parent run.
        search: The search, after its trials.
    """
    study, metric = search.study, parent.settings.monitor
    direction = 1 if study.direction.name == "MINIMIZE" else -1
    trials = [trial for trial in study.get_trials() if trial.value is not None]
    trials.sort(key=lambda trial: direction * (trial.value or 0.0))
    if not trials:
        print("No results yet: no trial has finished.")
        return
    arguments = redact_arguments(search.child_run(trials[0]).arguments)
    command = shlex.join(["lightning_cli", "fit", *arguments])
    client, run_id = parent.client, parent.run_id
    store_table(client, run_id, _columns(trials, metric), "search")
    client.log_text(run_id, f"{command}\n", "best.txt")
    pruned = [trial.state == TrialState.PRUNED for trial in trials]
    figure = plot_search(
        np.array([trial.value for trial in trials]),
        {name: [trial.params[name] for trial in trials] for name in trials[0].params},
        _importances(study),
        np.array(pruned),
        metric,
        f"{parent.name}: {len(trials)} trials",
        log=[name for name, span in search.search.ranges.items() if getattr(span, "log", False)],
    )
    store_figure(client, run_id, figure, "figures/search.png")
    print_table(
        [Column(metric), Column("settings", wrap=True), Column("")],
        [
            (f"{trial.value:.4f}", describe_settings(trial.params), "pruned" * stopped)
            for trial, stopped in zip(trials[:SHOWN], pruned, strict=False)
        ],
        f"The best of {len(trials)} trials ({sum(pruned)} pruned):",
    )
    print(f"Train the best with\n  {command}")


def _columns(trials: list[FrozenTrial], metric: str) -> dict[str, list[Any]]:
    """Columns of a table with one row per trial, the best first."""
    columns: dict[str, list[Any]] = {
        "trial": [trial.number for trial in trials],
        metric: [trial.value for trial in trials],
        "state": [trial.state.name.lower() for trial in trials],
    }
    names = dict.fromkeys(name for trial in trials for name in trial.params)
    columns |= {name: [trial.params.get(name) for trial in trials] for name in names}
    return columns | {"run": [trial.user_attrs.get(RUN_ID) for trial in trials]}


def _importances(study: optuna.Study) -> dict[str, float]:
    """Share of the variance that each setting explains; empty if it cannot be estimated."""
    values = [trial.value for trial in study.get_trials(False, (TrialState.COMPLETE,))]
    if len(values) < MIN_TRIALS or len(set(values)) == 1:
        return {}
    return optuna.importance.get_param_importances(study)
