import pytest
import torch

from lightning_app.main import main
from lightning_app.store.checkpoints import find_checkpoint

NETWORK = ("--network", "squeezenet1_1", "--library", "torchvision")


def test_missing_file_and_missing_run_are_reported(folder, photos, refused):
    assert "There is no checkpoint x/y.ckpt" in refused(
        "--ckpt_path", "x/y.ckpt", "--images", photos
    )
    error = refused("--ckpt_path", "smal", "--images", photos)
    assert "There is no run 'smal'" in error
    assert "small" in error


def test_folder_without_image_is_reported(folder, tmp_path, refused):
    (tmp_path / "empty").mkdir()
    error = refused("--ckpt_path", "best", "--images", tmp_path / "empty")
    assert "There is no image in the folder" in error


def test_missing_image_is_reported(folder, refused):
    assert "no image or folder x.jpg" in refused("--ckpt_path", "best", "--images", "x.jpg")


def test_broken_image_is_named(folder, photos, refused):
    (photos / "b.png").write_bytes((photos / "b.png").read_bytes()[:200])
    error = refused("--ckpt_path", "best", "--images", photos)
    assert "1 of 3 images cannot be read" in error
    assert "b.png" in error
    assert "--on_error skip leaves them out." in error


def test_similar_names_of_an_unknown_picture_are_listed(folder, photos, refused):
    error = refused("--ckpt_path", "best", "--images", photos, "--methods", "gradcam")
    assert "There is no picture 'gradcam'" in error
    assert "grad_cam" in error


def test_picture_that_needs_a_run_is_rejected(folder, photos, refused):
    error = refused("--ckpt_path", "best", "--images", photos, "--methods", "curves")
    assert "'curves' needs a run" in error


def test_similar_names_of_an_unknown_layer_are_listed(folder, photos, tmp_path, refused):
    layer = ("--methods", "grad_cam", "--pictures.grad_cam.layer", "block9")
    error = refused("--ckpt_path", "best", "--images", photos, "--out", tmp_path / "out", *layer)
    assert "no layer 'block9'" in error
    assert "block" in error.split("Near names")[1]


@pytest.mark.parametrize("picture", ["confusion", "label_suspects", "embedding"])
def test_picture_that_needs_labels_is_rejected(folder, photos, refused, picture):
    error = refused("--ckpt_path", "best", "--images", photos, "--methods", picture)
    assert f"'{picture}' needs a run" in error
    assert "confusion," not in error


def test_picture_that_is_switched_on_and_off_is_rejected(folder, photos, refused):
    both = ("--methods", "grad_cam", "--pictures.grad_cam", "false")
    error = refused("--ckpt_path", "best", "--images", photos, *both)
    assert "--methods grad_cam and --pictures.grad_cam false exclude each other" in error


def test_folders_in_place_of_files_are_reported(folder, photos, tmp_path, refused):
    error = refused("--ckpt_path", "mlruns/checkpoints", "--images", photos)
    assert "mlruns/checkpoints is a folder; name the file of a checkpoint in it" in error
    error = refused("--ckpt_path", "best", "--images", photos, "--out", photos / "a.png")
    assert "a.png is a file; the output (--out) has to be a folder" in error
    error = refused("--ckpt_path", photos / "a.png", "--images", photos)
    assert "a.png is damaged or not a checkpoint. For a file of weights, use --network" in error
    names = ("--class_names", tmp_path / "none.txt")
    error = refused("--ckpt_path", "best", "--images", photos, *names)
    assert "none.txt cannot be read (--class_names): No such file or directory." in error


def test_weights_of_another_network_are_reported(photos, squeezenet, refused):
    wrong = ("--network", "resnet18", "--library", "torchvision", "--weights", squeezenet)
    assert "of the network's 122 tensors" in refused(*wrong, "--images", photos)


