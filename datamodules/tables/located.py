"""Rows of a manifest whose images exist below a root; the others are complained of."""

from collections.abc import Sequence
from pathlib import Path
from posixpath import normpath
from typing import Any

from datamodules.complaints import Complain, Complaint, Item, raise_error
from datamodules.sources.files import is_file, outside
from datamodules.tables.image_names import Found, ImageNames
from datamodules.tables.table import refuse

URLS = r"(?i)(?:https?|s3|gs)://"
BASE64 = r"(?:data:image/|(?:/9j/|iVBORw0KGgo|R0lGOD|UklGR)[A-Za-z0-9+/=\s]{80,})"
NUMBERS = r"\[\s*\"?[\d.]+\"?\s*,"  # lists of pixels


def located(
    rows: Any,
    root: Path,
    hint: str,
    complain: Complain = raise_error,
    allow_outside: bool = False,
) -> Any:
    """Rows with the path of each image below the root; see `ImageNames`.

    Args:
        rows: See `read_rows`; rows that hold their images are returned as they are.
        root: Folder that the paths are relative to.
        hint: What the user can do, for messages.
        complain: Called with rows whose image is missing, ambiguous, outside of the root or listed
            twice, which are then left out.
        allow_outside: Whether paths and links may lead out of the root.

    Raises:
        ValueError: If there are such rows and `complain` raises.
    """
    if "@row" in rows:
        return rows
    rows = _refuse_what_is_no_path(rows, complain)
    found = ImageNames(root).find(rows["image"].tolist(), rows["split"].tolist())
    pairs = zip(found, rows["image"], strict=True)
    chosen = [one.paths[0] if one.paths else name for one, name in pairs]
    unclear = _unclear(found)
    rows = rows.assign(**{"@written": rows["image"], "image": chosen, "@unclear": unclear})
    if not allow_outside:
        what = f"lies outside {root}; {hint}, or set --data.allow_outside true"
        rows = refuse(
            rows, outside(root, rows["image"]), what, "image", "image outside root", complain
        )
    gone = [not is_file(root, image) for image in rows["image"]]
    what = f"is not in {root}; {hint}"
    rows = refuse(rows, gone, what, "image", "missing image", complain)
    rows = _refuse_ambiguous(rows, root, hint, complain)
    _tell(rows, complain)
    rows = _without_repeats(rows, complain)
    return rows.drop(columns=["@written", "@unclear"])


def _refuse_what_is_no_path(rows: Any, complain: Complain) -> Any:
    what = "is empty; expected the path of an image"
    rows = refuse(rows, rows["image"] == "", what, "image", "missing image", complain)
    what = "is a URL; images are not downloaded: download them, and list their paths"
    is_url = rows["image"].str.match(URLS)
    rows = refuse(rows, is_url, what, "image", "missing image", complain)
    is_content = rows["image"].str.match(BASE64) | rows["image"].str.match(NUMBERS)
    if not is_content.any():
        return rows
    rows = rows.assign(image=rows["image"].mask(is_content, rows["image"].str[:40] + "…"))
    what = "is no path, but base64 text or pixels; save images as files, or as bytes in Parquet"
    return refuse(rows, is_content, what, "image", "missing image", complain)


def _unclear(found: Sequence[Found]) -> list[str]:
    """What else each name may mean; empty if it is clear.

    Paths of another computer are cut where they exist below the root. If one needs a longer cut
    than another that begins alike, its image is missing, and an image of another folder has its
    name.
    """
    cuts = {one.cut for one in found if one.cut}
    longer = {cut for cut in cuts if any(cut.startswith(f"{other}/") for other in cuts)}
    return [_candidates(one, one.cut in longer) for one in found]


def _candidates(one: Found, is_cut_longer: bool) -> str:
    """The files that a name may mean, or the one that fits and another that is missing."""
    if len(one.paths) > 1:
        return " or ".join(one.paths[:3])
    return f"{one.paths[0]} or another that is missing" if is_cut_longer and one.paths else ""


def _refuse_ambiguous(rows: Any, root: Path, hint: str, complain: Complain) -> Any:
    unclear = rows["@unclear"] != ""
    if unclear.any():
        may_be = rows["@unclear"][unclear].iloc[0]
        what = f"may be {may_be} in {root}; {hint}, or write the whole paths"
        rows = refuse(rows, unclear, what, "@written", "ambiguous image", complain)
    return rows


def _tell(rows: Any, complain: Complain) -> None:
    """Say how names were understood that are no paths below the root."""
    other = rows[rows["@written"] != rows["image"]]
    if len(other):
        first = other.iloc[0]
        text = (
            f"{first['@file']}: {len(other):,} of {len(rows):,} images are written in another way: "
            f"{first['@written']!r} is {first['image']}."
        )
        items = (Item(first["@written"], f"is {first['image']}"),)
        complain(Complaint("interpretation", items, text, is_error=False))


def _without_repeats(rows: Any, complain: Complain) -> Any:
    """Refuse images that are listed twice, and say if their labels differ."""
    path = rows["image"].map(normpath)
    repeated = path.duplicated()
    if not repeated.any():
        return rows
    first = path[repeated].iloc[0]
    labels = list(dict.fromkeys(rows["label"][path == first]))
    several = rows["label"].groupby(path).nunique()
    what = "is listed a second time"
    if len(labels) > 1:
        what += f", as {labels[1]} instead of {labels[0]}"
    if (number := int((several > 1).sum())) > 1:
        what += f"; {number} images have several labels, which are not supported"
    return refuse(rows, repeated, what, "image", "duplicate row", complain)
