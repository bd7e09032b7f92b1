"""YAML files, checked before they are parsed: encoding, depth, and what aliases grow to."""

from pathlib import Path

import yaml

MAX_DEPTH = 100
MAX_NODES = 100_000  # with every alias written out; nine lines of aliases can stand for a billion


def read_yaml_text(file: Path) -> str:
    """The text of a YAML file that is safe to parse. Errors of syntax are left to the parser.

    Raises:
        ValueError: If the file cannot be read, is not UTF-8, has characters that YAML does not
            allow, is nested too deeply, or refers to itself.
    """
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not UTF-8; save it as UTF-8.") from None
    try:
        _check(text, file)
    except yaml.reader.ReaderError as error:
        raise ValueError(
            f"{file} is not text: it has the character {error.character!r} at position "
            f"{error.position}."
        ) from None
    except yaml.YAMLError:
        pass  # not valid YAML: the parser that reads the text reports the line
    return text


def _check(text: str, file: Path) -> None:
    nodes = _Nodes()
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = f"{file}, line {event.start_mark.line + 1}"
        if nodes.add(event):
            raise ValueError(f"{line}: *{event.anchor} refers to itself.")
        if len(nodes.open) > MAX_DEPTH:
            raise ValueError(f"{line}: more than {MAX_DEPTH} lists and mappings in one another.")
        if nodes.total > MAX_NODES:
            raise ValueError(
                f"{line}: more than {MAX_NODES:,} values, counting each alias with what it stands "
                "for."
            )


class _Nodes:
    """Number of values so far, with the aliases written out."""

    def __init__(self) -> None:
        self.total = 0
        self.sizes: dict[str, int] = {}  # of each anchor that has ended
        self.open: list[tuple[str | None, int]] = []  # collections: anchor, and values before

    def add(self, event: yaml.Event) -> bool:
        """Count an event; whether it is an alias of a collection that it is part of."""
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self.open.pop()
            if anchor is not None:
                self.sizes[anchor] = self.total - before
        elif isinstance(event, yaml.AliasEvent):
            self.total += self.sizes.get(event.anchor, 1)
            return any(anchor == event.anchor for anchor, _ in self.open)
        elif isinstance(event, yaml.NodeEvent):
            if isinstance(event, yaml.CollectionStartEvent):
                self.open.append((event.anchor, self.total))
            self.total += 1
        return False
