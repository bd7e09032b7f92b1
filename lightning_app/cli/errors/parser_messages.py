"""Complaint of jsonargparse about a setting: the most deeply nested one of an error message.

jsonargparse has one exception for all errors. What it is about (key, class, value, expected types)
is only in its message, as nested text, so it is read from there.
"""

import re
from dataclasses import dataclass

UNKNOWN_OPTION = re.compile(
    r"(?:Group '(?P<group>.+?)' )?(?:does not accept o|O)ption '(?P<option>.+?)'"
)
UNRECOGNIZED = re.compile(r"unrecognized arguments: (?P<argument>\S+)")
UNKNOWN_CLASS = re.compile(
    r"(?:Expected a dot import path string: |Unexpected import path format: |"
    r"Import path (?=\S+ does not correspond))(?P<name>\S*\w)"
)
NOT_IMPORTED = re.compile(r"has no attribute '\w+'|No module named")
REQUIRED = re.compile(r"the following arguments are required: (?P<names>.+)")
NOT_A_CLASS = re.compile(
    r"an instantiatable class, but|Dict must include a class_path|Not a valid subclass"
)
PYDANTIC = re.compile(
    r"(?P<what>Input should .*|Value error.*) \[type=.*input_value=(?P<got>.*), in"
)
WRONG_TYPE = re.compile(r"Expected an? (?!path |dot )(?P<type>.+)")
PATTERNS = (
    *(UNKNOWN_OPTION, UNRECOGNIZED, UNKNOWN_CLASS, NOT_IMPORTED),
    *(REQUIRED, NOT_A_CLASS, PYDANTIC, WRONG_TYPE),
)

KEY = re.compile(r'Parser key "([^"]+)"')
CLASS = re.compile(r"Problem with given class_path '([^']+)'")
GOT = re.compile(r"(?:Got|Given) value: (.*?)(?:\. Got value: .*)?$")
SUBTYPES = re.compile(r"Subtypes: \[(.*)\]$")
# The complaint about a callable's class is in the line of the callable; the class is named last.
CALLABLE = re.compile(
    r"(?ms)^( *)Type [^\n]* callable class: ((?:(?!Got value: ).)*?)"
    r"\. (Got value: Namespace\(class_path='([^']+)'[^\n]*)"
)
AS_CLASS = r"\1Problem with given class_path '\4':\n\1 \2. \3"


@dataclass(frozen=True)
class Complaint:
    """The most deeply nested complaint of a message, and the way to it.

    Args:
        text: Its line.
        parent: The line one level above it.
        keys: The keys that lead to it, outermost first.
        classes: The classes that have these keys as arguments, outermost first.
        expected: The types that are possible, "" if the message does not say.
        got: The value, "" if the message does not say.
    """

    text: str
    parent: str
    keys: tuple[str, ...]
    classes: tuple[str, ...]
    expected: str
    got: str

    @property
    def key(self) -> str:
        """The keys, dotted."""
        return ".".join(self.keys)

    @property
    def class_name(self) -> str:
        """The short name of the innermost class, "" if there is none."""
        return self.classes[-1].rsplit(".", 1)[-1] if self.classes else ""


def deepest_complaint(message: str) -> Complaint | None:
    """The complaint nested deepest; at equal depth, the first that is not only about a type."""
    lines = CALLABLE.sub(AS_CLASS, message).splitlines()
    found = [i for i, line in enumerate(lines) if any(p.search(line) for p in PATTERNS)]
    if not found:
        return None
    index = max(found, key=lambda i: (_depth(lines[i]), not WRONG_TYPE.search(lines[i])))
    above = _lines_above(lines, index)
    keys = [key for line in above for key in KEY.findall(line)]
    got = (GOT.search(line) for line in lines[index:])
    return Complaint(
        text=lines[index].strip(" -"),
        parent=above[-1].strip() if above else "",
        keys=tuple(part for key in keys for part in key.split(".")),
        classes=tuple(name for line in above for name in CLASS.findall(line)),
        expected=_expected(lines, index),
        got=next((match[1] for match in got if match), ""),
    )


def _lines_above(lines: list[str], index: int) -> list[str]:
    """The line one level above, the one above that, and so on; outermost first."""
    above, depth = [], _depth(lines[index])
    for line in reversed(lines[:index]):
        if line.strip() and _depth(line) < depth:
            above.append(line)
            depth = _depth(line)
    return above[::-1]


def _expected(lines: list[str], index: int) -> str:
    depth = _depth(lines[index])
    for line in reversed(lines[:index]):
        if (match := SUBTYPES.search(line)) and _depth(line) < depth:
            return _readable(match[1])
        if KEY.search(line):
            break
    match = WRONG_TYPE.search(lines[index])
    return _readable(match["type"].split(". Got value")[0]) if match else ""


def _readable(types: str) -> str:
    """`<class 'int'>, <class 'NoneType'>` as `int or null`."""
    types = re.sub(r"<class '([\w.]+)'>", r"\1", types)
    types = re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", types).replace("NoneType", "null")
    types = re.sub(r", (?![^\[]*\])", " or ", types)  # commas outside brackets
    return re.sub(r"Literal\[(.*?)\]", r"\1", types)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
