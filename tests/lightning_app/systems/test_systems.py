"""The published systems from the layout of their datasets to their predictions.

Fits of a few batches use narrow networks: all layers, a small share of the parameters. The networks
of full size are built on the meta device, which holds shapes alone.
"""

import csv
import functools
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from lightning.pytorch.cli import LightningArgumentParser
from torchvision.models._api import BUILTIN_MODELS
from torchvision.models.resnet import Bottleneck, ResNet, _resnet

from lightning_app.cli.picture_options import picture_types
from lightning_app.main import main
from models import ImageClassifier
from models.freezing import freeze_before

ROOT = Path(__file__).parents[3]
FEW = ["--trainer.max_epochs=1", "--trainer.limit_train_batches=1", "--trainer.limit_val_batches=1"]
QUICK = [*FEW, "--trainer.enable_progress_bar=false", "--report=false"]
PLAIN = ["--pictures.budget=0", "--report=false"]  # for what follows a fit
NO_DOWNLOAD = "--model.backbone.pretrained=false"


def fit(name, *more, pictures=()):
    off = [f"--pictures.{p}=false" for p in picture_types() if p not in pictures]
    small = ["--data.num_workers=0", "--data.batch_size=6"]
    main(["fit", "--config", f"configs/{name}.yaml", *QUICK, *small, *off, *more])


@pytest.fixture
def artifacts(client):
    """Artifacts of the newest run of an experiment."""

    def find(experiment, folder):
        experiment_id = client.get_experiment_by_name(experiment).experiment_id
        [run] = client.search_runs([experiment_id])
        listed = client.list_artifacts(run.info.run_id, folder)
        return {
            Path(f.path).name: client.download_artifacts(run.info.run_id, f.path) for f in listed
        }

    return find


@pytest.fixture
def narrow_networks(monkeypatch):
    """Torchvision's large networks with all their layers, but two channels inside a block."""
    for name, depths in (("resnet152", [3, 8, 36, 3]), ("resnext101_32x8d", [3, 4, 23, 3])):
        build = functools.partial(_resnet, Bottleneck, depths, progress=False, width_per_group=2)
        functools.update_wrapper(build, BUILTIN_MODELS[name])
        monkeypatch.setitem(BUILTIN_MODELS, name, build)


@pytest.fixture
def count_parameters(client):
    """Parameters of the newest run of an experiment: all, and those that train."""

    def count(experiment):
        experiment_id = client.get_experiment_by_name(experiment).experiment_id
        metrics = client.search_runs([experiment_id])[0].data.metrics
        return metrics["params/total"], metrics["params/trainable"]

    return count


def rows_of(file):
    with Path(file).open() as stream:
        return list(csv.DictReader(stream))


SIZES = {  # number of classes, parameters, and those that train in the first epoch
    "simpsons_resnet152": (50, 60_295_283, 2_151_475),
    "simpsons_resnext101": (20, 86_783_316, 28_786_708),
    "simpsons_resnext101_better": (20, 86_783_316, 28_786_708),
    "scenes_resnet50": (6, 23_520_326, 23_520_326),
    "scenes_resnet50_better": (6, 23_520_326, 23_520_326),
}


def sizes_of(config, num_classes):
    """Parameters of a configuration's network, and those that train in the first epoch."""
    parser = LightningArgumentParser()
    parser.add_lightning_class_args(ImageClassifier, "model", subclass_mode=True)
    settings = {"num_classes": num_classes, **config["model"]["init_args"]}
    settings["backbone"].setdefault("init_args", {}).pop("pretrained", None)
    parsed = parser.parse_object(
        {"model": {"class_path": "ImageClassifier", "init_args": settings}}
    )
    with torch.device("meta"):
        classifier = parser.instantiate_classes(parsed).model
    for callback in config["trainer"].get("callbacks") or []:
        if callback["class_path"] == "ProgressiveUnfreezing":
            freeze_before(callback["init_args"]["train_from"][0], classifier)
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in classifier.parameters()]
    return sum(n for n, _ in sizes), sum(n for n, trains in sizes if trains)


