from importlib.metadata import distribution
from pathlib import Path

import callbacks
import datamodules
import lightning_app
import models
from lightning_app.main import main


def test_the_four_packages_are_ours():
    """Their names are common: another distribution could shadow one of them."""
    packages = (callbacks, datamodules, lightning_app, models)
    assert len({Path(package.__file__).parents[1] for package in packages}) == 1


def test_console_script():
    [script] = distribution("lightning-image-classification").entry_points.select(
        group="console_scripts"
    )
    assert script.name == "lightning_cli"
    assert script.load() is main


def test_python_has_no_package_that_would_shadow_ours():
    names = {
        package.metadata["Name"].lower()
        for package in __import__("importlib.metadata").metadata.distributions()
    }
    assert "lightning-app" not in names
