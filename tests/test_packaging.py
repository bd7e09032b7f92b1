import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml
from hatchling.builders.wheel import WheelBuilder

import callbacks
import datamodules
import lightning_app
import models
from lightning_app.main import main

ROOT = Path(__file__).parents[1]
PACKAGES = ("callbacks", "datamodules", "lightning_app", "models")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Names of the files in the wheel."""
    [file] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")))
    with ZipFile(file) as content:
        return set(content.namelist())


def test_the_wheel_has_every_file_of_the_packages_and_no_other(wheel):
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*")]
    expected = {
        file.relative_to(ROOT).as_posix()
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
    }
    expected |= {f"lightning_app/configs/{file.name}" for file in (ROOT / "configs").iterdir()}
    assert {name for name in wheel if ".dist-info/" not in name} == expected


def test_the_wheel_has_presets_texts_templates_and_type_markers(wheel):
    assert {f"{package}/py.typed" for package in PACKAGES} <= wheel
    assert {f"lightning_app/pages/texts/{language}.yaml" for language in ("en", "zh")} <= wheel
    assert "datamodules/augmentation/presets/light.yaml" in wheel
    assert {"lightning_app/configs/digits.yaml", "lightning_app/recipes/transfer.yaml"} <= wheel
    assert any(name.startswith("lightning_app/") and name.endswith(".html") for name in wheel)
    assert any(name.endswith("/entry_points.txt") for name in wheel)


def test_the_changelog_knows_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    versions = re.findall(
        r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert versions[:2] == ["Unreleased", version]


def test_pre_commit_fetches_no_hooks():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert {repository["repo"] for repository in config["repos"]} == {"local"}


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
