"""On synthetic images, whose class depends on a known patch."""

import pytest
import torch
from lightning.pytorch import Trainer, seed_everything

from datamodules import SyntheticDataModule
from datamodules.synthetic import PATCH, patch_corner
from models import ImageClassifier, SmallCNN
from models.explain import CLASS_ACTIVATIONS, last_feature_map


@pytest.fixture(scope="module")
def synthetic():
    return SyntheticDataModule(num_images=200, batch_size=16)


@pytest.fixture(scope="module")
def trained(synthetic, tmp_path_factory):
    seed_everything(0, verbose=False)
    model = ImageClassifier(
        SmallCNN(8, 1), 4, optimizer=lambda groups: torch.optim.AdamW(groups, lr=3e-3)
    )
    Trainer(
        max_epochs=8,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=tmp_path_factory.mktemp("fit"),
    ).fit(model, synthetic)
    return model.eval()


@pytest.mark.parametrize("method", CLASS_ACTIVATIONS)
def test_maximum_lies_in_the_patch_of_the_class(method, trained, synthetic):
    source = synthetic.sources["val"]
    images = synthetic.images("val", range(len(source.names)))
    labels = torch.as_tensor(source.labels)
    name, to_map = last_feature_map(trained, images)
    layer = trained.get_submodule(name)
    maps = CLASS_ACTIVATIONS[method](trained, layer, images, labels, to_map)
    hits = [_in_patch(map_, image) for map_, image in zip(maps, source.names, strict=True)]
    assert len(hits) > 30
    assert sum(hits) >= 0.85 * len(hits)


def _in_patch(map_, name):
    row, column = divmod(int(map_.argmax()), map_.shape[1])
    top, left = patch_corner(name)
    return top <= row < top + PATCH and left <= column < left + PATCH
