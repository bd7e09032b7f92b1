"""LightningDataModules, one kind of source each."""

from datamodules.base import ImageDataModule, Split
from datamodules.digits import DigitsDataModule
from datamodules.folder import ImageFolderDataModule
from datamodules.manifest import ManifestDataModule

__all__ = [
    "DigitsDataModule",
    "ImageDataModule",
    "ImageFolderDataModule",
    "ManifestDataModule",
    "Split",
]
