"""Optuna search: each trial is a child run."""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import optuna
from optuna.storages import fail_stale_trials
from optuna.trial import FrozenTrial, TrialState

from lightning_app.cli.child_runs.child_run import ChildRun, ChildRunFailed
from lightning_app.cli.child_runs.runner import Runner
from lightning_app.commands.ablate.plan import Plan, as_argument
from lightning_app.commands.ablate.pruning import PRUNED, PruneTrial
from lightning_app.commands.ablate.search_space import Range
from lightning_app.commands.ablate.study_storage import open_storage

STUDIES = "optuna.db"  # in the folder of the store
POLL = 5.0  # seconds between two looks at the trials of other machines
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
RUN_ID = "run_id"  # attribute of a trial


class TrialSearch:
    """Runs the trials of a study, and resumes a study that was stopped.

    The name of the study depends on its parent run and its ranges. So a changed search starts a
    new study, and the same command on several machines shares the trials of one study, if they have
    the same MLflow server and `search.storage`, or a folder in common.

    Args:
        runner: Runs the child runs.
        plan: A plan with a search.
        overrides: Arguments of `fit` for all trials.
    """

    def __init__(self, runner: Runner, plan: Plan, overrides: Sequence[str]) -> None:
        assert plan.search is not None
        self.runner, self.plan, self.search = runner, plan, plan.search
        self.overrides, settings = overrides, runner.parent.settings
        self.monitor, self._num_own = settings.monitor, 0
        local = f"sqlite:///{(settings.root / STUDIES).resolve()}"
        self.address = self.search.storage or local
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        self.study = optuna.create_study(
            storage=open_storage(self.address),
            study_name=f"{runner.parent.run_id} {plan.search_key(overrides)}",
            direction="minimize" if settings.mode == "min" else "maximize",
            # No seed: with one, a second start would sample the first trials again.
            sampler=optuna.samplers.TPESampler(),
            load_if_exists=True,
        )

    @property
    def num_missing(self) -> int:
        """Number of trials that have not finished."""
        return max(0, self.search.trials - len(self.study.get_trials(False, FINISHED)))

    def run(self, done: Callable[[str, float | None, bool, ChildRunFailed | None], None]) -> None:
        """Run the trials that are missing.

        Args:
            done: Called with each trial that has ended: its settings, its value, whether it was
                pruned, and its failure.
        """

        def objective(trial: optuna.Trial) -> float:
            for name, span in self.search.ranges.items():
                _suggest(trial, name, span)
            child = self.child_run(trial)
            try:
                value = self._score(trial, child)
            except ChildRunFailed as failure:
                done(child.variation, None, False, failure)
                raise
            # `trial` itself does not see what another process has written.
            pruned = PRUNED in self.study.get_trials(deepcopy=False)[trial.number].user_attrs
            done(child.variation, value, pruned, None)
            if pruned:
                raise optuna.TrialPruned
            return value

        left = self.num_missing  # trials that fail are not replaced without end
        with self.runner.stopping():
            while self.num_missing and left:
                wanted = min(left, self.num_missing - self._num_running())
                if wanted <= 0:  # the last ones run on other machines
                    time.sleep(POLL)
                    fail_stale_trials(self.study)
                    continue
                before = self._num_own
                self.study.optimize(
                    objective,
                    wanted,
                    n_jobs=self.runner.jobs,
                    catch=(ChildRunFailed,),
                    callbacks=[self._stop_if_enough],
                )
                left -= self._num_own - before

    def _num_running(self) -> int:
        return len(self.study.get_trials(False, (TrialState.RUNNING,)))

    def _stop_if_enough(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Start no more trials if those that run, here and elsewhere, are the last ones."""
        self._num_own += 1
        if self.num_missing <= self._num_running():
            study.stop()

    def child_run(self, trial: optuna.Trial | FrozenTrial) -> ChildRun:
        """The run of a trial, named after its settings."""
        name = describe_settings(trial.params)
        return self.plan.child_run(name, self.plan.seeds[0], trial.params, self.overrides)

    def _score(self, trial: optuna.Trial, child: ChildRun) -> float:
        """Train, and return the best value of the metric over the epochs."""
        parent = self.runner.parent
        run = self.runner.run(child, *(self._pruning_arguments(trial) if self.search.prune else ()))
        trial.set_user_attr(RUN_ID, run.info.run_id)
        points = parent.client.get_metric_history(run.info.run_id, self.monitor)
        values = [point.value for point in points]
        if not values:
            raise ChildRunFailed(f"it has no metric {self.monitor}.")
        return min(values) if parent.settings.mode == "min" else max(values)

    def _pruning_arguments(self, trial: optuna.Trial) -> list[str]:
        """Arguments of `fit` that add the pruning callback to a run."""
        options = {
            "storage": self.address,
            "study": self.study.study_name,
            "trial": trial._trial_id,
            "monitor": self.monitor,
            "starts": self.search.pruning_starts,
        }
        name = f"{PruneTrial.__module__}.{PruneTrial.__name__}"
        own = [f"--trainer.callbacks.{key}={value}" for key, value in options.items()]
        return [f"--trainer.callbacks+={name}", *own]


def describe_settings(settings: Mapping[str, Any]) -> str:
    """Settings on one line: `lr 0.00044, augmentation none`."""
    return ", ".join(
        f"{name.rsplit('.', 1)[-1]} {f'{value:.3g}' if isinstance(value, float) else value}"
        for name, value in settings.items()
    )


def _suggest(trial: optuna.Trial, name: str, span: list[Any] | Range) -> None:
    """Let Optuna choose the value of a setting."""
    if isinstance(span, list):
        trial.suggest_categorical(name, [as_argument(value) for value in span])
    elif isinstance(span.low, int) and isinstance(span.high, int):
        trial.suggest_int(name, span.low, span.high, log=span.log)
    else:
        trial.suggest_float(name, span.low, span.high, log=span.log)
