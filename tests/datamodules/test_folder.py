import pytest

from datamodules import ImageFolderDataModule


@pytest.fixture
def make_folder(tmp_path, write_image):
    def make(*folders, images=10):
        for folder in folders:
            for index in range(images):
                write_image(tmp_path / folder / f"{index}.png", color=(index, 0, 0))
        return ImageFolderDataModule(tmp_path, image_size=8, num_workers=0)

    return make


def sizes(data):
    return {split: len(source.labels) for split, source in data.sources.items()}


def test_class_folders_are_split(make_folder):
    data = make_folder("cat", "dog", images=20)
    assert data.class_names == ("cat", "dog")
    assert sizes(data) == {"train": 28, "test": 6, "val": 6}


def test_split_folders_are_kept_and_the_missing_one_is_split_off(make_folder):
    data = make_folder("train/cat", "train/dog", "test/cat", "test/dog")
    assert sizes(data) == {"train": 16, "test": 20, "val": 4}
    assert set(data.sources["test"].names) == {
        f"test/{c}/{i}.png" for c in ("cat", "dog") for i in range(10)
    }


def test_all_three_split_folders_are_kept(make_folder):
    splits = ("train", "val", "test")
    data = make_folder(*(f"{split}/{name}" for split in splits for name in ("cat", "dog")))
    assert sizes(data) == {"train": 20, "val": 20, "test": 20}


def test_class_without_validation_images_keeps_its_index(make_folder):
    data = make_folder("train/ant", "train/bee", "train/cat", "val/ant", "val/cat", "test/cat")
    assert set(data.sources["val"].labels) == {0, 2}
    assert set(data.sources["test"].labels) == {2}


def test_hidden_and_empty_folders_are_not_classes(make_folder, tmp_path):
    (tmp_path / "empty").mkdir()
    assert make_folder("cat", "dog", ".cache").class_names == ("cat", "dog")


def test_nested_images_belong_to_the_outer_folder(make_folder):
    assert make_folder("cat/indoors", "cat/outdoors", "dog").class_names == ("cat", "dog")


def test_links_out_of_the_root_are_not_followed(make_folder, tmp_path, write_image):
    outside = write_image(tmp_path.parent / f"{tmp_path.name}_outside" / "secret.png")
    data = make_folder("cat", "dog")
    (tmp_path / "cat" / "link.png").symlink_to(outside)
    (tmp_path / "cat" / "loop").symlink_to(tmp_path / "cat")
    assert sum(sizes(data).values()) == 20


def test_images_are_squeezed_to_the_size(make_folder):
    data = make_folder("cat", "dog")
    assert data.sources["train"].read(0).shape == (8, 8, 3)


@pytest.mark.parametrize("name", ["valid", "validation"])
def test_validation_folder_may_have_its_usual_names(make_folder, name):
    data = make_folder("train/cat", "train/dog", f"{name}/cat", f"{name}/dog", images=10)
    assert sizes(data) == {"train": 16, "val": 20, "test": 4}


def test_test_images_without_class_folders_are_for_predict(make_folder):
    data = make_folder("train/cat", "train/dog", "test")
    assert sizes(data) == {"train": 14, "val": 2, "test": 4, "predict": 10}
    assert data.sources["predict"].names[0] == "test/0.png"
    assert set(data.sources["predict"].labels) == {-1}


def test_images_to_predict_may_lie_below_the_root_or_elsewhere(make_folder, tmp_path, write_image):
    assert sizes(make_folder("cat", "dog", "predict", "predict/deeper"))["predict"] == 20
    write_image(tmp_path.parent / f"{tmp_path.name}_new" / "a.png")
    elsewhere = ImageFolderDataModule(tmp_path, tmp_path.parent / f"{tmp_path.name}_new")
    assert elsewhere.class_names == ("cat", "dog")
    assert elsewhere.sources["predict"].names == ["a.png"]
    with pytest.raises(ValueError, match=r"There is no folder .*gone \(data\.predict\)"):
        _ = ImageFolderDataModule(tmp_path, tmp_path / "gone").sources


