"""Reduced pictures: those of the end of a fit that are smaller, or missing, for the budget."""

from lightning.pytorch import Trainer

from callbacks.picture_budget import PictureBudget
from callbacks.tracking import log_tag

SMALLER, NOT_DRAWN = "pictures.smaller", "pictures.not_drawn"  # tags of a run: names of pictures


def tag_reduced(trainer: Trainer, budget: PictureBudget) -> None:
    """Let the run know its reduced pictures; its report names them."""
    log_tag(trainer, SMALLER, ", ".join(budget.shortened))
    log_tag(trainer, NOT_DRAWN, ", ".join(picture.name for picture in budget.put_off))


def describe_reduced(budget: PictureBudget) -> str:
    """Which pictures are smaller or not drawn, why, and how to draw them in full."""
    lines = []
    if budget.shortened:
        lines.append(f"smaller, to keep to the budget: {', '.join(budget.shortened)}")
    if budget.put_off:
        shares = (f"{p.name} ({100 * share:.2g} %)" for p, share in budget.put_off.items())
        lines.append(
            f"not drawn, since the smallest version takes too much of the training: "
            f"{', '.join(shares)}"
        )
    if lines:
        lines.append("`lightning_cli validate --ckpt_path last` draws them in full")
    return "".join(f"\n            {line}" for line in lines)
