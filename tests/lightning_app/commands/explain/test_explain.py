import csv
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision
from mlflow import MlflowClient
from PIL import Image

from callbacks.inspection_mode import inspection_mode
from callbacks.pictures import ClassActivation, PictureContext
from lightning_app.cli.networks.checkpoint_network import checkpoint_network
from lightning_app.cli.networks.images import Images, find_images
from lightning_app.cli.networks.overlays import overlay
from lightning_app.commands.explain.library_network import library_network
from lightning_app.commands.explain.write_overlays import unique_stems
from lightning_app.main import main
from lightning_app.store.checkpoints import find_checkpoint
from models import ImageClassifier


def explain(photos, out, *arguments):
    main(["explain", "--images", str(photos), "--out", str(out), *map(str, arguments)])
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))


def test_checkpoint_of_a_run_is_explained(folder, photos, tmp_path):
    files = explain(photos, tmp_path / "out", "--ckpt_path", "small", "--methods", "grad_cam")
    assert files == ["grad_cam.png", "predictions.csv"]


def test_maps_that_fail_a_check_are_named_at_the_end(folder, tmp_path, capsys):
    """Of a blank image, no pixel matters more than another."""
    blank = tmp_path / "blank"
    blank.mkdir()
    for number in range(6):
        Image.fromarray(np.full((32, 32), 128, np.uint8)).save(blank / f"{number}.png")
    quick = [f"--pictures.honesty.num_{what}=1" for what in ("steps", "stages")]
    out = tmp_path / "out"
    files = explain(blank, out, "--ckpt_path", "small", "--methods", "honesty", "grad_cam", *quick)
    assert files == ["grad_cam.png", "honesty.csv", "honesty.png", "numbers.csv", "predictions.csv"]
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("Do not trust the maps of grad_cam: ")
    assert "what they mark matters little more than other places, if at all" in last


def test_predictions_are_those_of_the_network_on_resized_images(folder, photos, tmp_path):
    explain(photos, tmp_path / "out", "--ckpt_path", "best", "--methods", "filters")
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").open()))
    model = ImageClassifier.load_from_checkpoint(find_checkpoint("best")).eval()
    files = [photos / name for name in ("a.png", "b.png", "more/c.jpg")]
    with torch.no_grad():
        probabilities = model(Images(files, 32, 1).batch(range(3))).softmax(dim=1)
    names = np.array(["rows", "columns", "checks", "full"])
    assert [row["image"] for row in rows] == ["a.png", "b.png", "more/c.jpg"]
    for row, expected in zip(rows, probabilities, strict=True):
        order = expected.argsort(descending=True)
        assert [row["predicted"], row["predicted_2"]] == names[order[:2]].tolist()
        assert float(row["confidence"]) == pytest.approx(float(expected.max()), abs=1e-6)


def test_checkpoint_holds_image_size_channels_and_classes(folder):
    network = checkpoint_network("best", None)
    assert (network.image_size, network.num_channels) == (32, 1)
    assert network.class_names == ("rows", "columns", "checks", "full")


def test_image_size_of_an_older_checkpoint_comes_from_its_run(folder, tmp_path):
    content = torch.load(find_checkpoint("best"), weights_only=True)
    del content["image_size"], content["num_channels"]
    torch.save(content, tmp_path / "old.ckpt")
    network = checkpoint_network(str(tmp_path / "old.ckpt"), None)
    assert (network.image_size, network.num_channels) == (32, 1)


def test_each_overlay_has_the_size_of_its_image(folder, photos, tmp_path):
    arguments = ("--ckpt_path", "best", "--methods", "grad_cam", "--each")
    explain(photos, tmp_path / "out", *arguments)
    for name in ("a.png", "b.png", "more/c.jpg"):
        overlay = (tmp_path / "out" / "grad_cam" / name).with_suffix(".png")
        assert Image.open(overlay).size == Image.open(photos / name).size


def test_files_are_logged_to_the_run(folder, photos, tmp_path):
    arguments = ("--ckpt_path", "small", "--methods", "grad_cam", "--each", "--log")
    explain(photos, tmp_path / "out", *arguments)
    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    run_id = checkpoint_network("best", None).run_id
    names = {Path(f.path).name for f in client.list_artifacts(run_id, "explanations")}
    assert {"grad_cam.png", "predictions.csv", "grad_cam"} <= names


