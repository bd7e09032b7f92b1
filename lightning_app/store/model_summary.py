"""Model summary: the network layer by layer, as text."""

import torch
import torchinfo
from torch import nn
from torchinfo.torchinfo import clear_cached_forward_pass

DEPTH = 4  # of nested modules to list
COLUMNS = ("output_size", "kernel_size", "num_params", "trainable")


def summarize(model: nn.Module, num_channels: int, image_size: int) -> str:
    """List layers with outputs, kernels, parameters, what is trainable, and sizes in MB.

    One black image passes through the network, which is left unchanged.

    Args:
        model: The network.
        num_channels: Channels of the images.
        image_size: Side of the images, in pixels.
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
        raise (error.__cause__ or error) from None  # the network's own error
    finally:
        clear_cached_forward_pass()  # else torchinfo keeps the network, and with it the trainer
    return str(found)
