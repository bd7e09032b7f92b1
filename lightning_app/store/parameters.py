"""MLflow parameters of a run: the configuration with flat, short names."""

from typing import Any

# Settings that do not change what a network learns: where a run is stored, pictures, reports.
WITHOUT_EFFECT = (
    *("trainer.logger", "trainer.default_root_dir", "trainer.enable_progress_bar", "ckpt_path"),
    *("best_checkpoint.dirpath", "last_checkpoint.dirpath", "pictures", "predictions", "report"),
    *("data.options.origin", "allow_seen", "corrupt"),
)


def flatten(config: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Flatten a configuration to dotted names; values that are None are left out.

    The class path of an object becomes the value of its key, and `init_args` disappears:
    `model.init_args.backbone.init_args.width` becomes `model.backbone.width`.
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


def affects_training(key: str) -> bool:
    """Whether a setting can change what a network learns."""
    return not any(key == name or key.startswith(f"{name}.") for name in WITHOUT_EFFECT)
