"""Pruning callback: reports the metric of a trial to Optuna, and stops an unpromising run."""

import optuna
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info

from lightning_app.commands.ablate.study_storage import load_study

PRUNED = "pruned"  # attribute of a trial
NUM_UNPRUNED = 3  # trials that run to their end before others are compared with them


class PruneTrial(Callback):
    """Report the metric of a search after each epoch; the search adds this callback to its runs.

    Args:
        storage: Address of the database of the studies.
        study: Name of the study.
        trial: Id of the trial in the database.
        monitor: Metric to report.
        starts: First epoch after which the trial may be stopped.
    """

    def __init__(self, storage: str, study: str, trial: int, monitor: str, starts: int) -> None:
        self.storage, self.study, self.trial = storage, study, trial
        self.monitor = monitor
        # The database of a study does not hold its pruner.
        self.pruner = optuna.pruners.MedianPruner(NUM_UNPRUNED, n_warmup_steps=starts)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Report, and stop the training if other trials were better at this epoch."""
        value = trainer.callback_metrics.get(self.monitor)
        prune = False
        if trainer.is_global_zero and value is not None:
            study = load_study(self.storage, self.study, self.pruner)
            trial = optuna.Trial(study, self.trial)
            trial.report(float(value), trainer.current_epoch)
            if prune := trial.should_prune():
                trial.set_user_attr(PRUNED, trainer.current_epoch)
        if trainer.strategy.broadcast(prune):
            rank_zero_info(f"Pruned after epoch {trainer.current_epoch}: other trials were better.")
            trainer.should_stop = True
