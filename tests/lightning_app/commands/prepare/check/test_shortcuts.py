"""Shortcuts in a dataset: planted ones are found by their names, others are not claimed."""

import io
from contextlib import redirect_stdout

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from lightning_app.commands.prepare.check.check import check, list_dataset
from lightning_app.commands.prepare.check.facts import ImageFacts, facts_of
from lightning_app.commands.prepare.check.findings import Entry
from lightning_app.commands.prepare.check.recording import Recording
from lightning_app.commands.prepare.check.shortcuts.sample import sample_of
from lightning_app.commands.prepare.check.shortcuts.shortcut_findings import shortcut_findings
from lightning_app.commands.prepare.check.shortcuts.shortcuts import find_shortcuts
from lightning_app.commands.prepare.check.survey import survey

CLASSES, PER_CLASS = ("cat", "dog", "owl"), 40
NOTE = "Simple properties of the pictures that tell classes apart"


@pytest.fixture
def planted(photograph, tmp_path):
    """The findings on photographs of three classes that say nothing, after one is planted.

    `plant` changes nine in ten photographs of the owl and one in ten of the others.
    """

    def find_planted(plant, recordings=(Recording(), Recording())):
        entries, facts = [], []
        for k, label in enumerate(CLASSES):
            for number in range(PER_CLASS):
                image = photograph(1000 * k + number).copy()
                changed = (number % 10 != 0) if label == "owl" else (number % 10 == 0)
                header = ImageFacts(recording=recordings[changed])
                name = f"{label}/{number}"
                entries.append(Entry(name, tmp_path / name, "train", label))
                facts.append(facts_of(plant(image) if changed else image, header))
        found = find_shortcuts(entries, facts)
        return shortcut_findings(found), found

    return find_planted


def watermark(image):
    image[-14:-3, -14:-3] = image[-14:-3, -14:-3] // 2 + 120
    return image


def frame(image):
    image[[0, -1]] = image[:, [0, -1]] = 20
    return image


def bluish(image):
    return (image * [0.6, 0.8, 1.0] + [0, 0, 30]).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("plant", "recordings", "places"),
    [
        (
            watermark,
            (Recording(9, "PNG RGB"), Recording(9, "PNG RGB", "Canon EOS")),
            ("the camera", "the lower right corner"),
        ),
        (
            frame,
            (Recording(9, "JPEG RGB, quality 75"), Recording(9, "JPEG RGB, quality 90")),
            ("format and compression", "the border"),
        ),
    ],
)
def test_planted_shortcut_is_found_by_its_name(planted, plant, recordings, places):
    findings, _ = planted(plant, recordings)
    warned = [finding for finding in findings if finding.severity == "warning"]
    assert [f.title for f in warned] == [f"owl can be told by {place}" for place in places]
    for finding in warned:
        shown = [exhibit.entry.label for (exhibit,) in finding.groups]
        assert 32 <= len(shown) <= 36  # nine in ten of 40
        assert set(shown) == {"owl"}
        assert f"{len(shown) / 40:.0%} of the images of owl" in finding.advice


def test_nothing_is_claimed_of_photographs_that_say_nothing(planted):
    findings, found = planted(lambda image: image)
    assert findings == []
    assert all(a.accuracy.low < a.chance < a.accuracy.high for a in found.answers)
    asked = {answer.question.name for answer in found.answers}  # not what is the same for all
    assert asked.isdisjoint({"dimensions", "format and compression", "camera", "date", "file size"})


def test_colour_is_information_and_no_fault(planted):
    findings, _ = planted(bluish)
    (note,) = findings
    assert (note.severity, note.title) == ("note", NOTE)
    assert "mean colour" in {exhibit.name for group in note.groups for exhibit in group}


def test_groups_and_copies_count_once_and_small_classes_are_left_out(photograph, tmp_path):
    def pair(label, number, group=""):
        return Entry(f"{label}{number}", tmp_path, "train", label, group), facts_of(
            photograph(number)
        )

    large = [pair("cat", n) for n in range(30)] + [pair("dog", 50 + n) for n in range(25)]
    copies = [pair("cat", n) for n in range(30)]
    grouped = [pair("dog", 200 + n, f"one of {n % 3}") for n in range(9)]
    small = [pair("owl", 100 + n) for n in range(19)]
    sampled = [entry.label for entry, _ in sample_of([*large, *copies, *grouped, *small])]
    assert (sampled.count("cat"), sampled.count("dog"), len(sampled)) == (30, 28, 58)
    assert sample_of([*large[:30], *small]) == []


def test_file_tells_quality_camera_and_date(save):
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "EOS 5D"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:31 12:00:00"
    qualities = (30, 50, 75, 95)
    for quality in qualities:
        save(f"cat/{quality}.jpg", quality, quality=quality, exif=exif)
    listing = list_dataset(save("dog/1.png", 1).parents[1])
    recordings = [facts.recording for facts in survey(listing.entries, 1)]
    told = {recording.compression for recording in recordings}
    assert told == {"PNG RGB"} | {f"JPEG RGB, quality {quality}" for quality in qualities}
    assert {recording.camera for recording in recordings} == {"Canon EOS 5D", ""}
    assert {recording.date for recording in recordings} == {"2024:05:31 12:00:00", ""}
    assert all(recording.num_bytes > 100 for recording in recordings)


def test_table_is_printed_and_on_the_page(save, tmp_path, parse):
    for k, label in enumerate(("cat", "dog")):
        for number in range(24):
            save(f"{label}/{number}.jpg", 100 * k + number, quality=(60, 90)[k])
    file = tmp_path / "page.html"
    with redirect_stdout(io.StringIO()) as output:
        check([str(tmp_path / "data"), "--out", str(file), "--processes", "1"])
    assert "asked of 48 images of 2 classes (balanced accuracy; 50% by chance)" in output.getvalue()
    assert "! format and compression  100%" in output.getvalue()
    page = parse(file.read_text("utf-8"))
    assert "cat and dog can be told apart by format and compression" in page.words
    assert "Each row is a logistic regression on that property alone" in page.source


def test_digits_that_fill_their_images_are_not_suspicious(tmp_path):
    digits = load_digits()
    images = np.repeat((digits.images[:300, :, :, None] * 15.9).astype(np.uint8), 3, axis=3)
    entries = [Entry(str(k), tmp_path, "train", str(t)) for k, t in enumerate(digits.target[:300])]
    found = shortcut_findings(find_shortcuts(entries, [facts_of(image) for image in images]))
    assert {finding.severity for finding in found} == {"note"}
