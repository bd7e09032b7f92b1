"""A trained network, with the description that is stored in exported files."""

from functools import cached_property
from typing import Any

import torch
from mlflow import MlflowClient
from mlflow.entities import Run
from torch import Tensor

import lightning_app
from datamodules import ImageDataModule
from lightning_app.cli.networks.checkpoint_network import checkpoint_network
from lightning_app.cli.networks.dataset_images import dataset_images
from lightning_app.cli.networks.network import Network
from lightning_app.cli.networks.unseen_images import ALL_SEEN, unseen_split
from lightning_app.cli.recorded_data import build_data
from lightning_app.store.checkpoints import find_checkpoint, read_checkpoint
from lightning_app.store.describe_run import MEMBERS
from lightning_app.store.runs import find_run, open_store
from lightning_app.store.stored_run import open_stored_run
from models.backbones.backbone import Normalize
from models.ensemble import networks_of
from models.evaluation.prediction_sets import LEVELS
from models.evaluation.temperature import TEMPERATURES, fit_temperature
from models.evaluation.uncertainty import Uncertainty
from models.export.description import Description
from models.export.exported_network import ExportedNetwork, random_images

TEMPERATURE = "val/temperature"
MOST = 2000  # validation images on which a temperature is fitted
PROBES = 16  # validation images that an export is checked on, and random ones


class Exportable:
    """A network of a checkpoint, ready to be exported.

    Args:
        wanted: See `find_checkpoint`.
        data: The dataset of the run, if it is known; else it is built as the run has recorded it.
        stored: Client of the store and the run, if they are known; else the default store has them.

    Raises:
        ValueError: If there is no such run or checkpoint.

    Attributes:
        file: The checkpoint.
        source: Its network, on the CPU in eval mode.
        epoch: Its epoch; -1 if it is not known.
        client: Client of the store; None if the checkpoint is of no run in this store.
        run: The run that trained it, or None.
    """

    def __init__(
        self,
        wanted: str,
        data: ImageDataModule | None = None,
        stored: tuple[MlflowClient, Run] | None = None,
    ) -> None:
        self.file = find_checkpoint(wanted)
        self.source: Network = checkpoint_network(str(self.file), None)
        self.source.model.eval()
        self.epoch = int(read_checkpoint(self.file).get("epoch", -1))
        self.client, self.run = stored or _run_of(self.source.run_id)
        self._given = data

    @cached_property
    def network(self) -> ExportedNetwork:
        """The network as it is exported."""
        return ExportedNetwork(self.source.model, self.temperature[0], self.uncertainty)

    @property
    def uncertainty(self) -> Uncertainty | None:
        """Thresholds of prediction sets and unknown images; None with an earlier version's file."""
        return getattr(self.source.model, "uncertainty", None)

    @cached_property
    def temperature(self) -> tuple[float, str]:
        """The temperature, and in words where it comes from; 1 if none can be fitted.

        It is that of the run's validation of this checkpoint. If there was none, it is fitted on
        validation images now. An ensemble has none beside those of its networks.
        """
        if len(networks_of(self.source.model)) > 1:
            return 1.0, "that of each network is inside"
        recorded = self._recorded_temperature()
        if recorded is not None:
            found, origin = recorded, "fitted when the run was validated"
        elif isinstance(self._dataset, str):
            return 1.0, f"not fitted: {self._dataset}"
        elif self.unseen != "val":  # test images are for the test alone
            return 1.0, "not fitted: its networks were trained on the validation images"
        else:
            found, number = self._fitted_temperature(self._dataset)
            origin = f"fitted on {number:,} validation images"
        if not is_fitted(found):
            return 1.0, "not fitted: the validation images have too few mistakes"
        return found, origin

    @property
    def stored(self) -> tuple[MlflowClient, Run]:
        """Client of the store, and the run.

        Raises:
            ValueError: If the run is not in this store.
        """
        if self.client is None or self.run is None:
            raise ValueError(f"The run that trained {self.file} is not in this store.")
        return self.client, self.run

    @property
    def title(self) -> str:
        """Name of the network in messages and figures; one that is made of others has no epoch."""
        name = self.run.info.run_name if self.run else self.file.name
        has_epoch = self.epoch >= 0 and MEMBERS not in read_checkpoint(self.file)
        return f"{name}, epoch {self.epoch}" if has_epoch else str(name)

    @property
    def data(self) -> ImageDataModule | None:
        """The dataset of the run as it lies here; None if it cannot be read."""
        return None if isinstance(self._dataset, str) else self._dataset

    @cached_property
    def unseen(self) -> str | None:
        """The split on which accuracies are measured, if there is one; see `unseen_split`."""
        return None if self.data is None else unseen_split(self.client, self.run, self.data)

    def require_unseen(self, purpose: str) -> str:
        """The split on which accuracies are measured.

        Raises:
            ValueError: If there is none.
        """
        self.require_data(purpose)
        if self.unseen is None:
            raise ValueError(f"{purpose}, but {ALL_SEEN}.")
        return self.unseen

    def require_data(self, purpose: str) -> ImageDataModule:
        """The dataset of the run.

        Raises:
            ValueError: If it cannot be read here.
        """
        if isinstance(self._dataset, str):
            raise ValueError(f"{purpose}, but {self._dataset}")
        return self._dataset

    def description(self, **changes: Any) -> Description:
        """The description that is stored in the exported file."""
        source, run = self.source, self.run
        normalize = next((m for m in source.model.modules() if isinstance(m, Normalize)), None)
        return Description(
            **{
                "class_names": source.class_names,
                "image_size": source.image_size,
                "num_channels": source.num_channels,
                "resize": source.resize,
                "temperature": self.temperature[0],
                "temperature_origin": self.temperature[1],
                **_thresholds(self.uncertainty),
                "mean": _listed(normalize and normalize.mean),
                "std": _listed(normalize and normalize.std),
                "network": run.data.tags.get("backbone", "") if run else "",
                "run_id": source.run_id or "",
                "run_name": (run.info.run_name or "") if run else "",
                "epoch": self.epoch,
                "data_digest": _digest(run),
                "version": lightning_app.__version__,
                "torch_version": torch.__version__,
                **changes,
            }
        )

    def probes(self) -> Tensor:
        """Images on which an export is checked, uint8 (N, C, H, W): of the dataset, and random."""
        size = self.source.image_size
        noise = random_images((PROBES, self.source.num_channels, size, size))
        if self.data is None or not len(self.data.sources.get("val", ())):
            return noise
        images = (self.data.sample(PROBES)[0] * 255).round().to(torch.uint8)
        return torch.cat([images, noise])

    @cached_property
    def _dataset(self) -> ImageDataModule | str:
        """The dataset, or why it cannot be read."""
        if self._given is not None:
            return self._given
        if self.run is None or self.client is None:
            return "the run of the checkpoint, which names its images, is not in this store."
        with open_stored_run(self.client, self.run) as record:
            try:
                data = build_data(record, num_workers=0)
                data.prepare_data()
                if len(data.sources.get("val", ())) and len(data.sources["train"]):
                    return data
            except (OSError, ValueError) as error:
                return f"the images of the run cannot be read: {error}"
        return "the run has no validation images."

    def _recorded_temperature(self) -> float | None:
        if self.run is None or self.client is None:
            return None
        with open_stored_run(self.client, self.run) as record:
            return record.history(TEMPERATURE).get(self.epoch)

    def _fitted_temperature(self, data: ImageDataModule) -> tuple[float, int]:
        """Temperature of the network on validation images, and their number."""
        logits, labels = [], []
        with torch.inference_mode():
            for images, true in dataset_images(data, "val", MOST):
                logits.append(self.source.model(torch.from_numpy(images).float() / 255))
                labels.append(torch.from_numpy(true))
        if not labels:
            return 1.0, 0
        known = torch.cat(labels)
        return fit_temperature(torch.cat(logits).double(), known), len(known)