@pytest.mark.parametrize("name", SIZES)
def test_configured_network_has_the_published_size(name):
    config = yaml.safe_load((ROOT / "configs" / f"{name}.yaml").read_text())
    num_classes, *expected = SIZES[name]
    assert [*sizes_of(config, num_classes)] == expected


@pytest.mark.parametrize(
    ("variation", "width", "expected"),
    [
        ("batch 16", 8, (86_783_316, 28_786_708)),
        ("without freezing, batch 16", 8, (86_783_316, 86_783_316)),
        ("32x16d, batch 16", 16, (192_018_772, 62_496_788)),
        ("32x32d, batch 16", 32, (466_522_452, 151_150_612)),
        ("32x48d without weights or freezing, batch 8", 48, (826_403_156, 826_403_156)),
    ],
)
def test_variant_of_s1_has_the_size_of_torchvisions_network(variation, width, expected):
    config = yaml.safe_load((ROOT / "configs" / "simpsons_resnext101.yaml").read_text())
    settings = yaml.safe_load((ROOT / "ablations" / "simpsons_variants.yaml").read_text())
    changes = settings["variations"][variation]
    if "model.backbone" in changes:
        start = "model.backbone."
        options = {k.removeprefix(start): v for k, v in changes.items() if k.startswith(start)}
        backbone = {"class_path": changes["model.backbone"], "init_args": options}
        config["model"]["init_args"]["backbone"] = backbone
    if "trainer.callbacks" in changes:
        config["trainer"]["callbacks"] = changes["trainer.callbacks"]
    assert sizes_of(config, num_classes=20) == expected
    with torch.device("meta"):
        network = ResNet(Bottleneck, [3, 4, 23, 3], 20, groups=32, width_per_group=width)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected[0]


SMALL = ["--data.image_size=32", "--data.split.val_per_class=2", "--data.split.test_per_class=2"]


def test_s0_trains_on_class_folders_and_predicts_images_without_labels(
    simpsons, narrow_networks, artifacts, count_parameters
):
    name = "simpsons_resnet152"
    fit(name, NO_DOWNLOAD, *SMALL)
    total, trainable = count_parameters("simpsons")
    # The head alone; published with 50 classes, here are three.
    assert trainable == 2_151_475 - 47 * (1024 + 1) < total
    new = simpsons / "new"
    shutil.copytree(simpsons / "data" / "simpsons" / "bart", new)
    config = ["--config", f"configs/{name}.yaml", "--data.image_size=32", "--data.num_workers=0"]
    main(["predict", *config, *PLAIN, "--data.predict", str(new), "--ckpt_path", "best"])
    rows = rows_of(artifacts("simpsons", "predictions")["predict.csv"])
    assert [row["image"] for row in rows] == [f"{index}.jpg" for index in range(8)]
    assert {row["label"] for row in rows} == {""}


COUNTS = ["--per_class", "10", "--val_per_class", "2", "--test_per_class", "2"]


def test_s1_balances_offline_and_then_trains(
    simpsons, narrow_networks, artifacts, count_parameters
):
    name, out = "simpsons_resnext101", ["--out", "data/simpsons20", "--preset", "s1"]
    main(["prepare", "augment", "data/simpsons", *out, *COUNTS])
    fit(name, NO_DOWNLOAD, "--data.image_size=32", "--trainer.precision=32")
    total, trainable = count_parameters("simpsons")
    assert trainable < total
    config = ["--config", f"configs/{name}.yaml", "--data.image_size=32", "--data.num_workers=0"]
    main(["test", *config, *PLAIN, "--trainer.precision=32", "--ckpt_path", "best"])
    assert len(rows_of(artifacts("simpsons", "predictions")["test.csv"])) == 6


