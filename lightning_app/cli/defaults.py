"""What a command does unless its configuration says otherwise."""

from typing import Any

TRAINER: dict[str, Any] = {
    "default_root_dir": "mlruns",
    "logger": {"class_path": "RunLogger"},
    "plugins": [{"class_path": "AtomicCheckpointIO"}],
    "use_distributed_sampler": False,  # ours share out the images themselves
    "log_every_n_steps": 10,
    "enable_model_summary": False,  # it is an artifact of the run
}

BEST: dict[str, Any] = {
    "filename": "best",
    "monitor": "val/accuracy",
    "mode": "max",
    "save_on_train_epoch_end": True,  # when the epoch is over, so that nothing of it is repeated
    "enable_version_counter": False,
}

LAST: dict[str, Any] = {
    "filename": "last",
    "save_on_train_epoch_end": True,
    "save_on_exception": True,
    "enable_version_counter": False,
}

# What the libraries say of our defaults that is no news to the user.
QUIET = (
    r".*does not have many workers.*",
    r".*args parameter is intended to run from within Python.*",
    r".*smaller than the logging interval.*",
    r"(?s).*Dump of a value that does not round-trip.*",
    r".*Checkpoint directory .* exists and is not empty.*",
    r".*sync_dist=True.*",
    r".*LeafSpec.* is deprecated.*",
    r".*WeightAveraging callback, but loading a checkpoint outside.*",
)
