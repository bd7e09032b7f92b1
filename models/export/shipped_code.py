"""Code that is shipped with an exported network: one file that needs no package of this project."""

import re
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
OWN_IMPORTS = re.compile(r"^from models\.export\.(\w+) import .*\n", re.MULTILINE)
INPUT_FILE = "image_input.py"  # beside exported networks


def code_of(module: str) -> str:
    """The source of a module of this package with those that it imports in place of the imports."""
    included = {module}

    def source(match: re.Match[str]) -> str:
        if match[1] in included:
            return ""
        included.add(match[1])
        return _source(match[1], source)

    return _source(module, source)


def _source(module: str, replacement: Callable[[re.Match[str]], str]) -> str:
    return OWN_IMPORTS.sub(replacement, (HERE / f"{module}.py").read_text(encoding="utf-8"))
