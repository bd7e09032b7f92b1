import pkgutil

import pytest
import yaml

from lightning_app.store.moved_classes import MOVED, with_current_class_paths

OLD = """\
trainer:
  logger:
    class_path: lightning_app.tracking.run_logger.RunLogger
    init_args: {experiment_name: digits}
  plugins:
  - class_path: lightning_app.checkpoint_io.AtomicCheckpointIO
"""


def test_class_paths_of_earlier_versions_become_current_ones():
    trainer = yaml.safe_load(with_current_class_paths(OLD))["trainer"]
    assert trainer["logger"] == {
        "class_path": "lightning_app.store.RunLogger",
        "init_args": {"experiment_name": "digits"},
    }
    assert trainer["plugins"] == [{"class_path": "lightning_app.store.AtomicCheckpointIO"}]


@pytest.mark.parametrize("path", sorted(set(MOVED.values())))
def test_current_class_path_exists(path):
    assert pkgutil.resolve_name(path).__name__ == path.rsplit(".", 1)[-1]


def test_current_class_paths_are_left_alone():
    current = with_current_class_paths(OLD)
    assert with_current_class_paths(current) == current
