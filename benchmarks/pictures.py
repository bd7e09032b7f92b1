"""Cost of pictures relative to other implementations: Grad-CAM, saliency, filters, confusion.

    uv run python benchmarks/pictures.py
    uv run python benchmarks/pictures.py --quick      # without the confusion matrix of 200 classes

Each row of the table compares two implementations. First their results are checked to be equal.
Then the two alternate on one thread, and their CPU times are divided in each round; the table shows
the median over rounds.

- Grad-CAM of this project, captum and pytorch-grad-cam, relative to a forward pass without
  gradients: timm's ResNet-50, untrained, eight images of 160 x 160 pixels.
- Saliency, image by image instead of in one batch: the vanilla gradient of a ResNet-18, 32 images
  of 64 x 64 pixels.
- The other rows are measured by `activation_maximisation.py`, `filter_mosaic.py` and
  `confusion_matrix.py`, which can be run on their own.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import activation_maximisation
import confusion_matrix
import filter_mosaic
import pytorch_grad_cam
import timm
import torch
from captum.attr import LayerAttribution, LayerGradCam
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor

from models.explain import grad_cam, vanilla_gradient

QUICK = ["--quick"]
ROUNDS = 7
Implementation = Callable[[], Tensor]


def measure(implementations: dict[str, Implementation]) -> dict[str, list[float]]:
    """CPU seconds of each implementation in each round; a first round warms up."""
    times: dict[str, list[float]] = {name: [] for name in implementations}
    for _ in range(ROUNDS + 1):
        for name, implementation in implementations.items():
            started = time.process_time()
            implementation()
            times[name].append(time.process_time() - started)
    return {name: values[1:] for name, values in times.items()}


def median_ratio(times: dict[str, list[float]], name: str, base: str) -> float:
    """Median over rounds of the time of one implementation divided by that of another."""
    return median(a / b for a, b in zip(times[name], times[base], strict=True))


def compare_grad_cam() -> dict[str, float]:
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
    times = measure(implementations)
    return {name: median_ratio(times, name, "forward") for name in implementations}


def compare_saliency() -> float:
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
    times = measure({"batch": batch, "one by one": one_by_one})
    return median_ratio(times, "one by one", "batch")


def main() -> None:
    """Print one row per comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="leave out the confusion matrix of 200 classes"
    )
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    print(f"{'time of':45}  {'relative to':30}  {'ratio':>6}  {'target':>6}")

    def row(measured: str, base: str, ratio: float, target: str = "") -> None:
        print(f"{measured:45}  {base:30}  {ratio:6.2f}  {target:>6}", flush=True)

    for name, ratio in compare_grad_cam().items():
        if name != "forward":
            target = "<=1.1" if name == "this project" else ""
            row(f"Grad-CAM, {name}", "forward pass", ratio, target)
    row("saliency, image by image", "saliency, one batch", compare_saliency(), ">=2.4")
    times = activation_maximisation.measure()
    targets = {"block1": ">=150", activation_maximisation.TOTAL: ">=3"}
    for name, ratio in activation_maximisation.ratios(times).items():
        measured = f"activation maximisation one by one, {name}"
        row(measured, "all filters at once", ratio, targets.get(name, ""))
    for size in filter_mosaic.SIZES:
        ratio = filter_mosaic.compare(size=size)["ratio"]
        row(f"64 subplots, filters of {size} x {size}", "mosaic", ratio, ">=10")
    for classes, rounds in confusion_matrix.ROUNDS.items():
        if classes == 50 or not quick:
            ratio = confusion_matrix.compare(classes, rounds)["ratio"]
            target = ">=50" if classes == 200 else ""
            measured = f"confusion matrix of {classes} classes, torchmetrics"
            row(measured, "confusion matrix, this project", ratio, target)


if __name__ == "__main__":
    main()
