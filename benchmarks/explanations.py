"""Cost of Grad-CAM and saliency relative to other implementations.

    uv run python benchmarks/explanations.py

Each row of the table compares two implementations. First their results are checked to be equal.
Then the two alternate on one thread, and their CPU times are divided in each round; the table shows
the median over rounds.

- Grad-CAM of this project, captum and pytorch-grad-cam, relative to a forward pass without
  gradients: timm's ResNet-50, untrained, eight images of 160 x 160 pixels.
- Saliency, image by image instead of in one batch: the vanilla gradient of a ResNet-18, 32 images
  of 64 x 64 pixels.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytorch_grad_cam
import timm
import torch
from captum.attr import LayerAttribution, LayerGradCam
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from results import options_of, publish
from torch import Tensor

from models.explain import grad_cam, vanilla_gradient

QUICK = ["--rounds", "2"]
ROUNDS = 7
Implementation = Callable[[], Tensor]


def measure(implementations: dict[str, Implementation], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each implementation in each round; a first round warms up."""
    times: dict[str, list[float]] = {name: [] for name in implementations}
    for _ in range(rounds + 1):
        for name, implementation in implementations.items():
            started = time.process_time()
            implementation()
            times[name].append(time.process_time() - started)
    return {name: values[1:] for name, values in times.items()}


def median_ratio(times: dict[str, list[float]], name: str, base: str) -> float:
    """Median over rounds of the time of one implementation divided by that of another."""
    return median(a / b for a, b in zip(times[name], times[base], strict=True))


def compare_grad_cam(rounds: int) -> dict[str, float]:
    """Time of each Grad-CAM relative to a forward pass without gradients.

    Raises:
        AssertionError: If the heat maps differ.
    """
    torch.manual_seed(0)
    model = timm.create_model("resnet50", num_classes=10).eval()
    layer, images, classes = (
        model.get_submodule("layer4"),
        torch.rand(8, 3, 160, 160),
        torch.arange(8),
    )
    targets: list[Any] = [ClassifierOutputTarget(int(label)) for label in classes]

    @torch.no_grad()
    def forward() -> Tensor:
        return model(images)

    def captum() -> Tensor:
        small: Any = LayerGradCam(model, layer).attribute(images, classes, relu_attributions=True)
        maps = LayerAttribution.interpolate(small, images.shape[2:], "bilinear")[:, 0].detach()
        return maps / maps.amax(dim=(1, 2), keepdim=True).clamp_min(1e-30)

    def peer() -> Tensor:
        with pytorch_grad_cam.GradCAM(model, [layer]) as cam:
            return torch.from_numpy(cam(images, targets))

    implementations = {
        "forward": forward,
        "this project": lambda: grad_cam(model, layer, images, classes),
        "captum": captum,
        "pytorch-grad-cam": peer,
    }
    maps = implementations["this project"]()
    torch.testing.assert_close(maps, captum(), rtol=0, atol=1e-5)
    low = maps.amin(dim=(1, 2), keepdim=True)  # pytorch-grad-cam stretches each map to [0, 1]
    torch.testing.assert_close((maps - low) / (1 - low).clamp_min(1e-30), peer(), rtol=0, atol=1e-5)
    times = measure(implementations, rounds)
    return {name: median_ratio(times, name, "forward") for name in implementations}


def compare_saliency(rounds: int) -> float:
    """Time of saliency image by image, relative to all images in one batch.

    Raises:
        AssertionError: If the gradients differ.
    """
    torch.manual_seed(0)
    model = timm.create_model("resnet18", num_classes=10).eval()
    images, classes = torch.rand(32, 3, 64, 64), torch.arange(32) % 10

    def batch() -> Tensor:
        return vanilla_gradient(model, images, classes)

    def one_by_one() -> Tensor:
        pairs = zip(images.split(1), classes.split(1), strict=True)
        return torch.cat([vanilla_gradient(model, image, label) for image, label in pairs])

    torch.testing.assert_close(batch(), one_by_one(), rtol=1e-4, atol=1e-6)
    times = measure({"batch": batch, "one by one": one_by_one}, rounds)
    return median_ratio(times, "one by one", "batch")


def main() -> None:
    """Publish one row per comparison."""
    parser = options_of(__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = [
        {"time of": f"Grad-CAM, {name}", "relative to": "forward pass", "ratio": ratio}
        | {"aim": "<= 1.1" if name == "this project" else None}
        for name, ratio in compare_grad_cam(options.rounds).items()
        if name != "forward"
    ]
    saliency = {"time of": "saliency, image by image", "relative to": "saliency, one batch"}
    rows.append({**saliency, "ratio": compare_saliency(options.rounds), "aim": ">= 2.4"})
    publish("explanations", rows, options.out)


if __name__ == "__main__":
    main()
