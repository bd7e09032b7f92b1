import torch

from models.views import logits_of_views


def network(images):
    """Logits that differ between the views of an image."""
    return images.flatten(1)[:, :3] * 4


def test_probabilities_of_the_views_are_averaged():
    images = torch.rand(5, 3, 1, 2, 2)
    mean = torch.stack([network(images[:, view]).softmax(1) for view in range(3)]).mean(0)
    torch.testing.assert_close(logits_of_views(network, images, 3).softmax(1), mean)


def test_single_view_is_not_changed():
    images = torch.rand(5, 1, 2, 2)
    assert logits_of_views(network, images, 3).equal(network(images))


def test_empty_batch_gives_no_logits():
    assert logits_of_views(network, torch.empty(0, 1, 2, 2), 3).shape == (0, 3)
