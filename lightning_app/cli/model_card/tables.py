"""Tables of Markdown."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of Markdown; empty if it has no row.

    Args:
        head: Names of the columns; those of numbers begin with `>`, and are aligned to the right.
        rows: The cells.
    """
    lines = [_line(row) for row in rows]
    if not lines:
        return ""
    rule = "|".join("--:" if name.startswith(">") else "---" for name in head)
    return "\n".join([_line([name.lstrip(">") for name in head]), f"|{rule}|", *lines])


def _line(cells: Iterable[object]) -> str:
    texts = (" ".join(str(cell).split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(texts)} |"
