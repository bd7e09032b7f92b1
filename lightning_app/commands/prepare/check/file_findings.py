"""Findings about single files: unreadable and unusual ones."""

from collections.abc import Callable, Sequence
from pathlib import Path

from lightning_app.commands.prepare.check.facts import ImageFacts
from lightning_app.commands.prepare.check.findings import Entry, Exhibit, Finding, Severity, about

JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
ENDINGS = {  # of each of Pillow's formats
    **{"JPEG": JPEG, "MPO": JPEG, "PNG": (".png",), "GIF": (".gif",), "WEBP": (".webp",)},
    **{"BMP": (".bmp", ".dib"), "DIB": (".bmp", ".dib"), "TIFF": (".tif", ".tiff")},
    **{
        "PPM": (".pbm", ".pgm", ".pnm", ".ppm"),
        "JPEG2000": (".jp2",),
        "AVIF": (".avif",),
        "HEIF": (".heic", ".heif", ".hif"),
    },
}
Surveyed = Sequence[tuple[Entry, ImageFacts]]
FAULTS = {
    "empty": "Empty files",
    "not an image": "Files that are not images",
    "truncated": "Truncated files",
    "broken": "Broken image files",
    "unsupported": "Images of kinds that are not supported",
    "too large": "Images with too many pixels",
    "name": "Files whose names are not UTF-8",
}
FAULT_ADVICE = {
    "unsupported": "They are whole, but training refuses them. Save them in another way, or leave "
    "them out with --data.options.on_error skip.",
    "name": "Training refuses them: tables and reports hold UTF-8. Rename them, for example with "
    "`convmv -f latin1 -t utf8 -r --notest FOLDER`.",
    "truncated": "Decoders silently fill the missing part with grey. Training refuses such files: "
    "download them again, delete them, or leave them out with --data.options.on_error skip.",
    "too large": "A small file can decode to gigabytes; it was not decoded. Training refuses it: "
    "scale it down, delete it, or leave it out with --data.options.on_error skip.",
}
UNREADABLE = (
    "Training refuses them. Download them again, delete them, or leave them out with "
    "--data.options.on_error skip."
)


def file_findings(surveyed: Surveyed) -> list[Finding]:
    """Unreadable files and unusual ones."""
    readable = [pair for pair in surveyed if not pair[1].fault]
    return [*_faults(surveyed), *_oddities(readable), *_misnamed(readable)]


def _faults(surveyed: Surveyed) -> list[Finding]:
    return [
        finding
        for fault, title in FAULTS.items()
        for finding in about(
            "error",
            title,
            FAULT_ADVICE.get(fault, UNREADABLE),
            [
                Exhibit(
                    entry.name, facts.complaint.removeprefix(str(entry.file)).strip(" ."), entry
                )
                for entry, facts in surveyed
                if facts.fault == fault
            ],
        )
    ]


def _oddities(readable: Surveyed) -> list[Finding]:
    def odd(
        severity: Severity,
        title: str,
        advice: str,
        is_odd: Callable[[ImageFacts], bool],
        remark: Callable[[ImageFacts], str],
    ) -> list[Finding]:
        found = [(entry, facts) for entry, facts in readable if is_odd(facts)]
        return about(severity, title, advice, [Exhibit(e.name, remark(f), e) for e, f in found])

    return [
        *odd(
            "warning",
            "Animated images and images of several pages",
            "Only the first frame is read. Save the frames that matter as separate images.",
            lambda facts: facts.is_animated,
            lambda facts: facts.format,
        ),
        *odd(
            "warning",
            "Images of 16 bits or more",
            "They are reduced to 8 bits by the rules in docs/data.md. Scale all images alike, and "
            "look at them below.",
            lambda facts: facts.bits > 8,
            lambda facts: facts.mode,
        ),
        *odd(
            "warning",
            "Nearly black images",
            "They may hold 12 bits in a file of 16, or numbers such as 0 and 1. Scale all images "
            "alike, and save them with 8 bits.",
            lambda facts: facts.is_dark,
            lambda facts: facts.mode,
        ),
        *odd(
            "note",
            "Images in printing colours",
            "They are converted by their colour profile; without one, colours may be wrong.",
            lambda facts: facts.mode in ("CMYK", "YCbCr", "LAB"),
            lambda facts: facts.mode,
        ),
        *odd(
            "note",
            "Transparent images",
            "Transparent parts become white. If one class has more of them than the others, the "
            "network may learn the white instead of the class.",
            lambda facts: facts.is_transparent,
            lambda facts: facts.mode,
        ),
        *odd(
            "note",
            "Images that EXIF data rotate",
            "Training rotates them accordingly, but other programs may not.",
            lambda facts: facts.is_rotated,
            lambda facts: "",
        ),
    ]


def _misnamed(readable: Surveyed) -> list[Finding]:
    return about(
        "note",
        "Files with the ending of another format",
        "Training reads them by their content, but programs that trust the ending fail.",
        [
            Exhibit(entry.name, f"is {facts.format}", entry)
            for entry, facts in readable
            if entry.pixels is None
            and entry.encoded is None
            and facts.format
            and Path(entry.name).suffix.lower() not in ENDINGS.get(facts.format, ())
        ],
    )
