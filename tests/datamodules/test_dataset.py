"""Batches: where their memory is, and which images are in them."""

import numpy as np
import torch

from datamodules.dataset import PlainDataset
from datamodules.loaders import make_loader
from datamodules.sources.files import FileReader
from datamodules.sources.source import ImageSource


class WithMemory(PlainDataset):
    """Adds to each batch whether other processes see its memory."""

    def __getitems__(self, indices):
        batch = super().__getitems__(indices)
        return [*batch, torch.tensor(batch[0].is_shared())]


def dataset_of(folder, write_image):
    names = [f"{index}.png" for index in range(5)]
    for index, name in enumerate(names):
        write_image(folder / name, color=(10 + index, 0, 200))
    (folder / "1.png").unlink()
    source = ImageSource(FileReader(folder, names, 4, 3), np.arange(5), names)
    return WithMemory(source, torch.zeros(5, dtype=torch.uint8))


def test_a_loader_process_makes_batches_where_the_training_process_reads_them(
    tmp_path, write_image
):
    dataset = dataset_of(tmp_path, write_image)
    batches = {
        workers: next(iter(make_loader(dataset, range(5), 5, workers))) for workers in (0, 1)
    }
    for images, labels, indices, _ in batches.values():
        assert images[:, :, 3, 0].tolist() == [[10 + i, 0, 200] for i in (0, 2, 3, 4)]
        assert labels.tolist() == indices.tolist() == [0, 2, 3, 4]
    assert [bool(batch[3]) for batch in batches.values()] == [False, True]


def test_a_batch_without_a_readable_image_is_empty(tmp_path, write_image):
    images, labels, indices = dataset_of(tmp_path, write_image)[1][:3]
    assert (len(images), len(labels), len(indices)) == (0, 0, 0)
    assert images.dtype == torch.uint8
