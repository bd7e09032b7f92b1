"""Completion of a configuration: the settings that follow from dataset, recipe and device."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from callbacks.batch_size import useful_batch_size
from datamodules.loaders import workers_for
from lightning_app.cli.errors.setting_places import locate
from lightning_app.cli.one_line.choices import (
    device_for,
    epochs_for,
    has_bf16,
    image_size_for,
    network_size,
    num_cores,
    precision_for,
    processes_for,
)
from lightning_app.cli.one_line.recipes import Choice, backbone_of
from lightning_app.cli.one_line.survey import Survey


@dataclass
class Completion:
    """Settings that were chosen for the user; those that the user has set are left alone.

    Attributes:
        arguments: The command line.
        config: What was chosen, as a configuration.
        lines: One line for each choice, to print: its topic and the reason.
    """

    arguments: list[str]
    config: dict[str, Any] = field(default_factory=dict)
    lines: list[tuple[str, str]] = field(default_factory=list)

    def given(self, *keys: str) -> str:
        """A setting of the user as text; empty if there is none."""
        setting = locate(keys, "", self.arguments)
        return (setting.value or "given") if setting else ""

    def choose(self, topic: str, text: str, key: str, value: Any) -> None:
        """Choose a setting, unless it is given.

        Args:
            topic: What it is about, for the user.
            text: What was chosen and why.
            key: Dotted name of the setting.
            value: Its value.
        """
        section, *rest = key.split(".")
        if self.given(section, *rest):
            return
        inner = self.config.setdefault(section, {})
        if section != "trainer":  # data and model are classes
            inner = inner.setdefault("init_args", {})
        inner[".".join(rest)] = value
        self.lines.append((topic, text))


def complete(
    survey: Survey, recipe: Choice, arguments: list[str], say: Callable[[str, str], None]
) -> dict[str, Any]:
    """Choose what neither the recipe nor the user decides, and say each choice in a line.

    Args:
        survey: The dataset.
        recipe: The recipe.
        arguments: The command line, which takes precedence.
        say: Called with a topic and an explanation.

    Returns:
        A configuration.
    """
    found = Completion(arguments)
    device = device_for(found.given("trainer", "accelerator") or "auto")
    processes = processes_for(device, found.given("trainer", "devices") or "auto")
    size = survey.image_size
    if survey.side is not None:  # images in memory keep the size that their datamodule gives them
        size = _choose_for_files(found, survey, recipe, device, processes)
    _choose_batch_size(found, survey.num_train // processes, size, device == "cuda")
    epochs = epochs_for(survey.num_train, _epochs_of(recipe))
    text = f"{epochs}, for {survey.num_train:,} training images"
    found.choose("Epochs", text, "trainer.max_epochs", epochs)
    precision, channels_last = precision_for(device, has_bf16(device))
    on = {"cuda": "on a GPU", "mps": "on MPS"}.get(device, "without a GPU")
    found.choose("Precision", f"{precision}, {on}", "trainer.precision", precision)
    if channels_last:
        found.choose("Layout", "channels last, which is faster", "model.channels_last", True)
    for topic, text in found.lines:
        say(topic, text)
    return found.config


def _choose_for_files(
    found: Completion, survey: Survey, recipe: Choice, device: str, processes: int
) -> int:
    """Choose image size and workers for images in files; return the size that holds."""
    made_for = network_size(backbone_of(recipe.name, found.arguments))
    size, why = image_size_for(survey.side, made_for, device == "cuda")
    found.choose("Image size", f"{size} x {size} pixels; {why}", "data.image_size", size)
    workers = workers_for(num_cores(), processes)
    text = f"{workers} for each training process, one per core"
    found.choose("Workers", text, "data.num_workers", workers)
    given = found.given("data", "image_size")
    return int(given) if given.isdigit() else size


def _choose_batch_size(found: Completion, num_images: int, size: int, on_gpu: bool) -> None:
    if on_gpu:
        text = "auto, the largest useful one that fits; it is found before training"
        found.choose("Batch size", text, "data.batch_size", "auto")
    else:
        batch = useful_batch_size(num_images, size, on_gpu)
        found.choose("Batch size", f"{batch}, for a CPU", "data.batch_size", batch)


def _epochs_of(recipe: Choice) -> int:
    return yaml.safe_load(recipe.file.read_text())["trainer"]["max_epochs"]
