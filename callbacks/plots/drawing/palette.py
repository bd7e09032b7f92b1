"""One colour a class and one a split, the same in every figure."""

import numpy as np
import seaborn as sns

# Okabe and Ito's colours, which colour-blind people can tell apart; black is left to text.
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442")

# In this order, where there are several.
SPLIT_COLORS = {"train": OKABE_ITO[1], "val": OKABE_ITO[0], "test": OKABE_ITO[2]}


def class_colors(num_classes: int) -> np.ndarray:
    """RGB in [0, 1] of each class, (K, 3).

    Up to seven classes get colours that everybody can tell apart. More cannot have such: they get
    hues that go round the circle, in three lightnesses, so that neighbours differ in both.
    """
    if num_classes <= len(OKABE_ITO):
        return np.array(sns.color_palette(OKABE_ITO, num_classes))
    shades = [sns.husl_palette(num_classes, l=lightness) for lightness in (0.5, 0.7, 0.85)]
    return np.array([shades[index % 3][index] for index in range(num_classes)])
