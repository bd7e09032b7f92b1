"""Exported network: pixels in, probabilities out; nothing is left to do outside."""

import torch
from torch import Tensor, nn

from models.evaluation.prediction_sets import LEVEL, LEVELS, scores_of_ranked
from models.evaluation.uncertainty import Uncertainty

MAX_PIXEL = 255.0


class ExportedNetwork(nn.Module):
    """A network with all that belongs to it: the range of the pixels, normalisation, temperature.

    Args:
        network: Maps images in [0, 1], (N, C, H, W), to logits (N, K), and normalises them itself.
        temperature: Divides the logits (Guo et al., 2017); 1 leaves the probabilities as they are.
        uncertainty: Thresholds of prediction sets and unknown images, if there are any; `network`
            then has `features_and_logits`, as `ImageClassifier` has.
    """

    def __init__(
        self,
        network: nn.Module,
        temperature: float = 1.0,
        uncertainty: Uncertainty | None = None,
    ) -> None:
        super().__init__()
        self.network, self.temperature = network.float().eval(), temperature
        self.uncertainty = uncertainty
        if uncertainty is not None and uncertainty.neighbours is not None:
            self.register_buffer("bank", uncertainty.neighbours.bank)
        for tensor in (*self.parameters(), *self.buffers()):  # files know no channels last
            tensor.data = tensor.data.contiguous()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Classify images.

        Args:
            images: uint8 or float32 with values in 0…255, (N, C, H, W).

        Returns:
            Probabilities, (N, K), and logits before they are divided by the temperature, (N, K). If
            the network can tell: which classes are in the prediction set, bool, (N, K), and whether
            the image is unlike those of the dataset, bool, (N,).
        """
        images = images.to(torch.float32) / MAX_PIXEL
        if self.uncertainty is None:
            logits = self.network(images)
            return (logits / self.temperature).softmax(dim=1), logits
        features, logits = self.network.features_and_logits(images)  # pyright: ignore[reportCallIssue]
        sets, neighbours = self.uncertainty.sets, self.uncertainty.neighbours
        limit = sets.overall[LEVELS.index(LEVEL)]
        found = ((logits / self.temperature).softmax(dim=1), logits)
        # Not `sort`: ONNX has no stable one.
        ranked = logits.softmax(dim=1).topk(logits.shape[1], dim=1)
        found += (scores_of_ranked(*ranked) <= limit,)
        if neighbours is None:
            return found
        similarity = neighbours._replace(bank=self.bank).similarity(features)
        return (*found, similarity < neighbours.threshold)


def random_images(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Random images, uint8, (N, C, H, W): noise, and every second one smooth, as photographs are.

    Args:
        shape: Number of images, channels, height and width.
        seed: Of the random numbers; the global ones are left alone.
    """
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(shape, generator=generator)
    coarse = torch.rand((*shape[:2], 4, 4), generator=generator)
    smooth = nn.functional.interpolate(coarse, shape[2:], mode="bicubic", align_corners=False)
    images[1::2] = smooth[1::2]
    return (images * MAX_PIXEL).round().clamp(0, MAX_PIXEL).to(torch.uint8)
