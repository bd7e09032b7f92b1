"""Possible names in place of a wrong one: keys, parameters and classes."""

import collections.abc
import difflib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Any, get_args, get_origin

from jsonargparse import ArgumentParser

PLAIN_TYPES = (bool, int, float, str, type(None), list, dict, tuple)
CONFIGS = "configs"  # the folder of the configurations
MAX_NEAR = 4
MAX_WIDTH = 240  # of a list of names: three lines of a terminal


def suggest_names(name: str, possible: Iterable[str]) -> str:
    """A line with the possible names that are similar to `name`, or else with all, shortened.

    Case is ignored, and so are the folder and the suffix of a file.

    Args:
        name: The wrong name.
        possible: Names in the order in which to list them; those of a set are sorted.
    """
    ordered = sorted(possible) if isinstance(possible, set) else possible
    names: dict[str, str] = {}
    for known in ordered:
        names.setdefault(PurePath(known).stem.lower(), known)
    if near := difflib.get_close_matches(name.lower(), names, n=MAX_NEAR):
        return f"\n  Near names: {', '.join(names[known] for known in near)}."
    listed = textwrap.shorten(", ".join(names.values()) + ".", MAX_WIDTH, placeholder=" …")
    return f"\n  Possible: {listed}" if names else ""


def yaml_files() -> list[str]:
    """Configurations here and one folder below, those of `configs` first; no ablation."""
    files = (*Path().glob("*.yaml"), *Path().glob("*/*.yaml"))
    shown = [file for file in files if not _is_hidden(file)]
    return [str(file) for file in sorted(shown, key=lambda f: (f.parent.name != CONFIGS, f))]


def _is_hidden(file: Path) -> bool:
    return file.parent.name == "ablations" or any(part.startswith(".") for part in file.parts)


def options_below(group: str, parser: ArgumentParser) -> list[str]:
    """The options of a group of settings, in the order of its parser."""
    names = (action.dest for action in parser._actions if not action.dest.endswith(".help"))
    return [name for name in names if name.startswith(f"{group}.")]


def parser_of(classes: tuple[str, ...], root: ArgumentParser) -> ArgumentParser:
    """A parser of the arguments of the last class; `root` if there is no class."""
    built = pkgutil.resolve_name(classes[-1]) if classes else None
    if not inspect.isclass(built):
        return root
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(built, fail_untyped=False)
    return parser


def first_unknown(option: str, parser: ArgumentParser) -> tuple[tuple[str, ...], str, set[str]]:
    """Split a dotted option that `parser` does not accept.

    Returns:
        The groups that exist, the first name that does not, and the names possible in its place.
    """
    known = [action.dest.split(".") for action in parser._actions if action.dest != "help"]
    parts = option.split(".")
    for depth, part in enumerate(parts):
        names = {key[depth] for key in known if key[:depth] == parts[:depth] and key[depth:]}
        if part not in names:
            return tuple(parts[:depth]), part, names
    return tuple(parts[:-1]), parts[-1], set()


def bases_of(key: str, parser: ArgumentParser) -> list[type]:
    """Classes in the type of an argument; for a callable, the classes that it may return."""
    types = (getattr(a, "_typehint", None) for a in parser._actions if a.dest == key)
    return [base for annotation in types for base in _classes_in(annotation)]


def subclass_names(base: type) -> set[str]:
    """Names of the imported classes that derive from `base`, or are it, and can be built."""
    below = {name for kind in type.__subclasses__(base) for name in subclass_names(kind)}
    hidden = inspect.isabstract(base) or base.__name__.startswith("_") or "<" in base.__qualname__
    return below if hidden else below | {base.__name__}


def _classes_in(annotation: Any) -> list[type]:
    arguments = get_args(annotation)
    if get_origin(annotation) is collections.abc.Callable:
        arguments = arguments[-1:]
    if not arguments:
        named = inspect.isclass(annotation) and annotation not in PLAIN_TYPES
        return [annotation] if named else []
    return [found for argument in arguments for found in _classes_in(argument)]
