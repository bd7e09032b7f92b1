"""Missing datasets: where they should be, and where they are available from."""

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
def test_error_about_a_missing_dataset_names_its_origin(make, place):
    with pytest.raises(ValueError, match=f"There is no {place}") as error:
        _ = make(OPTIONS).class_names
    assert str(error.value).endswith("\nIt is available from the library, as Cats.")
    with pytest.raises(ValueError, match="There is no") as error:
        _ = make(Options()).class_names
    assert "available" not in str(error.value)
