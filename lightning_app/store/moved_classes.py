"""Class paths in configurations of earlier versions, and where these classes are now."""

MOVED = {
    "lightning_app.checkpoint_io.AtomicCheckpointIO": "lightning_app.store.AtomicCheckpointIO",
    "lightning_app.run_logger.RunLogger": "lightning_app.store.RunLogger",
    "lightning_app.tracking.run_logger.RunLogger": "lightning_app.store.RunLogger",
}


def with_current_class_paths(text: str) -> str:
    """Replace the class paths of earlier versions in the text of a configuration."""
    for old, new in MOVED.items():
        text = text.replace(old, new)
    return text
