"""AttnLRP: the logit, passed back from layer to layer to the patches."""

import torch
from torch import Tensor, nn

from models.explain.attention.capture import CHUNK
from models.explain.attention.relevance_rules import GAMMA, relevance_rules
from models.explain.class_activation.capture import to_heat
from models.explain.map_layout import NothingToShow, map_layout


def attn_lrp(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """AttnLRP (Achtibat et al., 2024): layer-wise relevance propagation through attention.

    The logit is passed back by rules that give each input of a layer its share. The map is the
    positive relevance of the embedded patches. Passed on to the pixels, it would have the same sum
    in each patch, but for the bias of the embedding.

    Arguments, result and errors are those of `gradient_rollout`. Swin needs nothing of its own:
    relevance goes back through windows as the gradient does.
    """
    pairs = zip(images.split(CHUNK), classes.split(CHUNK), strict=True)
    return to_heat(torch.cat([patch_relevance(model, *pair) for pair in pairs]), images)


def patch_relevance(
    model: nn.Module, images: Tensor, classes: Tensor, gamma: float = GAMMA
) -> Tensor:
    """Relevance of the patches for the logits of the classes, signed, (N, h, w).

    Args:
        model: Maps images to logits.
        images: (N, C, H, W).
        classes: (N,).
        gamma: See `linear_rule`. Without biases and softmax, the sum of the relevance is the logit,
            whatever it is.

    Raises:
        NothingToShow: If the network does not embed patches, or a layer of it has no rule.
    """
    patches: list[Tensor] = []
    embedding = [m for name, m in model.named_modules() if name.rpartition(".")[2] == "patch_embed"]
    if len(embedding) != 1:
        raise NothingToShow("the network does not embed patches as timm's transformers do.")
    handle = embedding[0].register_forward_hook(lambda module, args, out: patches.append(out))
    try:
        with torch.inference_mode(False), torch.enable_grad(), relevance_rules(model, gamma):
            logits = model(images.clone().requires_grad_())
            score = logits.gather(1, classes.clone()[:, None]).sum()
            [gradient] = torch.autograd.grad(score, patches[-1:])
    finally:
        handle.remove()
    output = patches[-1].detach()
    if (to_map := map_layout(output, images)) is None:
        raise NothingToShow("its embedded patches are not the positions of an image.")
    return to_map(output * gradient).sum(dim=1).float()
