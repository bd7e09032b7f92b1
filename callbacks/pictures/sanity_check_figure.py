"""Figure and table of the sanity checks."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from callbacks.pictures.class_activation import TITLES as CLASS_ACTIVATION_TITLES
from callbacks.pictures.picture import PictureContext, Table
from callbacks.plots.sanity_checks import CheckResult, plot_sanity_checks
from models.explain import short_name
from models.explain.sanity_checks import Randomization, Verdict
from models.explain.sanity_checks.verdict import LEAST

# Names of the methods in words
TITLES = {
    **CLASS_ACTIVATION_TITLES,
    "gradient_rollout": "attention rollout",
    "vanilla": "vanilla gradient",
    "guided": "guided gradient",
    "rectified": "rectified gradient",
    "smooth_grad": "SmoothGrad",
    "gradient_times_input": "gradient x input",
    "integrated_gradients": "integrated gradients",
}


def verdict_table(verdicts: dict[str, Verdict]) -> Table:
    """A row for each method."""
    each = verdicts.values()
    return {
        "method": [*verdicts],
        "images": [verdict.images for verdict in each],
        "flat maps": [verdict.flat for verdict in each],
        "randomization": [verdict.similarity for verdict in each],
        "deletion": [verdict.deletion for verdict in each],
        "deletion elsewhere": [verdict.elsewhere for verdict in each],
        "p-value": [verdict.p_value for verdict in each],
        "failed": [", ".join(verdict.failed) for verdict in each],
    }


def _passed(number: int) -> str:
    """What a figure says if no method failed."""
    if number < LEAST:
        return f"Too few images for a verdict: {LEAST} are needed."
    return (
        "All methods pass. In the deletion, a map is compared with itself moved elsewhere in the "
        "image, not with a random order."
    )


def checks_figure(
    context: PictureContext,
    images: Tensor,
    randomized: dict[str, Randomization],
    results: dict[str, CheckResult],
    chance: tuple[Tensor, Tensor],
    doubts: Sequence[str],
    count: str,
) -> Figure:
    """The figure with the maps of one image, the first for which no method gives a flat map.

    `count` is the part of the title that gives the number of images.
    """
    maps = torch.stack([each.maps for each in randomized.values()])
    spreads = maps[:, 0].flatten(2).std(dim=2).amin(dim=0)
    shown = int((spreads > 0).int().argmax())
    names = [TITLES.get(name, name) for name in randomized]
    layers = next(iter(randomized.values())).layers
    title = f"Sanity checks of the explanations, {context.title}: {count}"
    return plot_sanity_checks(
        images[shown].movedim(0, -1).cpu().numpy(),
        [short_name(context.model, layer) for layer in layers],
        dict(zip(names, maps[:, :, shown].cpu().numpy(), strict=True)),
        dict(zip(names, results.values(), strict=True)),
        (chance[0].mean(dim=0).cpu().numpy(), chance[1].mean(dim=0).cpu().numpy()),
        "\n".join([title, *(doubts or [_passed(len(images))])]),
    )
