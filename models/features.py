"""Features of many images, computed by a network that does not change."""

import hashlib
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn


@torch.inference_mode()
def compute_features(
    backbone: nn.Module, batches: Iterable[Sequence[Tensor]], num_images: int
) -> Tensor:
    """Compute the features of each image, in evaluation mode.

    Args:
        backbone: Maps images to features; its mode is the same afterwards.
        batches: Images in [0, 1] (N, C, H, W), labels and indices, on any device.
        num_images: Number of images; the indices are below it.

    Returns:
        Features (num_images, D), on the CPU; NaN for an image that is in no batch.
    """
    device, training = next(backbone.parameters()).device, backbone.training
    backbone.eval()
    features = torch.full((num_images, 0), torch.nan)
    for images, _, indices in batches:
        found = backbone(images.to(device)).float().cpu()
        if not features.shape[1]:
            features = torch.full((num_images, found.shape[1]), torch.nan)
        features[indices.cpu()] = found
    backbone.train(training)
    return features


def weights_digest(network: nn.Module) -> str:
    """Digest of a network's class and its weights, and of what it normalises with."""
    digest = hashlib.sha256(repr(network).encode())
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:32]
