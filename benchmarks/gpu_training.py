"""Images per second of training a network: bare loops and fits, on several kinds of input.

In bf16-mixed with channels last and a fused AdamW. `of peak` is the share of the peak of the device
(MFU): three times the operations of a forward pass, from `torch.utils.flop_counter`. `of synthetic`
is the rate relative to that of images which are on the device, `of bare` relative to a bare loop.
"""

import gc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from gpu_bare import bare_steps, timed
from gpu_data import Place
from gpu_fit import Timing, clock_of, fit
from gpu_machine import Settings, forward_operations, utilisation
from photographs import write_photographs
from torch import nn

from models import ImageClassifier, SmallCNN, TimmBackbone, TorchvisionBackbone
from models.backbones.backbone import Backbone

PHOTOGRAPHS = 256  # of 500 x 375 pixels, 110 KB
IN_MEMORY = 2048
INPUTS: dict[Place, str] = {"device": "synthetic", "memory": "memory", "files": "JPEG"}
BACKBONES: dict[str, dict[str, Any]] = {
    "ResNet-50": {"class_path": "TorchvisionBackbone", "init_args": {"name": "resnet50"}},
    "ViT-S/16": {"class_path": "TimmBackbone", "init_args": {"name": "vit_small_patch16_224"}},
}
KINDS: dict[str, type[Backbone]] = {
    kind.__name__: kind for kind in (SmallCNN, TimmBackbone, TorchvisionBackbone)
}
TINY = {"class_path": "SmallCNN", "init_args": {"width": 4}}


@dataclass(frozen=True)
class Work:
    """A network and what it trains on.

    Attributes:
        network: Its name in the table.
        backbone: Class and arguments.
        image_size: Side of the images in pixels.
        batch_size: Images per batch.
        num_classes: Number of classes.
        warm_up: Number of first steps, which are not timed.
        steps: Number of steps that are timed.
    """

    network: str
    backbone: dict[str, Any]
    image_size: int = 224
    batch_size: int = 256
    num_classes: int = 1000
    warm_up: int = 15
    steps: int = 40

    @property
    def num_images(self) -> int:
        """Images of an epoch."""
        return self.batch_size * (self.warm_up + self.steps)


def work_of(network: str, settings: Settings) -> Work:
    """The network and its data, or tiny ones."""
    if settings.tiny:
        return Work(network, TINY, 32, 4, 4, 1, 2)
    return Work(network, BACKBONES[network])


def resnet50(settings: Settings) -> Iterator[dict[str, Any]]:
    """ResNet-50 at 224: synthetic images with and without compilation, from memory, from JPEG."""
    return rows(work_of("ResNet-50", settings), settings, tuple(INPUTS))


def vit(settings: Settings) -> Iterator[dict[str, Any]]:
    """ViT-S/16 at 224: synthetic images with and without compilation."""
    return rows(work_of("ViT-S/16", settings), settings, ("device",))


def rows(work: Work, settings: Settings, places: tuple[Place, ...]) -> Iterator[dict[str, Any]]:
    """A row for each way to train; one that fails has the error in it."""
    operations = forward_operations(network_of(classifier_of(work, False)), work.image_size)
    rates: dict[str, float] = {}
    ways: list[tuple[str, Place, bool]] = [
        ("bare", "device", False),
        ("fit", "device", False),
        *(("fit", place, False) for place in places if place != "device"),
        ("bare", "device", True),
        ("fit", "device", True),
    ]
    for loop, place, compiled in ways:
        row = {"network": work.network, "loop": loop, "input": INPUTS[place], "compiled": compiled}
        try:
            timing = measured(work, settings, loop, place, compiled)
        except Exception as error:  # of any kind: the other rows are measured nevertheless
            yield row | {"error": f"{type(error).__name__}: {error}"[:200]}
            continue
        finally:
            gc.collect()  # trainers are reference cycles, which hold the memory of the GPU
        rates[f"{loop} {place} {compiled}"] = timing.rate
        yield row | {
            "images/s": timing.rate,
            "of peak": utilisation(operations, timing.rate, settings.device),
            "of synthetic": share(timing.rate, rates.get(f"{loop} device {compiled}")),
            "of bare": share(timing.rate, rates.get(f"bare device {compiled}")),
            "peak GiB": None if timing.peak is None else timing.peak / 2**30,
            "warm-up s": timing.warm_up,
        }


def share(rate: float, whole: float | None) -> float | None:
    """A rate relative to another, if that was measured."""
    return None if whole is None else rate / whole


def measured(work: Work, settings: Settings, loop: str, place: Place, compiled: bool) -> Timing:
    """Time a bare loop, or a fit."""
    if loop == "fit":
        return fitted(work, settings, place, compiled)
    torch.set_float32_matmul_precision("high")  # as a fit does
    classifier = classifier_of(work, settings.compiler if compiled else False)
    step = bare_steps(classifier, work.image_size, work.batch_size, settings.device)
    return timed(step, work.warm_up, work.steps, work.batch_size, settings.device)


def fitted(work: Work, settings: Settings, place: Place, compiled: bool) -> Timing:
    """Time the steps of `lightning_cli fit`, without pictures."""
    settings = replace(settings, folder=settings.folder.resolve())
    photographs = settings.folder / "photographs"
    if place == "files" and not photographs.is_dir():
        photographs.mkdir(parents=True)
        write_photographs(photographs, 4 if settings.tiny else PHOTOGRAPHS)
    clock = {"warm_up": work.warm_up, "steps": work.steps}
    data = {
        "place": place,
        "num_images": work.num_images,
        "num_distinct": 4 if settings.tiny else IN_MEMORY,
        "num_classes": work.num_classes,
        "image_size": work.image_size,
        "batch_size": work.batch_size,
        "num_workers": 0 if settings.tiny else None,
        "num_val": 2 * work.num_classes,
        "folder": str(photographs) if place == "files" else None,
        "device": settings.device,
    }
    config = {
        "data": {"class_path": "gpu_data.RepeatedImages", "init_args": data},
        "model": {
            "class_path": "ImageClassifier",
            "init_args": {
                "backbone": work.backbone,
                "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"fused": True}},
                "compile": settings.compiler if compiled else False,
                "channels_last": True,
            },
        },
        "trainer": {
            "precision": "bf16-mixed",
            "limit_val_batches": 0,
            "callbacks": [{"class_path": "gpu_fit.Clock", "init_args": clock}],
        },
    }
    return clock_of(fit(config, settings)).timing


def classifier_of(work: Work, compiled: bool | str, **optimizer: Any) -> ImageClassifier:
    """The classifier of the bare loop, with the settings of the fit."""
    backbone = KINDS[work.backbone["class_path"]](**work.backbone["init_args"])
    make_optimizer = partial(torch.optim.AdamW, **({"fused": True} | optimizer))
    return ImageClassifier(
        backbone,
        work.num_classes,
        optimizer=make_optimizer,
        compile=compiled,
        channels_last=True,
    )


def network_of(classifier: ImageClassifier) -> nn.Module:
    """Backbone and head."""
    return nn.Sequential(classifier.backbone, classifier.head)
