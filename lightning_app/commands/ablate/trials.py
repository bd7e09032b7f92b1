"""The trials of a search as artifacts of its parent run."""

import shlex
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from callbacks.plots.drawing.legible import legible
from callbacks.plots.search import plot_search
from callbacks.tracking import store_table
from lightning_app.commands.ablate.runs import Family
from lightning_app.commands.ablate.search import RUN_ID, TrialSearch, described

SHOWN = 5  # trials on the console
FEWEST = 4  # trials from which one can learn which setting matters


def store_trials(family: Family, search: TrialSearch) -> str:
    """Store all trials as a table and as figures, and say which are the best.

    Args:
        family: The runs.
        search: Has made them.
    """
    study = search.study
    direction = 1 if study.direction.name == "MINIMIZE" else -1
    valued = [trial for trial in study.get_trials() if trial.value is not None]
    valued.sort(key=lambda trial: direction * (trial.value or 0.0))
    if not valued:
        return "There is nothing to compare: no trial was finished."
    pruned = [trial.state == TrialState.PRUNED for trial in valued]
    client, run_id, metric = family.client, family.parent_id, family.settings.monitor
    store_table(client, run_id, _columns(valued, metric), "search")
    command = shlex.join(["lightning_cli", "fit", *search.child(valued[0]).arguments])
    client.log_text(run_id, f"{command}\n", "best.txt")
    figure = plot_search(
        np.array([trial.value for trial in valued]),
        {name: [trial.params[name] for trial in valued] for name in valued[0].params},
        _importances(study),
        np.array(pruned),
        metric,
        f"{family.parent.info.run_name}: {len(valued)} trials",
        log=[name for name, span in search.wanted.ranges.items() if getattr(span, "log", False)],
    )
    client.log_figure(run_id, legible(figure), "figures/search.png")
    lines = [
        f"{trial.value:.4f}  {described(trial.params)}{', pruned' * stopped}"
        for trial, stopped in zip(valued[:SHOWN], pruned, strict=False)
    ]
    head = f"The best of {len(valued)} trials by {metric}, {sum(pruned)} of them pruned:"
    return "\n".join([head, *lines, "Train the best with", f"  {command}"])


def _columns(trials: list[FrozenTrial], metric: str) -> dict[str, list[Any]]:
    """A row a trial, the best first."""
    columns: dict[str, list[Any]] = {
        "trial": [trial.number for trial in trials],
        metric: [trial.value for trial in trials],
        "state": [trial.state.name.lower() for trial in trials],
    }
    names = dict.fromkeys(name for trial in trials for name in trial.params)
    columns |= {name: [trial.params.get(name) for trial in trials] for name in names}
    return columns | {"run": [trial.user_attrs.get(RUN_ID) for trial in trials]}


def _importances(study: optuna.Study) -> dict[str, float]:
    """Share of the variation that comes from each setting; nothing where it cannot be known."""
    values = [trial.value for trial in study.get_trials(False, (TrialState.COMPLETE,))]
    if len(values) < FEWEST or len(set(values)) == 1:
        return {}
    return optuna.importance.get_param_importances(study)
