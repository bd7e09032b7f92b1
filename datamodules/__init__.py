"""Datamodules, one for each kind of dataset, and what they take; each is imported on first use.

Commands that need none, such as `lightning_cli prepare split`, therefore start without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datamodules.augmentation.keras_affine import KerasAffine as KerasAffine
    from datamodules.base import ImageDataModule as ImageDataModule
    from datamodules.digits import DigitsDataModule as DigitsDataModule
    from datamodules.folder import ImageFolderDataModule as ImageFolderDataModule
    from datamodules.manifest import ManifestDataModule as ManifestDataModule
    from datamodules.options import Options as Options
    from datamodules.pixel_csv import PixelCSVDataModule as PixelCSVDataModule
    from datamodules.shards import ShardDataModule as ShardDataModule
    from datamodules.splits.settings import SplitSettings as SplitSettings
    from datamodules.synthetic import SyntheticDataModule as SyntheticDataModule
    from datamodules.torchvision_set import TorchvisionDataModule as TorchvisionDataModule

HOMES = {
    "DigitsDataModule": "digits",
    "ImageDataModule": "base",
    "ImageFolderDataModule": "folder",
    "KerasAffine": "augmentation.keras_affine",
    "ManifestDataModule": "manifest",
    "Options": "options",
    "PixelCSVDataModule": "pixel_csv",
    "ShardDataModule": "shards",
    "SplitSettings": "splits.settings",
    "SyntheticDataModule": "synthetic",
    "TorchvisionDataModule": "torchvision_set",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'datamodules' has no attribute {name!r}")
    return getattr(import_module(f"datamodules.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(HOMES)
