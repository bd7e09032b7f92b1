import json

import pytest

from lightning_app.cli.one_line.layouts import layout_of, name_of


def section(path):
    layout = layout_of(str(path))
    return layout["class_path"].removeprefix("datamodules."), layout["init_args"]


def test_folder_without_csv_files_has_class_folders(tmp_path):
    assert section(tmp_path) == ("ImageFolderDataModule", {"root": str(tmp_path)})


def test_folder_with_train_csv_is_a_manifest(tmp_path):
    (tmp_path / "train.csv").write_text("image,label\na.png,cat\n")
    assert section(tmp_path) == ("ManifestDataModule", {"manifest": str(tmp_path)})


def test_csv_file_that_lists_images_is_a_manifest(tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text("image,label\na.png,cat\n")
    assert section(file) == ("ManifestDataModule", {"manifest": str(file)})


@pytest.mark.parametrize(("count", "size", "channels"), [(64, 8, 1), (48, 4, 3)])
def test_csv_file_of_pixels_tells_size_and_channels(tmp_path, count, size, channels):
    file = tmp_path / "pixels.csv"
    file.write_text(f"label,pixels\n0,{' '.join(['7'] * count)}\n")
    name, settings = section(file)
    assert name == "PixelCSVDataModule"
    assert settings["file"] == str(file)
    assert (settings["image_size"], settings["num_channels"]) == (size, channels)


def test_folder_of_pixel_files_has_training_and_test_images(tmp_path):
    for split in ("train", "test"):
        (tmp_path / f"{split}.csv").write_text("label,feature\n0,1 2 3 4\n")
    name, settings = section(tmp_path)
    assert name == "PixelCSVDataModule"
    assert settings["file"] == str(tmp_path / "train.csv")
    assert settings["test"] == str(tmp_path / "test.csv")


def test_folder_with_an_index_and_urls_are_shards(tmp_path):
    (tmp_path / "index.json").write_text(json.dumps({}))
    assert section(tmp_path) == ("ShardDataModule", {"root": str(tmp_path)})
    assert section("https://host/shards") == ("ShardDataModule", {"root": "https://host/shards"})


def test_missing_path_is_an_error_that_lists_the_layouts():
    with pytest.raises(ValueError, match=r"no file or folder nowhere\. Expected a folder with one"):
        layout_of("nowhere")


def test_experiment_has_the_name_of_the_dataset(tmp_path):
    folder = tmp_path / "my birds" / "train"
    folder.mkdir(parents=True)
    file = tmp_path / "faces.csv.xz"
    file.touch()
    assert name_of(str(folder)) == "my_birds_train"
    assert name_of(str(folder.parent)) == "my_birds"
    assert name_of(str(file)) == "faces"
    assert name_of("https://host/scenes/") == "scenes"
