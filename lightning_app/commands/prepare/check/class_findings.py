"""What is wrong with the numbers of images of the classes."""

from collections.abc import Sequence

from lightning_app.commands.prepare.check.findings import (
    Entry,
    Exhibit,
    Finding,
    about,
    class_counts,
)

MAX_IMBALANCE = 10  # largest class by smallest


def class_findings(entries: Sequence[Entry]) -> list[Finding]:
    """Classes that cannot be learned or scored, or hardly."""
    counts = {name: of_split for name, of_split in class_counts(entries).items() if name}
    learned = {name: of_split["train"] for name, of_split in counts.items() if of_split["train"]}
    return [
        *about(
            "error",
            "Nothing to tell apart",
            "There has to be a training image of two classes or more.",
            [Exhibit(name, "the only class") for name in learned] if len(learned) < 2 else [],
        ),
        *about(
            "error",
            "Classes that only validation or test has",
            "The network has no output for a class that it was not trained on. Add training "
            "images, or take the class out.",
            [
                Exhibit(name, _told(of_split))
                for name, of_split in counts.items()
                if name not in learned
            ],
        ),
        *about(
            "warning",
            "Classes with a single training image",
            "One image is memorised, not generalised from, and none is left to validate on.",
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
        "The network will prefer large classes, and accuracy will hide it: look at the F1 score, "
        "and try --data.options.sampling sqrt or balanced.",
        [
            Exhibit(name, f"{learned[name]} in train")
            for name in sorted(learned, key=learned.__getitem__)
            if learned[name] * MAX_IMBALANCE < learned[largest]
        ],
    )


def _unscored(counts: dict[str, dict[str, int]]) -> list[Finding]:
    """Classes that a labelled split other than the training images lacks."""
    labelled = {s for of_split in counts.values() for s, n in of_split.items() if n} - {"train"}
    lacking = {
        name: [split for split in of_split if split in labelled and not of_split[split]]
        for name, of_split in counts.items()
        if of_split["train"]
    }
    return about(
        "note",
        "Classes that validation or test lacks",
        "They are learned, but there is no score for them.",
        [Exhibit(name, f"not in {', '.join(lacks)}") for name, lacks in lacking.items() if lacks],
    )


def _told(of_split: dict[str, int]) -> str:
    return ", ".join(f"{count} in {split}" for split, count in of_split.items() if count)
