"""What a report of jsonargparse is about: its most deeply nested complaint."""

import re
from dataclasses import dataclass

OPTION = re.compile(r"(?:Group '(?P<group>.+?)' )?(?:does not accept o|O)ption '(?P<option>.+?)'")
UNRECOGNIZED = re.compile(r"unrecognized arguments: (?P<argument>\S+)")
CLASS = re.compile(
    r"(?:Expected a dot import path string: |Unexpected import path format: |"
    r"Import path (?=\S+ does not correspond))(?P<name>\S+)"
)
IMPORT = re.compile(r"has no attribute '\w+'|No module named")
REQUIRED = re.compile(r"the following arguments are required: (?P<names>.+)")
BESIDE = re.compile(
    r"an instantiatable class, but|Dict must include a class_path|Not a valid subclass"
)
PYDANTIC = re.compile(
    r"(?P<what>Input should .*|Value error.*) \[type=.*input_value=(?P<got>.*), in"
)
VALUE = re.compile(r"Expected an? (?!path |dot )(?P<type>.+)")
COMPLAINTS = (OPTION, UNRECOGNIZED, CLASS, IMPORT, REQUIRED, BESIDE, PYDANTIC, VALUE)

KEY = re.compile(r'Parser key "([^"]+)"')
PROBLEM = re.compile(r"Problem with given class_path '([^']+)'")
CALLABLE = re.compile(r"(?m)^( *)(.* callable class: )(?=\S)")
GOT_CLASS = re.compile(r"Namespace\(class_path='([^']+)'")
GOT = re.compile(r"(?:Got|Given) value: (.*?)(?:\. Got value: .*)?$")
SUBTYPES = re.compile(r"Subtypes: \[(.*)\]$")


@dataclass(frozen=True)
class Complaint:
    """The deepest complaint of a report, and the way to it.

    Args:
        text: Its line.
        parent: The line above it, one level up.
        keys: The keys that lead to it, outermost first.
        classes: The classes whose arguments these keys are, outermost first.
        expected: The types that were possible, "" where none is told.
        got: The value, "" where none is told.
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
        """The short name of the innermost class, "" where there is none."""
        return self.classes[-1].rsplit(".", 1)[-1] if self.classes else ""


def read_report(message: str) -> Complaint | None:
    """The complaint that is nested deepest; of equals the first that is about more than a type."""
    # The report goes on in the line that names a callable; give it a level of its own.
    lines = CALLABLE.sub(r"\1\2\n\1 ", message).splitlines()
    found = [i for i, line in enumerate(lines) if any(c.search(line) for c in COMPLAINTS)]
    if not found:
        return None
    index = max(found, key=lambda i: (_depth(lines[i]), not VALUE.search(lines[i])))
    above = _ancestors(lines, index)
    path = [line for line in above if KEY.search(line)]
    return Complaint(
        text=lines[index].strip(" -"),
        parent=above[-1].strip() if above else "",
        keys=tuple(part for line in path for part in KEY.findall(line)[0].split(".")),
        classes=_classes(above, lines[index:]),
        expected=_expected(lines, index),
        got=_got(lines, index),
    )


def _ancestors(lines: list[str], index: int) -> list[str]:
    above, depth = [], _depth(lines[index])
    for line in reversed(lines[:index]):
        if line.strip() and _depth(line) < depth:
            above.append(line)
            depth = _depth(line)
    return above[::-1]


def _classes(above: list[str], below: list[str]) -> tuple[str, ...]:
    """A callable's class is named only at the end of what is said about it."""
    classes = []
    for line in above:
        classes += PROBLEM.findall(line)
        if line.endswith("callable class: "):
            classes += GOT_CLASS.findall("\n".join(below))[:1]
    return tuple(classes)


def _expected(lines: list[str], index: int) -> str:
    depth = _depth(lines[index])
    for line in reversed(lines[:index]):
        if (match := SUBTYPES.search(line)) and _depth(line) < depth:
            return _readable(match[1])
        if KEY.search(line):
            break
    match = VALUE.search(lines[index])
    return _readable(match["type"].split(". Got value")[0]) if match else ""


def _got(lines: list[str], index: int) -> str:
    matches = (GOT.search(line) for line in lines[index:])
    return next((match[1] for match in matches if match), "")


def _readable(types: str) -> str:
    """`<class 'int'>, <class 'NoneType'>` as `int or null`."""
    types = re.sub(r"<class '([\w.]+)'>", r"\1", types)
    types = re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", types).replace("NoneType", "null")
    types = re.sub(r", (?![^\[]*\])", " or ", types)  # the commas that are in no bracket
    return re.sub(r"Literal\[(.*?)\]", r"\1", types)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
