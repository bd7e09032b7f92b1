"""HTML pages from templates: what is shared by all, and how wide pictures are laid out."""

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

WIDE = 1.35  # width to height of a picture from which it gets the whole width


def open_templates(*packages: str) -> Environment:
    """The templates of packages, the first that has one; what is filled in is escaped."""
    return Environment(
        loader=ChoiceLoader(
            [PackageLoader(package) for package in (*packages, "lightning_app.pages")]
        ),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


def side_by_side(topics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give a topic that has no neighbour the whole width."""
    alone: dict[str, Any] | None = None
    for topic in topics:
        if topic["wide"] or alone is not None:
            if topic["wide"] and alone is not None:
                alone["wide"] = True
            alone = None
        else:
            alone = topic
    if alone is not None:
        alone["wide"] = True
    return topics
