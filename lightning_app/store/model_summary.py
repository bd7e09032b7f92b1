"""The network layer by layer, as text."""

import torch
import torchinfo
from torch import nn

DEPTH = 4  # of the modules that are listed
COLUMNS = ("output_size", "kernel_size", "num_params", "trainable")


def summarize(model: nn.Module, num_channels: int, image_size: int) -> str:
    """Layers with their outputs, kernels and parameters; what trains; sizes in MB.

    One black image goes through the network, which is left as it was.

    Args:
        model: The network.
        num_channels: Of the images.
        image_size: Their side, in pixels.
    """
    try:
        found = torchinfo.summary(
            model,
            input_data=torch.zeros(1, num_channels, image_size, image_size),
            depth=DEPTH,
            col_names=COLUMNS,
            row_settings=("var_names",),
            mode="eval",
            device="cpu",
            verbose=0,
        )
    except RuntimeError as error:
        raise (error.__cause__ or error) from None  # what the network says of such images
    return str(found)
