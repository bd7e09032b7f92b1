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

_warns = ContextVar("warns", default=True)


def discard_arguments_of_other_class(
    parser_or_action: Any, previous: Namespace | None, chosen: Namespace
) -> None:
    """Remove the arguments of the previous class, with a warning if a user has set them.

    An error would be stricter, but then no other class could be chosen over a configuration that
    has settings of its own, such as class folders in place of a manifest.

    Args:
        parser_or_action: Not used; jsonargparse's function has it.
        previous: Class path and arguments so far; changed in place.
        chosen: Class path and arguments that were chosen.
    """
    if not previous or not previous.get("init_args") or not previous.get("class_path"):
        return
    if previous["class_path"] == chosen["class_path"]:
        return
    if _warns.get() and (values := _set_by_user(previous)):
        old, new = (path["class_path"].rsplit(".", 1)[-1] for path in (previous, chosen))
        shown = ", ".join(f"{name} {value}" for name, value in values.items())
        warnings.warn(
            f"{new} starts from its own defaults and does not inherit what is set for {old}: "
            f"{shown}.",
            stacklevel=2,
        )
    arguments = previous["init_args"]
    for name in list(vars(arguments)):  # `keys` would leave empty groups, such as `options`
        arguments.pop(name)


@contextmanager
def settings_of_checkpoint() -> Iterator[None]:
    """Let the classes in a checkpoint replace those of the configuration without a warning."""
    token = _warns.set(False)
    try:
        yield
    finally:
        _warns.reset(token)


def install() -> None:
    """Replace jsonargparse's rule, for which it has no setting."""
    _typehints.discard_init_args_on_class_path_change = discard_arguments_of_other_class


def _set_by_user(previous: Namespace) -> dict[str, Any]:
    """The arguments that differ from the defaults of their class."""
    defaults = _typehints.ActionTypeHint.get_class_parser(previous["class_path"], {}).get_defaults()
    given = previous["init_args"].items(branches=True, nested=False)
    return {name: value for name, value in given if value != defaults.get(name)}
