"""Fastai's `fine_tune(10)` for `transfer.py`, run by an environment that has fastai.

Prints the number of test images that are classified correctly, and the number of all of them.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

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

LEFT_OUT = "is a part of transfer.py"


def put_where_torchvision_looks(name: str, file: Path) -> None:
    """Copy weights to where torchvision keeps its downloads; fastai normalises for these."""
    weights: Any = torchvision.models.get_model_weights(name)
    url = weights.DEFAULT.url
    target = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copyfile(file, target)


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

    architecture, options = name, {}
    if hasattr(torchvision.models, name):
        architecture = getattr(torchvision.models, name)
        if file:
            put_where_torchvision_looks(name, Path(file))
    elif file:
        options = {"pretrained_cfg_overlay": {"file": file}}
    learner = vision_learner(loaders, architecture, metrics=accuracy, **options)
    learner.fine_tune(10)
    test = loaders.test_dl([path for path, _ in plan["test"]])
    predicted = learner.get_preds(dl=test)[0].argmax(dim=1)
    names = list(learner.dls.vocab)
    truth = [label[path] for path, _ in plan["test"]]
    print(sum(names[k] == true for k, true in zip(predicted, truth, strict=True)), len(truth))


main(json.loads(Path(sys.argv[1]).read_text()))
