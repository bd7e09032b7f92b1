"""Evidence inside the subject: which share of a heat map lies in a box or mask."""

from torch import Tensor


def share_inside(maps: Tensor, masks: Tensor) -> Tensor:
    """Share of the positive mass of each map that lies inside the subject, (N,).

    It is NaN for a map without evidence. A map that does not know the subject has the share of the
    image that the subject covers, on average (energy-based pointing game, Wang et al., 2020).

    Args:
        maps: (N, H, W).
        masks: Pixels of the subject, boolean, (N, H, W).

    Raises:
        ValueError: If maps and masks differ in shape.
    """
    if maps.shape != masks.shape:
        raise ValueError(
            f"Expected a mask for each map {tuple(maps.shape)}, got {tuple(masks.shape)}."
        )
    mass = maps.double().clamp(min=0)
    return (mass * masks).sum(dim=(1, 2)) / mass.sum(dim=(1, 2))


def maximum_inside(maps: Tensor, masks: Tensor) -> Tensor:
    """Whether the maximum of each map lies on the subject, (N,), boolean; see `pointing_game`."""
    pixels = maps.flatten(1)
    hits = masks.flatten(1).gather(1, pixels.argmax(dim=1, keepdim=True))[:, 0]
    return hits & (pixels.amax(dim=1) > pixels.amin(dim=1))


def area_of(masks: Tensor) -> Tensor:
    """Share of each image that its subject covers, (N,), float64."""
    return masks.flatten(1).double().mean(dim=1)
