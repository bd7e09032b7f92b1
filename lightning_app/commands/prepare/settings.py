"""Settings file of `prepare augment`: a resumed run has to use the same settings."""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from datamodules.atomic_files import atomic_write
from datamodules.augmentation.load import augmentation_file
from lightning_app.commands.prepare.originals import Originals

FILE = "settings.json"
FREE = ("out", "processes")  # options that do not change the images
CONTENTS = {"originals": "other originals", "augmentation": "another augmentation in the file"}


def keep_to_settings(options: argparse.Namespace, originals: Originals) -> None:
    """Write the settings of a first run, or compare those of a later run with them.

    Args:
        options: The parsed command line; `out` is the folder.
        originals: The images that copies are made of.

    Raises:
        ValueError: If the folder has images that were made with other settings, or other files.
    """
    file = options.out / FILE
    settings = _settings(options, originals)
    if file.is_file():
        before = json.loads(file.read_text(encoding="utf-8"))
        differs = [name for name in settings if settings[name] != before.get(name)]
        # If an option differs, it may be the reason for other contents: name only the option.
        named = [name for name in differs if name not in CONTENTS] or differs
        if named:
            texts = [_difference(name, before.get(name), settings[name]) for name in named]
            raise ValueError(
                f"{options.out} holds images made with {', and '.join(texts)}. Choose another "
                "--out, or delete it."
            )
    elif options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        raise ValueError(f"{options.out} is not empty. Choose another --out, or delete it.")
    else:
        with atomic_write(file) as unfinished:
            unfinished.write_text(json.dumps(settings, indent=2), encoding="utf-8")


def _settings(options: argparse.Namespace, originals: Originals) -> dict[str, Any]:
    given = {
        f"--{name}": str(value) if isinstance(value, Path) else value
        for name, value in vars(options).items()
        if name not in FREE
    }
    given["DATA"] = given.pop("--data")
    names = sorted(name for source in originals.sources.values() for name in source.names)
    contents = ("\0".join(names).encode(), augmentation_file(options.preset).read_bytes())
    digests = [hashlib.sha256(content).hexdigest()[:16] for content in contents]
    return given | dict(zip(CONTENTS, digests, strict=True))


def _difference(name: str, before: Any, now: Any) -> str:
    """A difference in words, as a digest means nothing to the user."""
    return CONTENTS.get(name, f"{name} {before}, not {now}")
