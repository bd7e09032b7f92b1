"""Findings about classes: missing, tiny and unbalanced ones."""

from collections.abc import Sequence

from lightning_app.commands.prepare.check.findings import (
    Entry,
    Exhibit,
    Finding,
    about,
    class_counts,
)

MAX_IMBALANCE = 10  # of the size of the largest class to that of the smallest


def class_findings(entries: Sequence[Entry]) -> list[Finding]:
    """Classes that are hard or impossible to learn or to score."""
    counts = {name: of_split for name, of_split in class_counts(entries).items() if name}
    learned = {name: of_split["train"] for name, of_split in counts.items() if of_split["train"]}
    return [
        *about(
            "error",
            "Fewer than two classes",
            "Training needs images of at least two classes.",
            [Exhibit(name, "the only class") for name in learned] if len(learned) < 2 else [],
        ),
        *about(
            "error",
            "Classes without training images",
            "Only validation or test has images of them, and the network has no output for such a "
            "class. Add training images, or leave the class out.",
            [
                Exhibit(name, _counts(of_split))
                for name, of_split in counts.items()
                if name not in learned
            ],
        ),
        *about(
            "warning",
            "Classes with a single training image",
            "The network will memorise the image, and none is left to validate on.",
            [Exhibit(name) for name, count in learned.items() if count == 1],
        ),
        *_imbalance(learned),
        *_unscored(counts),
    ]


def _imbalance(learned: dict[str, int]) -> list[Finding]:
    largest, smallest = max(learned, key=learned.__getitem__), min(learned, key=learned.__getitem__)
    ratio = learned[largest] / learned[smallest]
    return about(
        "warning",
        f"The largest class has {ratio:.0f} times the images of the smallest",
        "The network will favour large classes, and accuracy will hide it: look at the F1 score, "
        "and try --data.options.sampling sqrt or balanced.",
        [
            Exhibit(name, f"{learned[name]} in train")
            for name in sorted(learned, key=learned.__getitem__)
            if learned[name] * MAX_IMBALANCE < learned[largest]
        ],
    )


def _unscored(counts: dict[str, dict[str, int]]) -> list[Finding]:
    """Classes that are missing in another labelled split."""
    labelled = {s for of_split in counts.values() for s, n in of_split.items() if n} - {"train"}
    lacking = {
        name: [split for split in of_split if split in labelled and not of_split[split]]
        for name, of_split in counts.items()
        if of_split["train"]
    }
    return about(
        "note",
        "Classes without validation or test images",
        "The network learns them, but there will be no score for them.",
        [Exhibit(name, f"not in {', '.join(lacks)}") for name, lacks in lacking.items() if lacks],
    )


def _counts(of_split: dict[str, int]) -> str:
    return ", ".join(f"{count} in {split}" for split, count in of_split.items() if count)
