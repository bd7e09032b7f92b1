"""Choice of another class for a setting: it starts from its own defaults.

A configuration or option may choose another class than an earlier one, or than the default.
jsonargparse would keep the arguments of the earlier class wherever the new one has a parameter of
the same name, defaults included. So `torch.optim.Adam` would inherit a weight decay of 0.01 from
`torch.optim.AdamW`, the default optimizer, although nobody asked for it.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jsonargparse import Namespace, _typehints

_strict = ContextVar("strict", default=True)


def discard_arguments_of_other_class(
    parser_or_action: Any, previous: Namespace | None, chosen: Namespace
) -> None:
    """Remove the arguments of the previous class; replaces jsonargparse's own rule.

    Args:
        parser_or_action: Not used; jsonargparse's function has it.
        previous: Class path and arguments so far; changed in place.
        chosen: Class path and arguments that were chosen.

    Raises:
        ValueError: If an argument was set for the previous class that the chosen one lacks.
    """
    if not previous or not previous.get("init_args") or not previous.get("class_path"):
        return
    if previous["class_path"] == chosen["class_path"]:
        return
    if _strict.get() and (values := _set_by_user(previous)):
        _report(values, previous["class_path"], chosen["class_path"])
    arguments = previous["init_args"]
    for name in list(arguments.keys()):
        arguments.pop(name)


@contextmanager
def settings_of_checkpoint() -> Iterator[None]:
    """Let the classes in a checkpoint replace those of the configuration without a warning."""
    token = _strict.set(False)
    try:
        yield
    finally:
        _strict.reset(token)


def install() -> None:
    """Replace jsonargparse's rule, for which it has no setting."""
    _typehints.discard_init_args_on_class_path_change = discard_arguments_of_other_class


def _set_by_user(previous: Namespace) -> dict[str, Any]:
    """The arguments that differ from the defaults of their class."""
    defaults = _class_parser(previous["class_path"]).get_defaults()
    given = previous["init_args"].items(branches=True, nested=False)
    return {name: value for name, value in given if value != defaults.get(name)}


def _report(values: dict[str, Any], previous: str, chosen: str) -> None:
    """Refuse arguments that the chosen class lacks; warn that it does not inherit the others."""
    known = _class_parser(chosen).get_defaults()
    old, new = (path.rsplit(".", 1)[-1] for path in (previous, chosen))
    lacking = [name for name in values if name not in known]
    if lacking:
        raise ValueError(
            # Without the name of the class: jsonargparse removes the value from its messages.
            f"The class chosen here has no setting {', '.join(lacking)}, which is set for {old}. "
            "Remove it there, or choose the class there."
        )
    shown = ", ".join(f"{name} {value}" for name, value in values.items())
    warnings.warn(
        f"{new} starts from its own defaults and does not inherit what is set for {old}: {shown}.",
        stacklevel=2,
    )


def _class_parser(class_path: str) -> Any:
    return _typehints.ActionTypeHint.get_class_parser(class_path, {})
