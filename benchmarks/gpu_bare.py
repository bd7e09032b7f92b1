"""Bare training loop of `gpu.py`: what a fit is compared with."""

import time
from collections.abc import Callable
from functools import partial

import torch
from gpu_fit import Timing, read_peak, start_peak
from torch import Tensor, nn

from datamodules.dataset import to_unit_range
from models import ImageClassifier

Step = Callable[[], object]


def bare_steps(
    classifier: ImageClassifier, image_size: int, batch_size: int, device: str, amp: bool = True
) -> Step:
    """A training step on one batch, uint8 on the device, as a fit does it.

    Args:
        classifier: Its backbone, head and optimizer are used, and how it compiles.
        image_size: Side of the images in pixels.
        batch_size: Images per batch.
        device: `cuda` or `cpu`.
        amp: Whether to compute in bfloat16 where it is precise enough.
    """
    classifier.to(device).train()
    optimizer = classifier.make_optimizer(classifier.parameter_groups())
    shape = (batch_size, 3, image_size, image_size)
    images = torch.randint(256, shape, dtype=torch.uint8, device=device)
    labels = torch.arange(batch_size, device=device) % classifier.num_classes
    autocast = partial(torch.autocast, device, torch.bfloat16, enabled=amp)

    def loss() -> Tensor:
        with autocast():
            _, logits = classifier.compiled_forward(classifier, to_unit_range(images))
            return nn.functional.cross_entropy(logits, labels)

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


def timed(step: Step, warm_up: int, steps: int, batch_size: int, device: str) -> Timing:
    """Time steps after the first ones, and wait for the device before and after."""
    began = time.perf_counter()
    for _ in range(warm_up):
        step()
    start_peak(device)
    started = time.perf_counter()
    for _ in range(steps):
        step()
    peak = read_peak(device)
    ended = time.perf_counter()
    return Timing(steps * batch_size, ended - started, started - began, peak)
