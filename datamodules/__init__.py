"""LightningDataModules, one kind of source each."""

from datamodules.base import ImageDataModule
from datamodules.digits import DigitsDataModule
from datamodules.folder import ImageFolderDataModule
from datamodules.manifest import ManifestDataModule
from datamodules.split import Split
from datamodules.synthetic import SyntheticDataModule

__all__ = [
    "DigitsDataModule",
    "ImageDataModule",
    "ImageFolderDataModule",
    "ManifestDataModule",
    "Split",
    "SyntheticDataModule",
]
