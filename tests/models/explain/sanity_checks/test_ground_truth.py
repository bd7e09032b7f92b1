"""A trained network, and images whose class depends on a known patch."""

import pytest
import torch
from lightning.pytorch import Trainer, seed_everything

from datamodules import SyntheticDataModule
from datamodules.synthetic import PATCH, patch_corner
from models import ImageClassifier, SmallCNN
from models.explain import grad_cam, last_feature_map
from models.explain.sanity_checks import (
    area,
    box_masks,
    deletion_curve,
    insertion_curve,
    judge,
    moved_maps,
    occlusion,
    pointing_game,
    random_maps,
    randomization,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Network, validation images, predicted classes, and the masks of their patches."""
    seed_everything(0, verbose=False)
    data = SyntheticDataModule(num_images=120, batch_size=16)
    model = ImageClassifier(
        SmallCNN(8, 1), 4, optimizer=lambda groups: torch.optim.AdamW(groups, lr=3e-3)
    )
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar"), False)
    Trainer(
        max_epochs=12,
        accelerator="cpu",
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=tmp_path_factory.mktemp("trained"),
        **quiet,
    ).fit(model, data)
    source = data.sources["val"]
    images = data.images("val", range(len(source)))
    boxes = [(y, x, y + PATCH, x + PATCH) for y, x in map(patch_corner, source.names)]
    masks = box_masks(torch.tensor(boxes), *images.shape[2:])
    with torch.no_grad():
        classes = model.eval()(images).argmax(dim=1)
    return model, images, classes, masks


def cam(model, images, classes):
    name, to_map = last_feature_map(model, images)
    return grad_cam(model, model.get_submodule(name), images, classes, to_map)


def test_occlusion_marks_the_patch(trained):
    model, images, classes, masks = trained
    fall = occlusion(model, images, classes, window=6, stride=2)
    assert pointing_game(fall, masks) >= 0.85


def test_deleting_in_the_order_of_grad_cam_beats_a_random_order(trained):
    model, images, classes, _ = trained
    maps, chance = cam(model, images, classes), random_maps(images)
    deleted, by_chance = (
        area(deletion_curve(model, images, m, classes)).mean() for m in (maps, chance)
    )
    assert deleted < by_chance - 0.05


def test_inserting_in_the_order_of_grad_cam_beats_a_random_order(trained):
    model, images, classes, _ = trained
    maps, chance = cam(model, images, classes), random_maps(images)
    inserted, by_chance = (
        area(insertion_curve(model, images, m, classes)).mean() for m in (maps, chance)
    )
    assert inserted > by_chance + 0.05


def test_most_important_pixels_of_grad_cam_lie_in_the_patch(trained):
    """The first 5 % of the pixels, after which the probability falls most."""
    model, images, classes, masks = trained
    maps = cam(model, images, classes)
    first = maps.flatten(1).topk(maps[0].numel() // 20).indices
    inside = masks.flatten(1).gather(1, first).float().mean(dim=1)
    assert (inside > 0.5).float().mean() >= 0.85


def test_grad_cam_depends_on_the_learned_weights(trained):
    model, images, classes, _ = trained
    found = randomization(model, cam, images[:12], classes[:12])
    assert found.correlations[-1].nanmean() < 0.5
    assert found.layers[0] == "head.layers.1"
    assert found.layers[-1] == "backbone.blocks.block1.conv"


def verdict_of(explain, model, images, classes):
    found = randomization(model, explain, images, classes, num_stages=1)
    areas = [
        area(deletion_curve(model, images, maps, classes, num_steps=10))
        for maps in (found.maps[0], moved_maps(found.maps[0]))
    ]
    return judge(found.maps[0], found.correlations[-1], *areas)


def test_grad_cam_of_a_network_that_sees_the_patch_passes(trained):
    model, images, classes, _ = trained
    assert verdict_of(cam, model, images[:16], classes[:16]).failed == []


def test_maps_that_do_not_depend_on_the_network_fail(trained):
    """Bright pixels: they mark the patch, so that removing them is as good as with Grad-CAM."""
    model, images, classes, _ = trained
    verdict = verdict_of(lambda _, images, classes: images[:, 0], model, images[:16], classes[:16])
    assert verdict.failed == ["randomization"]
    assert verdict.similarity == pytest.approx(1)


def test_random_maps_fail(trained):
    model, images, classes, _ = trained

    def random(network, images, classes):
        return random_maps(images, seed=int(1000 * network.head.layers[1].weight[0, 0].item() % 97))

    assert verdict_of(random, model, images[:16], classes[:16]).failed == ["deletion"]
