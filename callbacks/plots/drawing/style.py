"""Style of the figures: resolution, and one colour for each meaning, class and split."""

import numpy as np
import seaborn as sns

# Colours of Okabe and Ito, which colour-blind people can tell apart; black is kept for text.
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442")

DPI = 130  # pixels per inch
GOOD, BAD, NEUTRAL = OKABE_ITO[0], OKABE_ITO[3], "black"  # correct and mistake, better and worse

# In this order, where there are several.
SPLIT_COLORS = {"train": OKABE_ITO[1], "val": OKABE_ITO[0], "test": OKABE_ITO[2]}


def class_colors(num_classes: int) -> np.ndarray:
    """RGB colour of each class, in [0, 1], (K, 3).

    Up to seven classes get colours that everybody can tell apart. There are no more of those, so
    more classes get hues around the colour circle in three lightnesses: neighbours differ in both.
    """
    if num_classes <= len(OKABE_ITO):
        return np.array(sns.color_palette(OKABE_ITO, num_classes))
    shades = [sns.husl_palette(num_classes, l=lightness) for lightness in (0.5, 0.7, 0.85)]
    return np.array([shades[index % 3][index] for index in range(num_classes)])
