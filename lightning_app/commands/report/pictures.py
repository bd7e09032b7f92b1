"""Figures of a stored run: which there are, for which split, layer and epoch."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lightning_app.store.describe_run import OUT_OF_FOLD
from lightning_app.store.stored_run import StoredRun

if TYPE_CHECKING:
    from callbacks.figure_kind import FigureKind
    from lightning_app.pages.words import Words

# In the order of the report.
SPLITS = ("test_seen", "val_seen", "test", "val", OUT_OF_FOLD, "predict", "images")
IN_GRID = re.compile(r"images/(?P<key>.+)\+step\+(?P<epoch>\d+)\+timestamp\+(?P<time>\d+)\+.*\.png")
DRAWN_ONCE = re.compile(r"figures/(?P<key>.+)\.png")
EXPLAINED = re.compile(r"explanations/(?P<key>.+)\.png")
CAM = "cam"  # kind of all methods of class activation, whose overlays of single images are left out
CAM_NAME = re.compile(r"(^|_)\w*cam(_|pp|plus|$)|(^|_)(gradient_rollout|attn_lrp)")
OTHERS = "others"  # section of figures of no known kind

Key = tuple[str, str, str]  # name, split, detail
Kinds = Mapping[str, "FigureKind"]


@dataclass(frozen=True)
class View:
    """One figure, perhaps at several epochs.

    Attributes:
        split: The split that the figure is about; empty if its name does not tell.
        detail: What distinguishes it from others of the same name: a layer, or a choice of images.
        files: Artifacts by epoch; the epoch of a figure that was drawn once is -1.
    """

    split: str
    detail: str
    files: Mapping[int, str]


@dataclass(frozen=True)
class Topic:
    """Figures of one name, which the report shows together.

    Attributes:
        name: Name of the figures.
        kind: Name of their `FigureKind`: `cam` for `grad_cam` as for `layer_cam`.
        shows_images: See `FigureKind`.
        views: The figures.
    """

    name: str
    kind: str
    shows_images: bool
    views: tuple[View, ...]


def topics_of(record: StoredRun) -> dict[str, list[Topic]]:
    """The figures of a run by section of the report, without empty sections."""
    kinds = figure_kinds()
    known = [figure for kind in kinds.values() for figure in kind.figures]
    files = _files(record.files, kinds)
    views: dict[str, list[View]] = {}
    for name, split, detail in sorted(files, key=lambda key: _place(key, known)):
        views.setdefault(name, []).append(View(split, detail, files[name, split, detail]))
    topics = [_topic(name, kinds, tuple(of_name)) for name, of_name in views.items()]
    topics.sort(key=lambda topic: [*kinds].index(topic.kind) if topic.kind in kinds else len(kinds))
    sections: dict[str, list[Topic]] = {}
    for topic in topics:
        section = kinds[topic.kind].section if topic.kind in kinds else OTHERS
        sections.setdefault(section, []).append(topic)
    return sections


def reduced_notes(record: StoredRun, words: "Words") -> list[str]:
    """Sentences on the pictures of a fit that are smaller, or missing, to keep to its budget."""
    from callbacks.pictures import PICTURES
    from callbacks.reduced_pictures import NOT_DRAWN, SMALLER

    notes = []
    for tag, text in ((NOT_DRAWN, "not_drawn"), (SMALLER, "smaller")):
        named = [
            PICTURES[name] for name in record.tags.get(tag, "").split(", ") if name in PICTURES
        ]
        titles = [words["pictures"][picture.kinds[0].name]["title"] for picture in named]
        if titles:
            notes.append(words["reduced"][text].format(pictures=", ".join(titles)))
    return notes


def figure_kinds() -> dict[str, "FigureKind"]:
    """All kinds of figures that a run can have, by name, in the order of the report."""
    from callbacks import VISUALIZERS  # imports torch: only a report that is written needs it
    from callbacks.pictures import PICTURES

    sources = (*VISUALIZERS, *PICTURES.values())
    return {kind.name: kind for source in sources for kind in source.kinds}


def _topic(name: str, kinds: Kinds, views: tuple[View, ...]) -> Topic:
    kind = _kind(name, kinds)
    return Topic(name, kind, kind not in kinds or kinds[kind].shows_images, views)


def _files(paths: Iterable[str], kinds: Kinds) -> dict[Key, dict[int, str]]:
    """Artifacts of each figure by epoch; if a resumed run drew one again, the newer one."""
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
            name, _, detail = match["key"].partition("/")
            if not detail or _kind(name, kinds) in kinds.keys() - {CAM}:
                found.setdefault((name, "images", detail), {})[-1] = path
    return {key: dict(sorted(files.items())) for key, files in found.items()}


def _key(text: str, separator: str = "/") -> Key:
    """Parts of `val/filters/conv1`, or of `val_filters/conv1` with another separator."""
    split = next((split for split in SPLITS if text.startswith(f"{split}{separator}")), "")
    name, _, detail = text[len(split) + len(separator) if split else 0 :].partition("/")
    return name, split, detail


def _place(key: Key, known: Sequence[str]) -> tuple[Any, ...]:
    """Sort key of figures: known ones as listed, then `layer2` before `layer10`."""
    name, split, detail = key
    figure = f"{name}/{detail}"
    rank = known.index(figure) if figure in known else len(known)
    numbered = [(int(digits or 0), rest) for digits, rest in re.findall(r"(\d*)(\D*)", detail)]
    return name, SPLITS.index(split) if split else -1, rank, numbered


def _kind(name: str, kinds: Kinds) -> str:
    """Kind of a figure: `cam` of `grad_cam`, `mistakes` of `old_mistakes`; else the name itself."""
    if CAM_NAME.search(name):
        return CAM
    like = [kind for kind in kinds if f"_{kind}_" in f"_{name}_"]
    return max(like, key=len, default=name)


def frames(topics: Iterable[Topic]) -> Iterator[str]:
    """Artifacts, the most important first: the last epoch of each figure, the first, the others."""
    views = [list(view.files.values()) for topic in topics for view in topic.views]
    yield from (files[-1] for files in views)
    yield from (files[0] for files in views if len(files) > 1)
    for files in views:
        yield from files[1:-1]
