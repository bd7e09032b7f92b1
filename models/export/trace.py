"""Trace a network: its graph for any number of images, and any size that the network takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from models.export.agreement import agreement
from models.export.exported_network import ExportedNetwork, random_images

STEP = 32  # pixels by which another size differs: networks halve the size five times


class Traced(NamedTuple):
    """A traced network.

    Attributes:
        program: The graph.
        any_size: Whether it takes images of other sizes than that of the example.
        min_size: The smallest side that it takes, in pixels.
    """

    program: ExportedProgram
    any_size: bool
    min_size: int


def trace(network: ExportedNetwork, images: Tensor, any_size: bool = False) -> Traced:
    """Trace a network with `torch.export`, for any number of images.

    Args:
        network: The network, on the CPU.
        images: An example of the input, two images or more.
        any_size: Whether to leave the size of the images open, if the network allows it. Its graph
            is then checked at another size, and traced again for the one size if it fails there.
            Networks that derive many sizes from that of the images, such as MobileViT, take minutes
            or hours.

    Raises:
        ValueError: If it cannot be traced.
    """
    if any_size and (traced := _of_any_size(network, images)) is not None:
        return traced
    try:
        program = _program(network, images, Dim.STATIC)
    except Exception as error:
        raise ValueError(
            f"torch.export cannot trace the network: {type(error).__name__}: "
            f"{str(error).strip().splitlines()[0]}"
        ) from error
    return Traced(program, False, images.shape[-1])


def _program(network: ExportedNetwork, images: Tensor, size: object) -> ExportedProgram:
    shapes = {"images": {0: Dim("batch"), 2: size, 3: size}}
    with torch.no_grad(), _plain_attention(network):
        return torch.export.export(network, (images,), dynamic_shapes=shapes)


@contextmanager
def _plain_attention(network: nn.Module) -> Iterator[None]:
    """Let networks of timm compute attention as products of matrices.

    Torch's exporter to ONNX fails on the memory layout of fused attention with a bias or a mask,
    which BEiT and MaxViT have.
    """
    fused: list[Any] = [m for m in network.modules() if getattr(m, "fused_attn", False)]
    for module in fused:
        module.fused_attn = False
    try:
        yield
    finally:
        for module in fused:
            module.fused_attn = True


def _of_any_size(network: ExportedNetwork, images: Tensor) -> Traced | None:
    """The network traced for any size; None if it takes only that of the example."""
    try:
        program = _program(network, images, Dim.AUTO)
        if not _agree_at_another_size(network, program, images):
            return None
    except Exception:  # of any kind: sizes that depend on each other in a way it cannot express
        return None
    [given] = [n for n in program.graph.nodes if n.op == "placeholder" and n.name == "images"]
    sides = given.meta["val"].shape[2:]
    if any(isinstance(side, int) for side in sides):
        return None
    ranges = program.range_constraints
    lows = [int(ranges[side.node.expr].lower) for side in sides if side.node.expr in ranges]
    return Traced(program, True, max([1, *lows]))


def _agree_at_another_size(
    network: ExportedNetwork, program: ExportedProgram, images: Tensor
) -> bool:
    height, width = images.shape[2:]
    others = random_images((1, images.shape[1], height + STEP, width + STEP)).to(images.dtype)
    with torch.no_grad():
        found, expected = program.module()(others)[0], network(others)[0]
    return agreement(expected.numpy(), found.numpy()).is_exact
