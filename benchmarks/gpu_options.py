"""Options of training steps: the fused optimizer and TF32, on and off, in bare loops."""

from collections.abc import Iterator
from typing import Any

import torch
from gpu_bare import bare_steps, timed
from gpu_machine import Settings
from gpu_training import classifier_of, work_of

NETWORK = "ViT-S/16"  # has many parameters for the time of its step


def options(settings: Settings) -> Iterator[dict[str, Any]]:
    """Milliseconds of a step with and without each option; the ratio is off to on."""
    for option, measure in (("fused AdamW, bf16", fused), ("TF32, float32", tf32)):
        on, off = (measure(settings, value) for value in (True, False))
        yield {"option": option, "on ms": on, "off ms": off, "off / on": off / on}


def fused(settings: Settings, on: bool) -> float:
    """Milliseconds of a step whose optimizer is fused, or not."""
    return step_ms(settings, amp=True, fused=on)


def tf32(settings: Settings, on: bool) -> float:
    """Milliseconds of a step in float32, with matrix products and convolutions in TF32, or not."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    set_tf32("high" if on else "highest", on)
    try:
        return step_ms(settings, amp=False)
    finally:
        set_tf32(*before)


def set_tf32(products: str, convolutions: bool) -> None:
    """Set whether matrix products (`high`) and convolutions may use TF32."""
    torch.set_float32_matmul_precision(products)
    torch.backends.cudnn.allow_tf32 = convolutions


def step_ms(settings: Settings, amp: bool, **optimizer: Any) -> float:
    """Milliseconds of a step of a bare loop."""
    work = work_of(NETWORK, settings)
    classifier = classifier_of(work, False, **optimizer)
    step = bare_steps(classifier, work.image_size, work.batch_size, settings.device, amp)
    timing = timed(step, work.warm_up, work.steps, work.batch_size, settings.device)
    return 1e3 * timing.seconds / work.steps