def test_names_with_blanks_and_accents_are_read(make_folder, tmp_path, write_image):
    data = make_folder("cat", "große Häuser")
    write_image(tmp_path / "große Häuser" / "日本 1.png", color=(7, 8, 9))
    source = data.load()["train"]
    index = source.names.index("große Häuser/日本 1.png")
    assert source.read(index)[0, 0].tolist() == [7, 8, 9]
    assert data.class_names == ("cat", "große Häuser")


def test_empty_class_folder_is_warned_of(make_folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.warns(UserWarning, match="has folders without an image: empty"):
        _ = make_folder("cat", "dog").class_names


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"There is no folder .*nowhere; name it with --data.root"):
        _ = ImageFolderDataModule(tmp_path / "nowhere").class_names


def test_folder_without_images_says_what_was_expected(tmp_path):
    with pytest.raises(ValueError, match=r"no class folder with an image.*<class>/<image>"):
        _ = ImageFolderDataModule(tmp_path).class_names


def test_one_class_is_too_few(make_folder):
    with pytest.raises(ValueError, match=r"/test_one_class.*: expected two .* found cat\."):
        _ = make_folder("cat").num_classes


def test_test_images_without_training_images_are_refused(make_folder):
    with pytest.raises(ValueError, match="has a folder test, but none called train"):
        _ = make_folder("test/cat").class_names


def test_class_without_training_images_is_named(make_folder):
    with pytest.raises(ValueError, match=r"classes that .*train lacks: dog\. Known are cat"):
        _ = make_folder("train/cat", "test/dog").sources


def test_split_folders_may_be_written_with_capitals(make_folder):
    data = make_folder("Train/cat", "Train/dog", "Val/cat", "Val/dog", "TEST/cat", "TEST/dog")
    assert sizes(data) == {"train": 20, "val": 20, "test": 20}


def test_two_folders_for_one_split_are_refused(make_folder):
    data = make_folder("train/cat", "train/dog", "val/cat", "validation/cat")
    with pytest.raises(ValueError, match="has val and validation: which of them is val"):
        _ = data.class_names


def test_folder_to_predict_is_not_a_class_however_its_path_is_written(make_folder, tmp_path):
    make_folder("cat", "dog", "mine")
    data = ImageFolderDataModule(tmp_path, tmp_path / "cat" / ".." / "mine")
    assert data.class_names == ("cat", "dog")


def test_folder_to_predict_without_an_image_is_refused(make_folder, tmp_path):
    make_folder("cat", "dog")
    (tmp_path.parent / f"{tmp_path.name}_none").mkdir()
    data = ImageFolderDataModule(tmp_path, tmp_path.parent / f"{tmp_path.name}_none")
    with pytest.raises(ValueError, match="has no image to predict"):
        _ = data.sources


def test_folders_may_be_named_by_strings(make_folder, tmp_path):
    make_folder("cat", "dog", "mine")
    data = ImageFolderDataModule(str(tmp_path), str(tmp_path / "mine"), image_size=8)
    assert sizes(data) == {"train": 14, "test": 4, "val": 2, "predict": 10}


def test_links_that_are_not_followed_are_warned_of(make_folder, tmp_path):
    data = make_folder("cat", "dog")
    (tmp_path / "linked").symlink_to(tmp_path / "cat")
    with pytest.warns(UserWarning, match="has links that are not followed: linked"):
        assert data.class_names == ("cat", "dog")


def test_folder_of_a_split_may_be_a_link(make_folder, tmp_path):
    make_folder("elsewhere/cat", "elsewhere/dog")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "train").symlink_to(tmp_path / "elsewhere")
    data = ImageFolderDataModule(tmp_path / "images", image_size=8)
    assert data.load()["train"].names[0] == "train/cat/0.png"
    assert len(data.load()["train"]) == 20
