"""The pictures of a run: which there are, of which split, layer and epoch."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lightning_app.store.stored_run import StoredRun

SPLITS = ("test", "val", "predict", "images")  # the first is the one that counts most
DETAILS = ("top_loss", "top_confusion", "most_confident", "first", "middle", "last")  # in order
IN_GRID = re.compile(r"images/(?P<key>.+)\+step\+(?P<epoch>\d+)\+timestamp\+(?P<time>\d+)\+.*\.png")
DRAWN_ONCE = re.compile(r"figures/(?P<key>.+)\.png")
EXPLAINED = re.compile(r"explanations/(?P<key>[^/]+|(filters|feature_maps|activation)\w*/.+)\.png")
CAM = re.compile(r"(^|_)\w*cam(_|pp|plus|$)")  # methods of class activation

# In the order of the page. What is not named here comes last.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "course": ("learning_curves", "unfreezing", "learning_rate"),
    "errors": (
        *("confusion_matrix", "confusion_counts", "per_class", "mistakes", "calibration"),
        *("embedding", "embedding_tsne"),
    ),
    "network": (
        *("cam", "saliency", "filters", "filters_change", "feature_maps"),
        *("activation_maximisation", "honesty"),
    ),
    "data": ("class_counts", "samples", "label_suspects"),
}
OTHERS = "others"


@dataclass(frozen=True)
class View:
    """One picture, perhaps at several epochs.

    Attributes:
        split: The images that it is about; empty if it says nothing of them.
        detail: What tells it from others of its name: a layer.
        files: Artifacts by epoch; the epoch of a picture that was drawn once is -1.
    """

    split: str
    detail: str
    files: Mapping[int, str]


@dataclass(frozen=True)
class Topic:
    """Pictures that answer one question, and are read in one way.

    Attributes:
        name: Of the pictures.
        kind: What is known of the like of them: of `grad_cam` as of `layer_cam`, `cam`.
        views: The pictures.
    """

    name: str
    kind: str
    views: tuple[View, ...]


def topics_of(record: StoredRun) -> dict[str, list[Topic]]:
    """The pictures of a run, in the sections of the page, without empty ones."""
    views: dict[str, list[View]] = {}
    for (name, split, detail), files in sorted(_files(record.files).items(), key=_place):
        views.setdefault(name, []).append(View(split, detail, files))
    topics = [Topic(name, _kind(name), tuple(of_name)) for name, of_name in views.items()]
    sections = {
        section: sorted((t for t in topics if t.kind in kinds), key=lambda t: kinds.index(t.kind))
        for section, kinds in SECTIONS.items()
    }
    named = {kind for kinds in SECTIONS.values() for kind in kinds}
    sections[OTHERS] = [topic for topic in topics if topic.kind not in named]
    return {section: of_section for section, of_section in sections.items() if of_section}


Key = tuple[str, str, str]  # name, split, detail


def _files(paths: Iterable[str]) -> dict[Key, dict[int, str]]:
    """Artifacts of each picture by epoch; the last of those that a resumed run drew twice."""
    found: dict[Key, dict[int, str]] = {}
    times: dict[tuple[Key, int], int] = {}
    for path in paths:
        if match := IN_GRID.fullmatch(path):
            key, epoch = _key(match["key"].replace("~", "/")), int(match["epoch"])
            if times.get((key, epoch), -1) < (time := int(match["time"])):
                times[key, epoch] = time
                found.setdefault(key, {})[epoch] = path
        elif match := DRAWN_ONCE.fullmatch(path):
            found.setdefault(_key(match["key"], "_"), {})[-1] = path
        elif match := EXPLAINED.fullmatch(path):
            found.setdefault(_key(f"images/{match['key']}"), {})[-1] = path
    return {key: dict(sorted(files.items())) for key, files in found.items()}


def _key(text: str, separator: str = "/") -> Key:
    """`val/filters/conv1`, or `val_filters/conv1` with another separator, taken apart."""
    split = next((split for split in SPLITS if text.startswith(f"{split}{separator}")), "")
    name, _, detail = text[len(split) + len(separator) if split else 0 :].partition("/")
    return name, split, detail


def _place(item: tuple[Key, object]) -> tuple[Any, ...]:
    """What pictures are sorted by: `layer2` comes before `layer10`."""
    (name, split, detail), _ = item
    known = DETAILS.index(detail) if detail in DETAILS else len(DETAILS)
    numbered = [(int(digits or 0), rest) for digits, rest in re.findall(r"(\d*)(\D*)", detail)]
    return name, SPLITS.index(split) if split else -1, known, numbered


def _kind(name: str) -> str:
    """`cam` of `grad_cam`, `mistakes` of `surest_mistakes`; the name itself if nothing is known."""
    if CAM.search(name):
        return "cam"
    kinds = [kind for of_section in SECTIONS.values() for kind in of_section]
    like = [kind for kind in kinds if f"_{kind}_" in f"_{name}_"]
    return max(like, key=len, default=name)


def frames(topics: Iterable[Topic]) -> Iterator[str]:
    """Artifacts, the more wanted first: the last epoch of each picture, the first, the others."""
    views = [list(view.files.values()) for topic in topics for view in topic.views]
    yield from (files[-1] for files in views)
    yield from (files[0] for files in views if len(files) > 1)
    for files in views:
        yield from files[1:-1]
