"""A trained network with all that an exported file says of it."""

from functools import cached_property
from typing import Any

import torch
from mlflow import MlflowClient
from mlflow.entities import Run
from torch import Tensor

import lightning_app
from datamodules import ImageDataModule
from lightning_app.cli.networks.checkpoint_network import checkpoint_network
from lightning_app.cli.networks.network import Network
from lightning_app.cli.recorded_data import build_data
from lightning_app.store.checkpoints import find_checkpoint, read_checkpoint
from lightning_app.store.runs import find_run, open_store
from lightning_app.store.stored_run import open_stored_run
from models.backbones.backbone import Normalize
from models.evaluation.temperature import TEMPERATURES
from models.export.description import Description
from models.export.exported_network import ExportedNetwork, random_images

TEMPERATURE = "val/temperature"
PROBES = 16  # validation images that an export is checked on, and random ones


class Exportable:
    """A network of a checkpoint, ready to be exported.

    Args:
        wanted: See `find_checkpoint`.

    Raises:
        ValueError: If there is no such run or checkpoint.

    Attributes:
        file: The checkpoint.
        source: Its network, on the CPU in eval mode.
        epoch: Its epoch; -1 if it is not known.
        client: Client of the store; None if the checkpoint is of no run in this store.
        run: The run that trained it, or None.
        network: The network as it is exported.
    """

    def __init__(self, wanted: str) -> None:
        self.file = find_checkpoint(wanted)
        self.source: Network = checkpoint_network(str(self.file), None)
        self.epoch = int(read_checkpoint(self.file).get("epoch", -1))
        self.client, self.run = _run_of(self.source.run_id)
        self.network = ExportedNetwork(self.source.model, self.temperature or 1.0)

    @cached_property
    def temperature(self) -> float | None:
        """The temperature that was fitted on validation images; None if there is none.

        Temperatures at the ends of the range are of too few images, or of none with a mistake.
        """
        if self.run is None or self.client is None:
            return None
        with open_stored_run(self.client, self.run) as record:
            found = record.history(TEMPERATURE).get(self.epoch)
        return found if found is not None and is_fitted(found) else None

    @cached_property
    def data(self) -> ImageDataModule | None:
        """The dataset of the run as it lies here; None if it does not."""
        if self.run is None or self.client is None:
            return None
        with open_stored_run(self.client, self.run) as record:
            try:
                data = build_data(record, num_workers=0)
                data.prepare_data()
                found = "val" in data.sources and len(data.sources["val"]) > 0
            except (OSError, ValueError):
                return None
        return data if found else None

    def description(self, **changes: Any) -> Description:
        """What the file says of the network."""
        source, run = self.source, self.run
        normalize = next((m for m in source.model.modules() if isinstance(m, Normalize)), None)
        return Description(
            **{
                "class_names": source.class_names,
                "image_size": source.image_size,
                "num_channels": source.num_channels,
                "resize": source.resize,
                "temperature": self.network.temperature,
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
        if self.data is None:
            return noise
        images = (self.data.sample(PROBES)[0] * 255).round().to(torch.uint8)
        return torch.cat([images, noise])


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


def _listed(values: Tensor | None) -> tuple[float, ...]:
    return () if values is None else tuple(round(v, 6) for v in values.flatten().tolist())
