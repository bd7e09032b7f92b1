"""Fused optimizers: one kernel updates many parameters at once, where there is one."""

from typing import Any

from torch.optim import SGD, Adam, AdamW, Optimizer

OPTIMIZERS = (Adam, AdamW, SGD)
DEVICES = ("cuda",)  # where an optimizer is fused by default


def prepare_fused(optimizer: Optimizer) -> None:
    """Let an optimizer use its fused kernels on a GPU, unless another implementation is chosen.

    Fused or not, it leaves it to the trainer to scale gradients back. An optimizer that does so in
    its own step hides them from clipping and from the check for finite gradients; Lightning then
    refuses to clip, even in bfloat16, where nothing is scaled.

    Args:
        optimizer: Changed in place. It has not made a step yet.
    """
    if type(optimizer) not in OPTIMIZERS:
        return
    if _is_free(optimizer) and _is_on_gpu(optimizer):
        for group in optimizer.param_groups:
            group["fused"] = True
    optimizer._step_supports_amp_scaling = False  # pyright: ignore[reportAttributeAccessIssue]
    optimizer.register_load_state_dict_pre_hook(_keep_implementation)


def _is_free(optimizer: Optimizer) -> bool:
    """Whether the settings leave it open how the optimizer is implemented."""
    settings = optimizer.defaults
    if settings.get("capturable") or settings["differentiable"]:
        return False
    return settings["fused"] is None and settings["foreach"] is None


def _is_on_gpu(optimizer: Optimizer) -> bool:
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    return all(p.device.type in DEVICES and p.is_floating_point() for p in parameters)


def _keep_implementation(optimizer: Optimizer, state: dict[str, Any]) -> dict[str, Any]:
    """The state of a checkpoint, which may come from another device, with our implementation."""
    fused = optimizer.param_groups[0]["fused"]
    return {**state, "param_groups": [{**g, "fused": fused} for g in state["param_groups"]]}
