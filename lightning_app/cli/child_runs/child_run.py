"""A child run: its command line, and the key by which a finished one is found again."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lightning_app.store.parameters import affects_training

MAX_SEED = 2**32 - 1  # the largest that NumPy accepts


class ChildRunFailed(RuntimeError):
    """A child run ended with an error; the message describes it."""


@dataclass(frozen=True)
class ChildRun:
    """A run that belongs to a parent run.

    Attributes:
        variation: What distinguishes it from the others, beside the seed.
        seed: Its seed.
        arguments: Its command line after `fit`.
        key: Digest of the base and of the arguments that affect the result; a finished run with the
            same key is not repeated.
    """

    variation: str
    seed: int
    arguments: tuple[str, ...]
    key: str

    @property
    def name(self) -> str:
        """Name of the run in MLflow."""
        return f"{self.variation}, seed {self.seed}"


def child_run(variation: str, seed: int, arguments: Sequence[str], contents: str) -> ChildRun:
    """A child run.

    Args:
        variation: See `ChildRun`.
        seed: Its seed.
        arguments: Its command line after `fit`, without the seed.
        contents: Text of its configurations, which are part of the key.
    """
    whole = (*arguments, f"--seed_everything={seed}")
    text = json.dumps([contents, list(relevant(whole))])
    return ChildRun(variation, seed, whole, hashlib.sha256(text.encode()).hexdigest()[:16])


def relevant(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments that affect the result: none about pictures or progress bars."""
    silent = False
    for argument in arguments:
        if argument.startswith("--"):
            silent = not affects_training(argument[2:].partition("=")[0])
        if not silent:
            yield argument


def check_seeds(seeds: Sequence[int]) -> None:
    """Refuse seeds that are out of range, or there twice.

    Raises:
        ValueError: If there is no seed, or such a one.
    """
    wrong = len(set(seeds)) < len(seeds) or min(seeds, default=-1) < 0
    if wrong or max(seeds) > MAX_SEED:
        raise ValueError(
            f"Expected one or more different seeds from 0 to {MAX_SEED}, got {[*seeds]}."
        )
