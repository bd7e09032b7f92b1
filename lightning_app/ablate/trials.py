"""The trials of a search as artifacts of its parent run."""

import shlex
from typing import Any

import matplotlib.pyplot as plt
import optuna
from optuna.trial import FrozenTrial, TrialState
from optuna.visualization.matplotlib import plot_optimization_history, plot_param_importances

from callbacks.plots.legible import legible
from callbacks.tracking import store_table
from lightning_app.ablate.plan import Plan, as_argument
from lightning_app.ablate.runs import Family
from lightning_app.ablate.search import RUN_ID

SHOWN = 5  # trials on the console
FEWEST = 4  # trials from which one can learn which setting matters


def store_trials(family: Family, plan: Plan, study: optuna.Study) -> str:
    """Store all trials as a table and as figures, and say which are the best.

    Args:
        family: The runs.
        plan: With the search.
        study: Its trials.
    """
    direction = 1 if study.direction.name == "MINIMIZE" else -1
    valued = [trial for trial in study.get_trials() if trial.value is not None]
    valued.sort(key=lambda trial: direction * (trial.value or 0.0))
    if not valued:
        return "There is nothing to compare: no trial was finished."
    client, run_id, metric = family.client, family.parent_id, family.settings.monitor
    store_table(client, run_id, _columns(valued, metric), "search")
    client.log_text(run_id, _command(plan, valued[0]) + "\n", "best.txt")
    complete = [trial for trial in valued if trial.state == TrialState.COMPLETE]
    with plt.rc_context({"figure.figsize": (8.6, 4.4), "figure.dpi": 110}):
        _store(family, "search_history", plot_optimization_history(study, target_name=metric))
        if len(complete) >= FEWEST and len({trial.value for trial in complete}) > 1:
            _store(family, "search_importances", plot_param_importances(study))
    lines = [
        f"{trial.value:.4f}  {'stopped early  ' if trial.state == TrialState.PRUNED else ''}"
        + ", ".join(f"{name} {_short(value)}" for name, value in trial.params.items())
        for trial in valued[:SHOWN]
    ]
    return "\n".join(
        [
            f"The best of {len(valued)} trials by {metric}:",
            *lines,
            "Train the best with",
            f"  {_command(plan, valued[0])}",
        ]
    )


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


def _command(plan: Plan, trial: FrozenTrial) -> str:
    """What trains the settings of a trial again."""
    configs = [part for config in plan.configs for part in ("--config", str(config))]
    settings = [f"--{name}={as_argument(value)}" for name, value in trial.params.items()]
    return shlex.join(["lightning_cli", "fit", *configs, *settings])


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _store(family: Family, name: str, axes: Any) -> None:
    """Store what Optuna has drawn, and forget it."""
    figure = axes.figure
    family.client.log_figure(family.parent_id, legible(figure), f"figures/{name}.png")
    plt.close(figure)