def is_fitted(temperature: float) -> bool:
    """Whether a temperature lies within the range of the fit, not at its ends."""
    coldest, hottest = TEMPERATURES
    return 1.01 * coldest < temperature < 0.99 * hottest


def _run_of(run_id: str | None) -> tuple[MlflowClient | None, Run | None]:
    if run_id is None:
        return None, None
    try:
        client = open_store()
        return client, find_run(client, run_id)
    except ValueError:  # the checkpoint was copied from another store
        return None, None


def _digest(run: Run | None) -> str:
    """Digest of the training images, as the run has recorded it."""
    inputs = run.inputs.dataset_inputs if run and run.inputs else []
    for each in inputs:
        if any(tag.value == "train" for tag in each.tags):
            return each.dataset.digest
    return ""


def _thresholds(uncertainty: Uncertainty | None) -> dict[str, Any]:
    if uncertainty is None:
        return {}
    neighbours = uncertainty.neighbours
    return {
        "set_levels": LEVELS,
        "set_thresholds": uncertainty.sets.overall,
        "set_thresholds_by_class": uncertainty.sets.by_class,
        "unknown_threshold": neighbours and neighbours.threshold,
    }


def _listed(values: Tensor | None) -> tuple[float, ...]:
    return () if values is None else tuple(round(v, 6) for v in values.flatten().tolist())
