import pytest

from datamodules import ImageFolderDataModule
from lightning_app.commands.prepare.check.folders import list_folders


def names(listing):
    return {
        split: {entry.name for entry in listing.entries if entry.split == split}
        for split in ("train", "val", "test", "predict")
    }


@pytest.mark.parametrize("test_folder", ["testing/cat", "testing"])
def test_images_are_those_that_the_datamodule_reads(save, tmp_path, test_folder):
    for number, folder in enumerate(("training/cat", "training/dog/in", "validation/cat")):
        save(f"{folder}/{number}.png", number)
        save(f"{folder}/.hidden.png", number)
        save(f"{folder}/{number}.bak", number, format="PNG")
    for name in (f"{test_folder}/7.png", "predict/8.png", "training/loose.png", "other/cat/9.png"):
        save(name, 9)
    (tmp_path / "data/training/dog/out.png").symlink_to(tmp_path / "data/other/cat/9.png")
    data = ImageFolderDataModule(tmp_path / "data", image_size=8)
    read = {split: set(source.names) for split, source in data.load().items()}
    listed = names(list_folders(tmp_path / "data"))
    assert {split: found for split, found in listed.items() if found} == read


def test_label_is_the_outer_folder(save, tmp_path):
    save("train/cat/indoors/1.png", 1)
    [entry] = list_folders(tmp_path / "data").entries
    assert (entry.split, entry.label) == ("train", "cat")


def test_class_folders_without_splits_are_training_images(save, tmp_path):
    save("cat/1.png", 1)
    save("dog/1.png", 2)
    save("predict/1.png", 3)
    listed = names(list_folders(tmp_path / "data"))
    assert listed["train"] == {"cat/1.png", "dog/1.png"}
    assert listed["predict"] == {"predict/1.png"}


@pytest.mark.parametrize(
    ("folder", "severity", "title", "name"),
    [
        ("train/empty", "warning", "Class folders without an image", "empty"),
        ("predict", "error", "Folders of splits without an image", "predict"),
    ],
)
def test_folder_without_an_image_is_reported(sound, folder, severity, title, name):
    (sound / folder).mkdir()
    [finding] = list_folders(sound).findings
    assert (finding.severity, finding.title) == (severity, title)
    assert finding.groups[0][0].name == name


def test_folder_without_images_says_what_was_expected(tmp_path):
    with pytest.raises(ValueError, match=r"no class folder with an image.*<class>/<image>"):
        list_folders(tmp_path)


def test_test_images_without_training_images_are_refused(save, tmp_path):
    save("test/cat/1.png", 1)
    with pytest.raises(ValueError, match="has a folder test, but none called train"):
        list_folders(tmp_path / "data")
