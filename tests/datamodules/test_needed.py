"""Data that are not there: where they should be, and where they can be had."""

from pathlib import Path

import pytest

from datamodules import ImageFolderDataModule, ManifestDataModule, Options, PixelCSVDataModule

OPTIONS = Options(origin="the library, as Cats")


@pytest.mark.parametrize(
    ("make", "place"),
    [
        (lambda options: ImageFolderDataModule(Path("cats"), options=options), "folder cats"),
        (lambda options: ManifestDataModule(Path("cats.csv"), options=options), "file cats.csv"),
        (lambda options: PixelCSVDataModule(Path("cats.csv"), options=options), "file cats.csv"),
    ],
)
def test_missing_data_are_told_where_from(make, place):
    with pytest.raises(ValueError, match=f"There is no {place}") as error:
        _ = make(OPTIONS).class_names
    assert str(error.value).endswith("\nThey can be had from the library, as Cats.")
    with pytest.raises(ValueError, match="There is no") as error:
        _ = make(Options()).class_names
    assert "can be had" not in str(error.value)