def test_concepts_are_drawn_of_each_class_with_enough_images(folder, tmp_path):
    rng = np.random.default_rng(0)
    for index in range(13):  # so that one of the four classes has four
        file = tmp_path / "noise" / f"{index}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(file)
    arguments = ("--ckpt_path", "best", "--concepts", "--pictures.concepts.num_concepts", "2")
    files = explain(tmp_path / "noise", tmp_path / "out", *arguments)
    assert [file for file in files if "/" not in file] == ["concepts.csv", "predictions.csv"]
    rows = list(csv.DictReader((tmp_path / "out" / "concepts.csv").open()))
    assert {f"concepts/{row['class']}.png" for row in rows} == {f for f in files if "/" in f}


def test_network_of_a_library_is_explained(photos, tmp_path, squeezenet):
    names = tmp_path / "names.txt"
    names.write_text("\n".join("abcde"))
    files = explain(
        photos,
        tmp_path / "out",
        *("--network", "squeezenet1_1", "--library", "torchvision", "--weights", squeezenet),
        *("--class_names", names, "--image_size", 64, "--methods", "grad_cam", "filters"),
    )
    assert files == ["filters.png", "grad_cam.png", "predictions.csv"]


def test_pictures_have_the_options_of_a_fit(folder, photos, tmp_path):
    arguments = ("--ckpt_path", "best", "--methods", "filters")
    layers = ("--pictures.filters.layers", "block2.conv")
    files = explain(photos, tmp_path / "out", *arguments, *layers)
    assert "filters/block2.conv.png" in files


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_classes_of_other_weights_have_numbers_and_those_of_imagenet_names(tmp_path, library):
    name = {"timm": "test_vit", "torchvision": "squeezenet1_1"}[library]
    build = {"timm": timm.create_model, "torchvision": torchvision.models.get_model}[library]
    found = []
    for num_classes in (3, 1000):
        torch.save(build(name, num_classes=num_classes).state_dict(), tmp_path / "weights.pth")
        found.append(library_network(name, library, tmp_path / "weights.pth").class_names)
    assert found[0] == ("class 0", "class 1", "class 2")
    assert found[1][0] == "tench"
    assert len(found[1]) == 1000


def test_network_of_a_library_normalises_as_its_weights_expect(tmp_path):
    network = timm.create_model("test_vit").eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    explained = library_network("test_vit", "timm", tmp_path / "weights.pth")
    assert explained.image_size == 160
    images = torch.rand(1, 3, 160, 160)
    with torch.no_grad():
        expected = network((images - 0.5) / 0.5)
        torch.testing.assert_close(explained.model.eval()(images), expected)


def test_overlay_changes_the_image_where_the_heat_map_is_not_zero():
    image, map_ = np.full((8, 8, 3), 100, np.uint8), np.zeros((8, 8), np.float32)
    map_[2, 3] = 5.0
    mixed = overlay(image, map_)
    assert (np.argwhere((mixed != 100).any(axis=2)) == [[2, 3]]).all()
    assert (overlay(image, np.zeros((4, 4))) == 100).all()


def test_file_that_is_given_twice_is_one_image(photos):
    again = photos / "more" / ".." / "a.png"
    files = find_images([photos / "b.png", photos / "a.png", again])
    assert files == [photos / "b.png", photos / "a.png"]


def test_sample_has_the_names_of_its_images(photos):
    files = find_images([photos])
    images = Images(files, 32, 3)
    assert images.sampled_names(2) == [images.names[0], images.names[1]]
    assert len(images.sampled_names(9)) == len(images.sample(9)[0]) == 3


def test_files_of_one_name_keep_their_suffixes():
    assert unique_stems(["a.png", "a.jpg", "b/a.png"]) == ["a.png", "a.jpg", "b/a"]


def test_predictions_without_label_are_neither_correct_nor_wrong(folder, photos):
    network = checkpoint_network("best", None)
    images = Images([photos / "a.png", photos / "b.png"], 32, 1)
    context = PictureContext(
        network.model.eval(), network.class_names, images.sample, "t", "images"
    )
    with inspection_mode(context.model):
        [(_, figure)] = ClassActivation().draw(context)
    captions = figure.texts[1:]
    names = {text.get_text().rsplit(" ", 1)[0] for text in captions}  # without the confidence
    assert names <= set(network.class_names)
    assert {text.get_color() for text in captions} == {"black"}
