"""Documentation site: these pages, the README as the start page, and an API reference.

uv run --group docs sphinx-build -W --keep-going docs site
"""

import re
import sys
from importlib import metadata
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

project = "lightning-image-classification"
copyright = "2026, the contributors"
release = metadata.version(project)
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]
html_theme = "furo"
html_title = f"{project} {release}"

myst_heading_anchors = 3  # so that links to headings work here as they do on GitHub

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
default_role = "code"  # docstrings write code between single backticks
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes of a dataclass are documented once, in its docstring

PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md"}  # they lie above docs/
INCLUDE = re.compile(r"<!-- include (\S+) -->")


def include_from_above(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put README and CONTRIBUTING where a page includes them, and lead links to those pages.

    So every link works on GitHub, where the two lie above `docs/`, and on the site.
    """
    text = INCLUDE.sub(_from_above, source[0])
    for file, page in PAGES.items():
        text = text.replace(f"](../{file}", f"]({page}")
    source[0] = text


def _from_above(match: re.Match[str]) -> str:
    text = (HERE.parent / match[1]).read_text("utf-8")
    text = re.sub(r"\]\((?!https?:|#|docs/)", "](../", text)
    return text.replace("](docs/", "](")


def setup(app: Sphinx) -> None:
    """Register what is done here; Sphinx calls it."""
    app.connect("source-read", include_from_above)
