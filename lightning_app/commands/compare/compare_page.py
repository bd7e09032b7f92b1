"""HTML page of a comparison: one self-contained file without scripts or links."""

import shlex
import time
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from torch import Tensor

from lightning_app.commands.compare.comparison import Comparison
from lightning_app.commands.compare.figures import plot_pair
from lightning_app.commands.compare.image_notes import image_notes
from lightning_app.commands.compare.numbers import number_rows
from lightning_app.commands.compare.pairs import Pair
from lightning_app.commands.compare.settings import different_settings
from lightning_app.output.folder import png_of
from lightning_app.pages.data_uris import embed
from lightning_app.pages.rendering import WIDE, open_templates, side_by_side
from lightning_app.pages.words import Words, p_value, points

SHOWN_CLASSES = 5  # with the largest gains, and with the largest losses
LEVEL = 0.05  # p-value below which a difference is called significant
PICTURES = ("fixed", "broken", "classes", "confusion")  # in the order of the page


def render_comparison(
    comparison: Comparison,
    words: Words,
    images: Mapping[str, Tensor],
    num_images: int,
    complaint: str,
) -> str:
    """Render a comparison.

    Args:
        comparison: The comparison.
        words: Texts of the page.
        images: Pixels of the images on the sheets; empty if they cannot be read.
        num_images: Maximum number of images of a sheet.
        complaint: Why the images cannot be read; empty if they can.

    Returns:
        The HTML page.
    """
    ids = [record.run.info.run_id for record in comparison.records]
    texts = words["comparison"]
    context = {
        "t": words.texts,
        "words": words,
        "points": points,
        "p_value": p_value,
        "now": words.date(time.time_ns() // 1_000_000),
        "names": comparison.names,
        "ids": ids,
        "images": _images(comparison, words),
        "complaint": texts["no_sheets"].format(reason=complaint) if complaint else "",
        "own_images": image_notes(comparison, words),
        "numbers": number_rows(comparison.records, words),
        "settings": different_settings(comparison, words),
        "p_values": comparison.p_values,
        "pairs": [
            _pair(comparison, pair, plot_pair(comparison, pair, images, num_images), words)
            for pair in comparison.pairs
        ],
        "command": shlex.join(["lightning_cli", "compare", *ids, "--split", comparison.split]),
    }
    templates = open_templates("lightning_app.commands.compare")
    return templates.get_template("compare.html").render(context)


def _images(comparison: Comparison, words: Words) -> str:
    """The images of the comparison, in a sentence."""
    texts, predictions = words["comparison"], comparison.predictions
    split = words["splits"][comparison.split]
    sentences = [texts["images"].format(number=words.number(len(predictions.images)), split=split)]
    if predictions.left_out:
        sentences.append(texts["left_out"].format(number=words.number(predictions.left_out)))
    return " ".join(sentences)


def _pair(
    comparison: Comparison, pair: Pair, figures: Mapping[str, Figure], words: Words
) -> dict[str, Any]:
    """A pair of runs, as the template needs it."""
    texts, test = words["comparison"], pair.test
    first, second = comparison.names[pair.first], comparison.names[pair.second]
    values = {
        "difference": points(test.difference),
        "fixed": words.number(len(pair.fixed)),
        "broken": words.number(len(pair.broken)),
        "p_adjusted" if comparison.p_values else "p_value": p_value(
            comparison.decisive_p_value(pair)
        ),
    }
    interval = {"low": points(test.low), "high": points(test.high)}
    meaning = texts["verdict"]["several" if comparison.p_values else "one"]
    right, wrong = words.number(pair.both_correct), words.number(pair.both_wrong)
    before, after = map(words.percent, pair.accuracies)
    topics = [
        _topic(texts["pictures"][name], figures[name]) for name in PICTURES if name in figures
    ]
    return {
        "title": texts["headings"]["pair"].format(first=first, second=second),
        "tiles": [
            (texts["tiles"][name].format(**interval), value) for name, value in values.items()
        ],
        "verdict": _verdict(comparison, pair, texts["verdict"]),
        "meaning": meaning.format(number=len(comparison.p_values)),
        "rest": texts["verdict"]["rest"].format(
            right=right, wrong=wrong, before=before, after=after
        ),
        "gained": pair.gained[:SHOWN_CLASSES],
        "lost": pair.lost[:SHOWN_CLASSES],
        "topics": side_by_side(topics),
    }


def _verdict(comparison: Comparison, pair: Pair, texts: Mapping[str, str]) -> str:
    """Which of the two runs is better, if the difference is significant, with the p-value."""
    value, verdict = comparison.decisive_p_value(pair), "open"
    if value < LEVEL:
        verdict = "better" if pair.test.difference > 0 else "worse"
    return texts[verdict].format(p=p_value(value, "p "))


def _topic(texts: Mapping[str, str], figure: Figure) -> dict[str, Any]:
    """A picture, as the macro `topic` needs it."""
    image = embed(png_of(figure))
    wide = image.width > WIDE * image.height
    view = {"caption": "", "frames": {-1: image}, "wide": wide}
    return {**texts, "name": "", "views": [view], "wide": wide}
