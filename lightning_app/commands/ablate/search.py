"""Optuna looks for the best settings: each trial is a run beneath the parent."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import optuna
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.study import MaxTrialsCallback
from optuna.trial import FrozenTrial, TrialState

from lightning_app.commands.ablate.children import ChildFailed, Runner
from lightning_app.commands.ablate.plan import Child, Plan, as_argument
from lightning_app.commands.ablate.pruning import PRUNED, PruneTrial
from lightning_app.commands.ablate.search_space import Range

STUDIES = "optuna.db"  # beside the runs
HEARTBEAT, GRACE = 15, 60  # seconds; a trial whose process is gone is repeated after that
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
RUN_ID = "run_id"  # attribute of a trial


class TrialSearch:
    """Makes the trials of a study, and goes on with one that was stopped.

    The study is called after its parent run and its ranges: a search that is changed begins anew,
    and the same command on several machines that share the folder of the store shares its trials.

    Args:
        runner: Starts the runs.
        plan: One with a search.
        overrides: Arguments of `fit` for all trials.
    """

    def __init__(self, runner: Runner, plan: Plan, overrides: Sequence[str]) -> None:
        assert plan.search is not None
        self.runner, self.plan, self.wanted = runner, plan, plan.search
        self.overrides, settings = overrides, runner.family.settings
        self.monitor = settings.monitor
        self.address = f"sqlite:///{(settings.root / STUDIES).resolve()}"
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = RDBStorage(
            self.address,
            heartbeat_interval=HEARTBEAT,
            grace_period=GRACE,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(),
        )
        self.study = optuna.create_study(
            storage=storage,
            study_name=f"{runner.family.parent_id} {plan.search_key(overrides)}",
            direction="minimize" if settings.mode == "min" else "maximize",
            # Without a seed, by which a second start would draw the first trials again.
            sampler=optuna.samplers.TPESampler(),
            load_if_exists=True,
        )

    @property
    def missing(self) -> int:
        """Trials that have still to be made."""
        return max(0, self.wanted.trials - len(self.study.get_trials(False, FINISHED)))

    def run(self, done: Callable[[str, float | None, bool, ChildFailed | None], None]) -> None:
        """Make the trials that are missing.

        Args:
            done: Told of each that has ended: its settings, its value, whether it was pruned, and
                what was wrong.
        """

        def objective(trial: optuna.Trial) -> float:
            for name, span in self.wanted.ranges.items():
                _suggest(trial, name, span)
            child = self.child(trial)
            try:
                value = self._score(trial, child)
            except ChildFailed as failure:
                done(child.variation, None, False, failure)
                raise
            # Not of `trial`, which does not see what another process has written.
            pruned = PRUNED in self.study.get_trials(deepcopy=False)[trial.number].user_attrs
            done(child.variation, value, pruned, None)
            if pruned:
                raise optuna.TrialPruned
            return value

        with self.runner.stopping():
            if self.missing:
                enough = MaxTrialsCallback(self.wanted.trials, FINISHED)
                jobs = self.runner.jobs
                self.study.optimize(
                    objective, self.missing, None, jobs, (ChildFailed,), callbacks=[enough]
                )

    def child(self, trial: optuna.Trial | FrozenTrial) -> Child:
        """The run of a trial, called after its settings."""
        name = described(trial.params)
        return self.plan.child(name, self.plan.seeds[0], trial.params, self.overrides)

    def _score(self, trial: optuna.Trial, child: Child) -> float:
        """Train, and return the best value of the metric over the epochs."""
        run = self.runner.run(child, *(self._pruning(trial) if self.wanted.prune else ()))
        trial.set_user_attr(RUN_ID, run.info.run_id)
        client = self.runner.family.client
        points = client.get_metric_history(run.info.run_id, self.monitor)
        values = [point.value for point in points]
        if not values:
            raise ChildFailed(f"it has no metric {self.monitor}.")
        return min(values) if self.runner.family.settings.mode == "min" else max(values)

    def _pruning(self, trial: optuna.Trial) -> list[str]:
        """Arguments that add the callback to a run."""
        options = {
            "storage": self.address,
            "study": self.study.study_name,
            "trial": trial._trial_id,
            "monitor": self.monitor,
            "starts": self.wanted.pruning_starts,
        }
        name = f"{PruneTrial.__module__}.{PruneTrial.__name__}"
        own = [f"--trainer.callbacks.{key}={value}" for key, value in options.items()]
        return [f"--trainer.callbacks+={name}", *own]


def described(settings: Mapping[str, Any]) -> str:
    """`lr 0.00044, augmentation none`."""
    return ", ".join(
        f"{name.rsplit('.', 1)[-1]} {f'{value:.3g}' if isinstance(value, float) else value}"
        for name, value in settings.items()
    )


def _suggest(trial: optuna.Trial, name: str, span: list[Any] | Range) -> None:
    """Let Optuna choose a value of a setting."""
    if isinstance(span, list):
        trial.suggest_categorical(name, [as_argument(value) for value in span])
    elif isinstance(span.low, int) and isinstance(span.high, int):
        trial.suggest_int(name, span.low, span.high, log=span.log)
    else:
        trial.suggest_float(name, span.low, span.high, log=span.log)
