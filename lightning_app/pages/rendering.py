"""Jinja templates of the HTML pages: `base.html`, shared macros, and the layout of pictures."""

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

WIDE = 1.35  # ratio of width to height from which a picture gets the whole width of the page


def open_templates(*packages: str) -> Environment:
    """Open the templates of some packages and the shared ones; all values are escaped.

    Args:
        packages: Packages with a folder `templates`; the first that has a template wins.
    """
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
    """Lay topics out in two columns: one without a neighbour gets the whole width."""
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
