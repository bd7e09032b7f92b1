"""Attribution for transformers: what the attention of all layers says together.

Both methods take the same arguments and return the same kind of map as those of class activation,
without a layer.
"""

from collections.abc import Callable

from torch import Tensor, nn

from models.explain.attention.attn_lrp import attn_lrp
from models.explain.attention.capture import attention_modules
from models.explain.attention.gradient_rollout import gradient_rollout

AttentionMethod = Callable[[nn.Module, Tensor, Tensor], Tensor]

ATTENTION_METHODS: dict[str, AttentionMethod] = {
    "gradient_rollout": gradient_rollout,
    "attn_lrp": attn_lrp,
}

__all__ = [
    "ATTENTION_METHODS",
    "AttentionMethod",
    "attention_modules",
    "attn_lrp",
    "gradient_rollout",
]
