"""What is wrong with single files: they cannot be read, or not as one would think."""

from collections.abc import Callable, Sequence
from pathlib import Path

from lightning_app.commands.prepare.check.facts import Facts
from lightning_app.commands.prepare.check.findings import Entry, Exhibit, Finding, Severity, about

JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
ENDINGS = {  # of each format that Pillow tells apart
    **{"JPEG": JPEG, "MPO": JPEG, "PNG": (".png",), "GIF": (".gif",), "WEBP": (".webp",)},
    **{"BMP": (".bmp", ".dib"), "DIB": (".bmp", ".dib"), "TIFF": (".tif", ".tiff")},
    **{"PPM": (".pbm", ".pgm", ".pnm", ".ppm"), "JPEG2000": (".jp2",), "AVIF": (".avif",)},
}
Surveyed = Sequence[tuple[Entry, Facts]]
FAULTS = {
    "empty": "Empty files",
    "no image": "Files that are no images",
    "cut off": "Files whose end is missing",
    "broken": "Broken image files",
    "too large": "Images with too many pixels",
}
FAULT_ADVICE = {
    "cut off": "Decoders fill the rest with grey and say nothing. Training refuses such files: "
    "fetch them again, delete them, or leave them out with --data.options.on_error skip.",
    "too large": "A small file can unpack to gigabytes; it was not decoded. Training refuses it: "
    "scale it down, delete it, or leave it out with --data.options.on_error skip.",
}
UNREADABLE = (
    "Training refuses them. Fetch them again, delete them, or leave them out with "
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
    def those(
        severity: Severity,
        title: str,
        advice: str,
        is_odd: Callable[[Facts], bool],
        remark: Callable[[Facts], str],
    ) -> list[Finding]:
        odd = [(entry, facts) for entry, facts in readable if is_odd(facts)]
        return about(severity, title, advice, [Exhibit(e.name, remark(f), e) for e, f in odd])

    return [
        *those(
            "warning",
            "Animated images and images of several pages",
            "Only the first frame is seen. Save the frames that matter as images of their own.",
            lambda facts: facts.is_animated,
            lambda facts: facts.format,
        ),
        *those(
            "warning",
            "Images of 16 bits and more",
            "They are read with 8 bits: what uses a part of the range only comes out nearly black "
            "or white. Look at them below; scale their values to 0 to 255 yourself if need be.",
            lambda facts: facts.bits > 8,
            lambda facts: facts.mode,
        ),
        *those(
            "note",
            "Images in the colours of a printer",
            "They are converted without their colour profile, so colours may be off.",
            lambda facts: facts.mode in ("CMYK", "YCbCr", "LAB"),
            lambda facts: facts.mode,
        ),
        *those(
            "note",
            "Transparent images",
            "They are laid on white. If one class has more of them than the others, the network "
            "can learn the white instead of the class.",
            lambda facts: facts.is_transparent,
            lambda facts: facts.mode,
        ),
        *those(
            "note",
            "Photographs to be turned",
            "Training turns them as their EXIF data say, but other programs may not.",
            lambda facts: facts.is_turned,
            lambda facts: "",
        ),
    ]


def _misnamed(readable: Surveyed) -> list[Finding]:
    return about(
        "note",
        "Files with the ending of another format",
        "Training reads them, as it looks at the content; programs that trust the ending fail.",
        [
            Exhibit(entry.name, f"is {facts.format}", entry)
            for entry, facts in readable
            if Path(entry.name).suffix.lower() not in ENDINGS.get(facts.format, ())
        ],
    )
