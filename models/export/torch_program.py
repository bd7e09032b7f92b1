"""Files of `torch.export` (.pt2): run by torch, in Python or C++, without the network's code."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.export.description import Description
from models.export.trace import Traced

DESCRIPTION = "description.json"  # extra file in the archive


def write_program(traced: Traced, description: Description, file: Path) -> None:
    """Write a traced network, with its description as an extra file in the archive."""
    with file.open("wb") as stream:  # given a path, torch warns unless it ends in .pt2
        torch.export.save(traced.program, stream, extra_files={DESCRIPTION: description.to_json()})


class TorchProgram:
    """A network of a `.pt2` file, on the CPU.

    Args:
        file: The file, from a source that you trust.

    Attributes:
        description: Description of the network, which is stored in the file.
    """

    def __init__(self, file: Path) -> None:
        extra: dict[str, Any] = {DESCRIPTION: ""}
        with file.open("rb") as stream:
            self._network = torch.export.load(stream, extra_files=extra).module()
        self.description = Description.from_json(extra[DESCRIPTION])

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Probabilities, (N, K), of images (N, C, H, W) with values in 0…255."""
        given = torch.from_numpy(images.astype(self.description.input_type))
        with torch.inference_mode():
            return self._network(given)[0].numpy()
