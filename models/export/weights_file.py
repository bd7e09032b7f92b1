"""Files of safetensors: the weights alone, with the description as metadata; no graph."""

from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save

from models.export.description import Description
from models.export.exported_network import ExportedNetwork


def write_weights(network: ExportedNetwork, description: Description, file: Path) -> None:
    """Write the weights by the names that they have in our checkpoints."""
    # Tensors may share memory, which the format does not know.
    weights = {name: value.clone() for name, value in network.network.state_dict().items()}
    file.write_bytes(save(weights, {"format": "pt", **description.metadata()}))


class WeightsNetwork:
    """A network whose weights are those of a safetensors file.

    Args:
        file: The file.
        network: The network of the checkpoint; its weights are replaced while this one runs.

    Attributes:
        description: Description of the network, which is stored in the file.

    Raises:
        ValueError: If the file has other weights, or does not describe its network.
    """

    def __init__(self, file: Path, network: ExportedNetwork) -> None:
        with safe_open(file, "pt") as content:
            self.description = Description.from_metadata(content.metadata() or {})
            self._weights = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
        if self._weights.keys() != network.network.state_dict().keys():
            raise ValueError(f"{file} does not have the weights of this network.")
        self._network = network

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Probabilities, (N, K), of images (N, C, H, W) with values in 0…255."""
        weights = {f"network.{name}": value for name, value in self._weights.items()}
        with torch.inference_mode():
            given = (torch.from_numpy(images),)
            found = torch.func.functional_call(self._network, weights, given)
        return found[0].numpy()
