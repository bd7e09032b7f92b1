"""Strategies of the trainer that are refused, since they split the network."""

from typing import Any

SPLITTING = ("fsdp", "deepspeed", "modelparallel")  # in a name or a class path


def check_strategy(strategy: Any) -> None:
    """Refuse a strategy that leaves each process with a part of the network.

    Args:
        strategy: Setting of the trainer, a name or a class with its arguments.

    Raises:
        ValueError: If it is one.
    """
    name = str(strategy if isinstance(strategy, str) else getattr(strategy, "class_path", ""))
    plain = name.lower().replace("_", "")
    if any(word in plain for word in SPLITTING):
        raise ValueError(
            f"trainer.strategy is {name}, which leaves each process with a part of the network. "
            "Pictures, unfreezing and checkpoints need all of it. Image classifiers fit on one "
            "GPU: use ddp, with a smaller batch or trainer.precision bf16-mixed if memory is short."
        )