def test_checkpoint_of_another_model_is_reported(folder, photos, tmp_path, refused):
    torch.save({"state_dict": {"weight": torch.ones(1)}}, tmp_path / "other.ckpt")
    error = refused("--ckpt_path", tmp_path / "other.ckpt", "--images", photos)
    assert "is not a checkpoint of an ImageClassifier" in error


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_similar_names_of_an_unknown_network_are_listed(photos, squeezenet, refused, library):
    wrong = ("--network", "resnet19", "--library", library, "--weights", squeezenet)
    error = refused(*wrong, "--images", photos)
    assert "network 'resnet19'" in error
    assert "resnet18" in error


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "needs a trained network"),
        (("--ckpt_path", "best"), "needs images"),
        (NETWORK, "needs weights: either --weights FILE or --pretrained"),
        (
            (*NETWORK, "--pretrained", "--images", "x", "--log"),
            "--log needs the run of",
        ),
        (("--ckpt_path", "best", "--pretrained", "--images", "x"), "A checkpoint has weights"),
        (("--ckpt_path", "best", "--images", "x", "--image_size", "0"), "expected 1 or more"),
    ],
)
def test_options_that_are_missing_or_exclude_each_other_are_reported(arguments, expected, refused):
    assert expected in refused(*arguments)


def test_missing_class_names_are_reported(photos, tmp_path, squeezenet, refused):
    names = tmp_path / "names.txt"
    names.write_text("a\nb\n")
    error = refused(
        *NETWORK,
        "--weights",
        squeezenet,
        "--images",
        photos,
        "--class_names",
        names,
        "--image_size",
        64,
        "--out",
        tmp_path / "out",
    )
    assert "has 5 classes, but there are 2 class names" in error


def test_unknown_option_ends_with_status_two(photos, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["explain", "--chkpt_path", "best", "--images", str(photos)])
    assert "chkpt_path" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "asked", "other"),
    [("squeezenet1_1", "timm", "torchvision"), ("test_vit", "torchvision", "timm")],
)
def test_network_of_the_other_library_is_suggested(photos, squeezenet, refused, name, asked, other):
    wrong = ("--network", name, "--library", asked, "--weights", squeezenet, "--images", photos)
    assert f"{other} has one: --library {other}." in refused(*wrong)


def test_weights_in_place_of_a_checkpoint_are_reported(photos, squeezenet, refused):
    error = refused("--ckpt_path", squeezenet, "--images", photos)
    assert "use --network NAME --weights FILE" in error


def test_run_that_is_not_in_the_store_is_reported(folder, photos, tmp_path, refused):
    content = torch.load(find_checkpoint("best"), weights_only=True)
    torch.save({**content, "mlflow_run_id": "0" * 32}, tmp_path / "copied.ckpt")
    error = refused("--ckpt_path", tmp_path / "copied.ckpt", "--images", photos, "--log")
    assert "There is no run '0000" in error


@pytest.mark.parametrize(
    ("network", "size"), [(("--ckpt_path", "best"), 3), ((*NETWORK, "--weights"), 5)]
)
def test_image_size_that_is_too_small_is_reported(
    folder, photos, squeezenet, refused, network, size
):
    network = (*network, squeezenet) if network[-1] == "--weights" else network
    error = refused(*network, "--images", photos, "--image_size", size)
    assert f"--image_size {size} does not fit" in error
    assert "perhaps because it is too small: Given input size" in error


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_missing_gpu_is_reported(folder, photos, refused):
    error = refused("--ckpt_path", "best", "--images", photos, "--device", "cuda")
    assert "be auto or cpu, got 'cuda': torch finds no other device" in error


def test_missing_image_size_is_reported(folder, photos, tmp_path, refused):
    content = torch.load(find_checkpoint("best"), weights_only=True)
    del content["image_size"], content["mlflow_run_id"]
    torch.save(content, tmp_path / "old.ckpt")
    error = refused("--ckpt_path", tmp_path / "old.ckpt", "--images", photos)
    assert "set their side in pixels with --image_size" in error
