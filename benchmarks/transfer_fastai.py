"""Fastai's `fine_tune(10)` for `transfer.py`, run by an environment that has fastai.

Prints the number of test images that are classified correctly, and the number of all of them.
"""

import json
import sys
from pathlib import Path

import torch
import torchvision

try:
    from fastai.vision.all import (  # pyright: ignore[reportMissingImports]
        CategoryBlock,
        DataBlock,
        FuncSplitter,
        ImageBlock,
        Resize,
        accuracy,
        aug_transforms,
        set_seed,
        vision_learner,
    )
except ImportError:
    sys.exit("fastai is not installed in this environment: uv pip install fastai")


def main(plan: dict) -> None:
    """Train on the training images, and classify the test images."""
    name, _, file = plan["network"].partition("=")
    set_seed(plan["seed"])
    label = dict(plan["train"] + plan["val"] + plan["test"])
    held_out = {path for path, _ in plan["val"]}
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=lambda _: [path for path, _ in plan["train"] + plan["val"]],
        get_y=label.get,
        splitter=FuncSplitter(held_out.__contains__),
        item_tfms=Resize(plan["size"]),
        batch_tfms=aug_transforms(),
    )
    loaders = block.dataloaders(None, bs=32, num_workers=0)

    def network(pretrained: bool = False, **options: object) -> torch.nn.Module:
        built = getattr(torchvision.models, name)(weights=None)
        if file:
            built.load_state_dict(torch.load(file, weights_only=True))
        return built

    network.__name__ = name
    is_torchvision = hasattr(torchvision.models, name)
    learner = vision_learner(loaders, network if is_torchvision else name, metrics=accuracy)
    learner.fine_tune(10)
    test = loaders.test_dl([path for path, _ in plan["test"]])
    predicted = learner.get_preds(dl=test)[0].argmax(dim=1)
    names = list(learner.dls.vocab)
    truth = [label[path] for path, _ in plan["test"]]
    print(sum(names[k] == true for k, true in zip(predicted, truth, strict=True)), len(truth))


main(json.loads(Path(sys.argv[1]).read_text()))
