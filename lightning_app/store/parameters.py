"""A configuration as MLflow shows it: flat, short names, no secrets."""

import re
from typing import Any

SECRET = re.compile(r"password|passwd|secret|token|api_?key|credential", re.IGNORECASE)
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+:[^/@\s]+(?=@)")  # user:password of an address
HIDDEN = "***"
# Where a run is kept and what is drawn of it change nothing that it learns.
SILENT = (
    *("trainer.logger", "trainer.default_root_dir", "trainer.enable_progress_bar", "ckpt_path"),
    *("best_checkpoint.dirpath", "last_checkpoint.dirpath", "pictures", "predictions", "report"),
    "data.options.origin",
)


def flatten(config: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Dotted names and their values, without those that are None.

    What jsonargparse needs to build objects is folded away: the class path becomes the value of
    its key, and `init_args` vanishes, so `model.init_args.backbone.init_args.width` is
    `model.backbone.width`.
    """
    flat: dict[str, str] = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and "class_path" in value:
            flat[name] = str(value["class_path"])
            value = value.get("init_args") or {}
        if isinstance(value, dict):
            flat |= flatten(value, f"{name}.")
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            flat |= flatten({str(index): item for index, item in enumerate(value)}, f"{name}.")
        elif value is not None:
            flat[name] = str(value)
    return flat


def without_secrets(value: Any, key: str = "") -> Any:
    """Hide what lies under a key that names a secret, and the credentials in addresses."""
    if isinstance(value, dict):
        return {name: without_secrets(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [without_secrets(item, key) for item in value]
    if isinstance(value, str):
        return HIDDEN if SECRET.search(key) else CREDENTIALS.sub(HIDDEN, value)
    return value


def is_silent(key: str) -> bool:
    """Whether a setting changes nothing that a run learns."""
    return any(key == name or key.startswith(f"{name}.") for name in SILENT)
