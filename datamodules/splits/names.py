"""Names of the splits."""

from typing import Literal, get_args

SplitName = Literal["train", "val", "test", "predict"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)
