"""Windows of Swin: which positions they hold, and how relevance goes through attention in them."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from models.explain.map_layout import NothingToShow


def windows_of(block: nn.Module, grid: Sequence[int]) -> Tensor:
    """Positions that each window of a block holds, (W, T); -1 for padding.

    Args:
        block: A block of a transformer; one of Swin has `window_size` and `shift_size`.
        grid: Shape of its tokens: (P,), which are one window, or (h, w).

    Raises:
        NothingToShow: If the tokens are a grid, but the block does not tell its windows.
    """
    positions = torch.arange(prod(grid)).view(*grid)
    if len(grid) == 1:
        return positions[None]
    known: Any = block
    if len(grid) != 2 or not (hasattr(block, "window_size") and hasattr(block, "shift_size")):
        raise NothingToShow(
            f"a block with tokens {tuple(grid)} does not tell its windows, as those of Swin do."
        )
    (height, width), (down, right) = known.window_size, known.shift_size
    # As `SwinTransformerBlock._attn` does: shift, then pad, then cut into windows.
    positions = positions.roll((-down, -right), (0, 1))
    positions = pad(positions, (0, -grid[1] % width, 0, -grid[0] % height), value=-1)
    return positions.unfold(0, height, height).unfold(1, width, width).flatten(0, 1).flatten(1)


def through_windows(relevance: Tensor, attention: Tensor, windows: Tensor) -> Tensor:
    """Move the relevance of positions to the positions that they attend to.

    Args:
        relevance: (N, P).
        attention: From rows to columns, (N * W, T, T).
        windows: See `windows_of`, (W, T).

    Returns:
        (N, P). What goes to the padding is lost.
    """
    inside = windows >= 0
    rows = relevance[:, windows.clamp_min(0)] * inside  # (N, W, T)
    moved = torch.einsum("nwi,nwij->nwj", rows, attention.unflatten(0, (-1, len(windows))))
    return torch.zeros_like(relevance).index_add(1, windows[inside], moved[:, inside])


def unmerged(relevance: Tensor, grid: Sequence[int], finer: Sequence[int]) -> Tensor:
    """Share the relevance of merged positions equally among the four that they were made of.

    Args:
        relevance: (N, P).
        grid: Shape of the positions.
        finer: Shape before patches were merged; the same, or twice as high and wide.

    Raises:
        NothingToShow: If it is neither.
    """
    if tuple(grid) == tuple(finer):
        return relevance
    if len(finer) != 2 or tuple((side + 1) // 2 for side in finer) != tuple(grid):
        raise NothingToShow(
            f"its tokens change from {tuple(finer)} to {tuple(grid)} between two blocks; expected "
            "the same number, or the merging of two by two patches, as in Swin."
        )
    wide = relevance.view(-1, *grid).repeat_interleave(2, 1).repeat_interleave(2, 2) / 4
    return wide[:, : finer[0], : finer[1]].flatten(1)
