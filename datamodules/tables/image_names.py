r"""From names of images in a table to files: other spellings, missing endings, other folders.

The exact name always wins: `\` and `%20` can be part of a name. Otherwise a name may be written for
Windows or as a URL, may begin with folders that the root is in, and may lack its ending.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import normpath
from urllib.parse import unquote, urlsplit

from datamodules.names import spelled_as
from datamodules.sources.files import is_file
from datamodules.split_folders import FOLDERS
from datamodules.walk_folders import files_below, is_image

DRIVE = re.compile(r"[A-Za-z]:/")
CASE, NUMBER = "\0case ", "\0number "  # in front of keys, so that no name is one


@dataclass(frozen=True)
class Found:
    """What a name in a table may mean.

    Attributes:
        paths: Path of each possible file below the root; several if the name is ambiguous.
        cut: Folders in front of the name that are not below the root; empty if there are none.
    """

    paths: tuple[str, ...] = ()
    cut: str = ""


@dataclass
class ImageNames:
    """Finds the files of names below a root; folders are listed once.

    Attributes:
        root: The folder.
    """

    root: Path
    _folders: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def find(self, names: Sequence[str], splits: Sequence[str]) -> list[Found]:
        """The files of each name.

        Args:
            names: As the table has them.
            splits: Split of each, whose folder decides between several files.
        """
        found = [self._find(name) for name in names]
        if any(one.paths for one in found):
            return found
        if not (below := self._below()):
            return found
        pairs = zip(names, splits, strict=True)
        return [Found(_of_split(_matching(below, name), split)) for name, split in pairs]

    def _find(self, name: str) -> Found:
        if is_file(self.root, name):
            return Found((name,))
        if (other := spelled_as(name, lambda path: is_file(self.root, path))) != name:
            return Found((other,))
        for text in _spellings(name):
            for tail, cut in self._tails(text):
                if paths := self._files(tail):
                    return Found(paths, cut)
        return Found()

    def _tails(self, path: str) -> Iterator[tuple[str, str]]:
        """Ends of a path that may lie below the root, and what is cut off in front of each.

        Of a path from another computer any end may; of a relative one only what follows the names
        of the folders that the root is in.
        """
        parts = path.split("/")
        if path.startswith("/") or DRIVE.match(path):
            yield from (("/".join(parts[n:]), "/".join(parts[:n])) for n in range(1, len(parts)))
            return
        yield path, ""
        home = self.root.resolve().parts
        for count in range(1, len(parts)):
            if tuple(parts[:count]) == home[-count:]:
                yield "/".join(parts[count:]), ""

    def _files(self, path: str) -> tuple[str, ...]:
        """The file with this path, or the images that have it without their ending."""
        if is_file(self.root, path):
            return (path,)
        folder, slash, name = path.rpartition("/")
        if ".." in folder.split("/"):
            return ()
        if folder not in self._folders:
            self._folders[folder] = _by_stem(self.root / folder)
        index = self._folders[folder]
        found = next((index[key] for key in _keys(name) if key in index), [])
        return tuple(f"{folder}{slash}{file}" for file in found)

    def _below(self) -> dict[str, list[str]]:
        """All images below the root, by their names with and without ending."""
        index: dict[str, list[str]] = defaultdict(list)
        for file in files_below(self.root) if self.root.is_dir() else ():
            if is_image(file):
                path = file.relative_to(self.root).as_posix()
                index[file.name].append(path)
                index[file.stem].append(path)
        return index


def _by_stem(folder: Path) -> dict[str, list[str]]:
    """The images of a folder by their names without ending, and by what `_keys` gives besides."""
    index: dict[str, list[str]] = defaultdict(list)
    try:
        images = sorted(file.name for file in folder.iterdir() if is_image(file))
    except (OSError, ValueError):
        return index
    for name in images:
        stem = Path(name).stem
        for key in {stem, f"{CASE}{name.casefold()}", *_keys(stem)[1:]}:
            index[key].append(name)
    return index


def _keys(name: str) -> list[str]:
    """What a name may be found by: as it is, in other capitals, or as a number without zeros."""
    keys = [name, f"{CASE}{name.casefold()}"]
    number = name.removesuffix(".0")  # of ids that were read as numbers
    return [*keys, f"{NUMBER}{number.lstrip('0') or '0'}"] if number.isdecimal() else keys


def _spellings(name: str) -> Iterable[str]:
    """The name with slashes of Linux, and without the quotes of URLs."""
    texts = [name.strip()]
    if name.lower().startswith("file:"):
        texts.append(unquote(urlsplit(name.strip()).path))
        texts.append(texts[-1].lstrip("/"))  # file:///C:/data/a.png
    elif "%" in name:
        texts.append(unquote(texts[0]))
    texts += [text.replace("\\", "/") for text in texts]
    return dict.fromkeys(normpath(text) for text in texts if text)


def _matching(below: dict[str, list[str]], name: str) -> list[str]:
    """The images below the root whose path ends with the name, with or without their ending."""
    for text in _spellings(name):
        last = text.rpartition("/")[2]
        if paths := [path for path in below.get(last, ()) if _ends_with(path, text)]:
            return paths
    return []


def _ends_with(path: str, tail: str) -> bool:
    return any(f"/{p}".endswith(f"/{tail}") for p in (path, path.rpartition(".")[0]))


def _of_split(paths: list[str], split: str) -> tuple[str, ...]:
    """Those in the folder of the split, if there are several."""
    names = FOLDERS.get(split, ())
    inside = [path for path in paths if set(path.lower().split("/")[:-1]) & set(names)]
    return tuple(inside if len(paths) > 1 and inside else paths)
