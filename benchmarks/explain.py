"""What do the pictures cost, beside the usual ways to make them?

    uv run python benchmarks/explain.py
    uv run python benchmarks/explain.py --quick      # without the confusions of 200 classes

Each row compares two ways that give the same result, which is checked first; they take turns, on
one thread. Times are CPU time, medians over rounds; ratios are medians of the rounds' ratios.
Grad-CAM: timm's ResNet-50, untrained, eight images of 160 x 160 pixels, relative to a forward pass
without gradients, and beside captum's and pytorch-grad-cam's. Saliency: the vanilla gradient of 32
images of 64 x 64 pixels by a ResNet-18, in one batch against one after the other. The others are
scripts of their own: `explain_activation_maximisation.py`, `explain_sheets.py`, and
`explain_confusion.py`.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import explain_activation_maximisation
import explain_confusion
import explain_sheets
import pytorch_grad_cam
import timm
import torch
from captum.attr import LayerAttribution, LayerGradCam
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor

from models.explain import grad_cam, vanilla_gradient

ROUNDS = 7
Way = Callable[[], Tensor]


def take_turns(ways: dict[str, Way]) -> dict[str, list[float]]:
    """Seconds of the CPU of each way in each round; the first round warms up."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name, way in ways.items():
            started = time.process_time()
            way()
            times[name].append(time.process_time() - started)
    return {name: values[1:] for name, values in times.items()}


def ratio(times: dict[str, list[float]], name: str, base: str) -> float:
    """Median of the rounds' ratios."""
    return median(a / b for a, b in zip(times[name], times[base], strict=True))


def compare_grad_cam() -> dict[str, float]:
    """Cost of each way, relative to a forward pass without gradients.

    Raises:
        AssertionError: If the maps differ.
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

    ways = {
        "forward": forward,
        "ours": lambda: grad_cam(model, layer, images, classes),
        "captum": captum,
        "pytorch-grad-cam": peer,
    }
    maps = ways["ours"]()
    torch.testing.assert_close(maps, captum(), rtol=0, atol=1e-5)
    low = maps.amin(dim=(1, 2), keepdim=True)  # pytorch-grad-cam makes every map run from 0 to 1
    torch.testing.assert_close((maps - low) / (1 - low).clamp_min(1e-30), peer(), rtol=0, atol=1e-5)
    times = take_turns(ways)
    return {name: ratio(times, name, "forward") for name in ways}


def compare_saliency() -> float:
    """How many times longer one image at a time takes.

    Raises:
        AssertionError: If the gradients differ.
    """
    torch.manual_seed(0)
    model = timm.create_model("resnet18", num_classes=10).eval()
    images, classes = torch.rand(32, 3, 64, 64), torch.arange(32) % 10

    def one_by_one() -> Tensor:
        pairs = zip(images.split(1), classes.split(1), strict=True)
        return torch.cat([vanilla_gradient(model, image, label) for image, label in pairs])

    ways = {"batch": lambda: vanilla_gradient(model, images, classes), "one by one": one_by_one}
    torch.testing.assert_close(ways["batch"](), one_by_one(), rtol=1e-4, atol=1e-6)
    return ratio(take_turns(ways), "one by one", "batch")


def main() -> None:
    """Print a row for each picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out confusions of 200 classes")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    print(f"{'picture':34} {'beside':32} ratio    aim")

    def row(picture: str, beside: str, value: float, aim: str = "") -> None:
        print(f"{picture:34} {beside:32} {value:6.2f}  {aim:>5}", flush=True)

    for name, value in compare_grad_cam().items():
        if name != "forward":
            row(f"Grad-CAM, {name}", "a forward pass", value, "<=1.1" if name == "ours" else "")
    row("saliency, one by one", "in a batch", compare_saliency(), ">=2.4")
    model = explain_activation_maximisation.network()
    explain_activation_maximisation.check(model)
    times = explain_activation_maximisation.measure()
    aims = {"block1": ">=150", explain_activation_maximisation.ALL: ">=3"}
    for name, value in explain_activation_maximisation.ratios(times).items():
        row(f"one filter at a time, {name}", "all at once", value, aims.get(name, ""))
    for size in explain_sheets.SIZES:
        value = explain_sheets.compare(size=size)["ratio"]
        row(f"64 subplots, filters {size} x {size}", "one sheet", value, ">=10")
    for classes, rounds in explain_confusion.ROUNDS.items():
        if classes == 50 or not quick:
            value = explain_confusion.compare(classes, rounds)["ratio"]
            aim = ">=50" if classes == 200 else ""
            row(f"torchmetrics, {classes} classes", "our confusion matrix", value, aim)


if __name__ == "__main__":
    main()