def test_s2_reads_its_manifests_and_explains_its_last_convolution(scenes, artifacts):
    name, narrow = "scenes_resnet50", "--model.backbone.group_width=2"
    fit(name, "--data.image_size=96", narrow, pictures=["grad_cam"])
    config = ["--config", f"configs/{name}.yaml", "--data.image_size=96", "--data.num_workers=0"]
    main(["test", *config, *PLAIN, "--ckpt_path", "best"])
    assert any("grad_cam" in image for image in artifacts("scenes", "images"))
    rows = rows_of(artifacts("scenes", "predictions")["test.csv"])
    assert [row["label"] for row in rows[:3]] == ["buildings", "buildings", "forest"]


S3_SIZES = {"cnn": 2_207_893, "dnn": 2_237_973}  # parameters


@pytest.mark.parametrize("name", ["fer2013_cnn", "fer2013_dnn"])
def test_s3_reads_kaggles_file_and_predicts_its_test_rows(faces, artifacts, count_parameters, name):
    drawn = {"fer2013_cnn": ["filters", "feature_maps", "activation_maximisation"]}.get(name, ())
    little = ["--pictures.activation_maximisation.steps=2"] if drawn else []
    fit(name, "--data.split.val_last_n=7", *little, pictures=drawn)
    assert count_parameters("fer2013") == (S3_SIZES[name[8:11]],) * 2
    sample = faces / "sample.csv"
    sample.write_text("id,emotion\n" + "".join(f"{13 - row},0\n" for row in range(14)))
    config = ["--config", f"configs/{name}.yaml", "--data.split.val_last_n=7"]
    answer = ["--predictions.sample_submission", str(sample), "--ckpt_path", "best"]
    main(["predict", *config, *PLAIN, *answer])
    predictions = artifacts("fer2013", "predictions")
    rows = rows_of(predictions["predict.csv"])
    assert [row["label"] for row in rows[:3]] == ["angry", "disgust", "fear"]
    classes = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    answers = {
        row["id"]: classes[int(row["emotion"])] for row in rows_of(predictions["submission.csv"])
    }
    assert answers == {str(number): row["predicted"] for number, row in enumerate(rows)}
    if drawn:
        images = set(artifacts("fer2013", "images")) | set(artifacts("fer2013", "figures"))
        assert all(any(name in image for image in images) for name in drawn)


def test_better_s0_trains(simpsons, narrow_networks, count_parameters):
    fit("simpsons_resnet152_better", NO_DOWNLOAD, *SMALL)
    assert count_parameters("simpsons")[0] > 2_000_000


def test_better_s1_trains_on_balanced_images(simpsons, narrow_networks, count_parameters):
    out = ["--out", "data/simpsons20_plain", "--preset", "none"]
    main(["prepare", "augment", "data/simpsons", *out, *COUNTS])
    small = ["--data.image_size=32", "--trainer.precision=32"]
    fit("simpsons_resnext101_better", NO_DOWNLOAD, *small)
    total, trainable = count_parameters("simpsons")
    assert trainable < total


def test_better_s2_trains_on_its_manifests(scenes, artifacts):
    narrow = "--model.backbone.group_width=2"
    fit("scenes_resnet50_better", "--data.image_size=96", narrow, pictures=["grad_cam"])
    assert any("grad_cam" in image for image in artifacts("scenes", "images"))


@pytest.mark.parametrize("kind", S3_SIZES)
def test_better_s3_trains_on_kaggles_file(faces, count_parameters, kind):
    fit(f"fer2013_{kind}_better", "--data.split.val_last_n=7")
    assert count_parameters("fer2013") == (S3_SIZES[kind],) * 2


def test_s3_without_convolutions_has_no_pictures_of_them(faces):
    drawn = ["filters", "feature_maps", "activation_maximisation"]
    little = ["--pictures.activation_maximisation.steps=2", "--data.split.val_last_n=7"]
    with pytest.warns(UserWarning, match="No picture filters: the network has no convolution"):
        fit("fer2013_cnn", "--model.backbone=MLP", *little, pictures=drawn)
