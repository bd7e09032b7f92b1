"""The filters of a convolution: what it looks for."""

from torch import Tensor, nn

from models.explain.feature_map import NothingToShow


def first_convolution(model: nn.Module) -> tuple[str, nn.Conv2d]:
    """Name and layer of the convolution that sees the image.

    Raises:
        NothingToShow: If the network has no two-dimensional convolution.
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            return name, module
    raise NothingToShow("The network has no convolution whose filters could be shown.")


def filters_of(layer: nn.Conv2d, num_filters: int) -> Tensor:
    """The first filters of a layer as pictures: (n, h, w, 3) if it sees RGB, else (n, h, w).

    A layer with neither one nor three input channels is shown by its first one.
    """
    weights = layer.weight.detach()[:num_filters].float().cpu()
    if weights.shape[1] == 3:
        return weights.permute(0, 2, 3, 1)
    return weights[:, 0]
