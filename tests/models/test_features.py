import torch

from models import SmallCNN
from models.features import compute_features, weights_digest


def batches(images):
    indices = torch.tensor([3, 0, 2])
    yield images[indices[:2]], torch.zeros(2), indices[:2]
    yield images[indices[2:]], torch.zeros(1), indices[2:]


def test_features_are_in_the_order_of_the_images_and_missing_ones_are_nan():
    torch.manual_seed(0)
    backbone, images = SmallCNN(4, 1).train(), torch.rand(4, 1, 16, 16)
    found = compute_features(backbone, batches(images), 4)
    assert backbone.training
    with torch.no_grad():
        expected = backbone.eval()(images)
    torch.testing.assert_close(found[[0, 2, 3]], expected[[0, 2, 3]])
    assert found[1].isnan().all()


def test_digest_changes_with_any_weight_or_statistic():
    torch.manual_seed(0)
    backbone = SmallCNN(4, 1)
    digests = {weights_digest(backbone)}
    assert digests == {weights_digest(backbone)}
    with torch.no_grad():
        next(backbone.parameters()).view(-1)[0] += 1e-6
    digests.add(weights_digest(backbone))
    next(buffer for name, buffer in backbone.named_buffers() if "var" in name)[0] += 1
    digests.add(weights_digest(backbone))
    assert len(digests) == 3
