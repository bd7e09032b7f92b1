"""What the images of a folder were made with, so that a later run makes them no other way."""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from datamodules.augmentation.load import augmentation_file
from lightning_app.commands.prepare.originals import Originals

FILE = "settings.json"
FREE = ("out", "processes")  # options that change no image
CONTENTS = {"originals": "other originals", "augmentation": "another augmentation in the file"}


def keep_to_settings(options: argparse.Namespace, originals: Originals) -> None:
    """Write the settings of a first run, and compare those of a later one with them.

    Args:
        options: What was parsed; `out` is the folder.
        originals: The images found.

    Raises:
        ValueError: If the folder has images that were made with other settings, or by others.
    """
    file = options.out / FILE
    settings = _settings(options, originals)
    if file.is_file():
        before = json.loads(file.read_text(encoding="utf-8"))
        differs = [name for name in settings if settings[name] != before.get(name)]
        # Another option makes for other contents: it is the one to name.
        named = [name for name in differs if name not in CONTENTS] or differs
        if told := [_told(name, before.get(name), settings[name]) for name in named]:
            raise ValueError(
                f"{options.out} holds images made with {', and '.join(told)}. Choose another "
                "--out, or delete it."
            )
    elif options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        raise ValueError(f"{options.out} is not empty. Choose another --out, or delete it.")
    else:
        options.out.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".tmp")
        unfinished.write_text(json.dumps(settings, indent=2), encoding="utf-8")
        unfinished.replace(file)


def _settings(options: argparse.Namespace, originals: Originals) -> dict[str, Any]:
    given = {
        f"--{name.replace('_', '-')}": str(value) if isinstance(value, Path) else value
        for name, value in vars(options).items()
        if name not in FREE
    }
    given["DATA"] = given.pop("--data")
    names = sorted(name for source in originals.sources.values() for name in source.names)
    contents = ("\0".join(names).encode(), augmentation_file(options.preset).read_bytes())
    digests = [hashlib.sha256(content).hexdigest()[:16] for content in contents]
    return given | dict(zip(CONTENTS, digests, strict=True))


def _told(name: str, before: Any, now: Any) -> str:
    """A difference in words; nobody can read a digest."""
    return CONTENTS.get(name, f"{name} {before}, not {now}")
