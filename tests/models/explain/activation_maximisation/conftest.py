import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy, interpolate

from models import Head, PlainCNN

SIZE = 24


@pytest.fixture(scope="session")
def digits_cnn():
    """A narrow version of S3's network, trained on handwritten digits in seconds; in eval mode."""
    digits = load_digits()
    scans = torch.from_numpy(digits.images).float()[:, None] / 16
    images, labels = interpolate(scans, size=(SIZE, SIZE)), torch.from_numpy(digits.target)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        backbone = PlainCNN((8, 16, 16), (32,), num_channels=1, image_size=SIZE)
        model = nn.Sequential(backbone, Head(32, 10))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        for _ in range(4):
            for batch in torch.randperm(len(images)).split(64):
                loss = cross_entropy(model(images[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    model.eval()
    optimizer.zero_grad()
    with torch.no_grad():
        assert (model(images).argmax(dim=1) == labels).float().mean() > 0.9
    return model
