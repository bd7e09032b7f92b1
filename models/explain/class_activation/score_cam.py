"""Score-CAM: channels are weighted by the logits of the images that they mask."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from models.explain.class_activation.capture import features_of, to_heat
from models.explain.map_layout import ToMap


def score_cam(
    model: nn.Module,
    layer: nn.Module,
    images: Tensor,
    classes: Tensor,
    to_map: ToMap | None = None,
    batch_size: int = 64,
) -> Tensor:
    """Score-CAM (Wang et al., 2020): evidence from forward passes, without gradients.

    Each channel, scaled to [0, 1], masks the image. The weights of the channels are the softmax,
    over the channels, of the logits of the class for the masked images. The paper subtracts the
    logit of a black image first, which does not change the softmax.

    Arguments, result and errors are those of `grad_cam`. It takes one forward pass per channel, so
    often 512 or 2048 for an image; `batch_size` masked images at a time limit the memory.
    """
    features = features_of(model, layer, images, to_map)
    num_channels = features.shape[1]
    channels = features.flatten(0, 1)[:, None]
    scores: list[Tensor] = []
    with torch.no_grad():
        for rows in torch.arange(len(channels), device=images.device).split(batch_size):
            owners = rows // num_channels
            logits = model(images[owners] * _masks(channels[rows], images))
            scores.append(logits.gather(1, classes[owners, None])[:, 0])
    weights = torch.cat(scores).float().view(-1, num_channels, 1, 1).softmax(dim=1)
    return to_heat((weights * features).sum(dim=1), images)


def _masks(channels: Tensor, images: Tensor) -> Tensor:
    """Channels (M, 1, h, w), scaled to [0, 1] and resized to the images; constant ones become 0."""
    masks = interpolate(channels, images.shape[2:], mode="bilinear", align_corners=False)
    low, high = masks.amin(dim=(2, 3), keepdim=True), masks.amax(dim=(2, 3), keepdim=True)
    return (masks - low) / (high - low).clamp_min(torch.finfo(masks.dtype).tiny)
