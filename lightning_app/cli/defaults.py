"""Defaults of the trainer, its logger and its checkpoints, and the library warnings to hide."""

from typing import Any

TRAINER: dict[str, Any] = {
    "default_root_dir": "mlruns",
    "logger": {"class_path": "lightning_app.store.RunLogger"},
    "plugins": [{"class_path": "lightning_app.store.AtomicCheckpointIO"}],
    "use_distributed_sampler": False,  # our samplers share the images among processes
    "log_every_n_steps": 10,
    "enable_model_summary": False,  # it is an artifact of the run
}

LOG_MODEL = True  # at the end of a fit

BEST_CHECKPOINT: dict[str, Any] = {
    "filename": "best",
    "monitor": "val/accuracy",
    "mode": "max",
    "save_on_train_epoch_end": True,  # after the whole epoch, so that resuming repeats nothing
    "enable_version_counter": False,
}

LAST_CHECKPOINT: dict[str, Any] = {
    "filename": "last",
    "save_on_train_epoch_end": True,
    "save_on_exception": True,
    "enable_version_counter": False,
}

# Warnings of libraries about our defaults, of which the user need not know.
IGNORED_WARNINGS = (
    r".*does not have many workers.*",
    r".*args parameter is intended to run from within Python.*",
    r".*smaller than the logging interval.*",
    r"(?s).*Dump of a value that does not round-trip.*",
    r".*Checkpoint directory .* exists and is not empty.*",
    r".*sync_dist=True.*",
    r".*LeafSpec.* is deprecated.*",
    r".*WeightAveraging callback, but loading a checkpoint outside.*",
    r".*your dataloader is not resumable.*",  # our samplers are: datamodules/loaders.py
)
