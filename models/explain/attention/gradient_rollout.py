"""Gradient-weighted attention rollout: attention that raises the logit, through all blocks."""

import torch
from torch import Tensor, nn

from models.explain.attention.capture import CHUNK, AttentionLayer, attention_layers
from models.explain.attention.windows import through_windows, unmerged
from models.explain.class_activation.capture import to_heat
from models.explain.map_layout import NothingToShow, map_layout


def gradient_rollout(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Gradient-weighted attention rollout (Chefer et al., 2021, Generic Attention-model …).

    The attention A of each block is weighted by its gradient, and the heads are averaged:
    B = mean((dy/dA * A)+). The relevance of the tokens for each other is R <- R + B R, from R = 1
    before the first block. The map is the row of the class token, without what a token is for
    itself; if the head takes the mean of all tokens, it is the mean of their rows.

    Swin is beyond the paper. Its windows are mapped back to positions, and the relevance of a
    merged patch is shared equally among the four that it was made of.

    Args:
        model: Maps images to logits; with timm's ViT, DeiT or Swin inside.
        images: Batch to explain, (N, C, H, W).
        classes: The class to explain for each image, (N,).

    Returns:
        Maps (N, H, W) in [0, 1]. Each has the maximum 1, or is 0 everywhere if no attention raises
        the logit.

    Raises:
        NothingToShow: If the attention of the network is of another kind.
    """
    pairs = zip(images.split(CHUNK), classes.split(CHUNK), strict=True)
    return torch.cat([_of_chunk(model, *pair) for pair in pairs])


def _of_chunk(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    with torch.inference_mode(False), torch.enable_grad():
        # The input requires gradients, so that those of frozen networks exist, too.
        logits, layers = attention_layers(model, images.clone().requires_grad_())
        score = logits.gather(1, classes.clone()[:, None]).sum()
        parts = [layers[-1].tokens, *(layer.weights for layer in layers)]
        last, *gradients = torch.autograd.grad(score, parts, materialize_grads=True)
    to_map = map_layout(layers[0].tokens, images)
    if to_map is None:
        raise NothingToShow("its tokens are not the patches of an image.")
    relevance = _rolled_out(layers, gradients, _read_by_head(last))
    grid = layers[0].tokens.shape[1:-1]
    return to_heat(to_map(relevance.view(-1, *grid, 1))[:, 0], images)


def _rolled_out(layers: list[AttentionLayer], gradients: list[Tensor], read: Tensor) -> Tensor:
    """Relevance of the first block's tokens for those that the head reads, (N, P).

    Only the rows that are read are needed, so they are multiplied from the left: a vector at a
    time, and not a matrix of all positions.
    """
    relevance, own, grid = read, read, layers[-1].tokens.shape[1:-1]
    for layer, gradient in zip(reversed(layers), reversed(gradients), strict=True):
        finer = layer.tokens.shape[1:-1]
        relevance, own = (unmerged(each, grid, finer) for each in (relevance, own))
        weighted = (gradient * layer.weights.detach()).clamp_min(0).mean(dim=1).float()
        relevance = relevance + through_windows(relevance, weighted, layer.windows)
        grid = finer
    return relevance - own


def _read_by_head(gradient: Tensor) -> Tensor:
    """Equal shares for the tokens of the last block on which the logit depends, (N, P)."""
    read = gradient.flatten(1, -2).any(dim=2).float()
    return read / read.sum(dim=1, keepdim=True).clamp_min(1)
