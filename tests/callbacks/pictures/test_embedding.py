import numpy as np
import pytest
import torch
from torch import nn

from callbacks import OutputRecorder, PictureGallery
from callbacks.output_recorder import Outputs, SampledFeatures
from callbacks.pictures.embedding import Embedding
from callbacks.pictures.picture import PictureContext
from models.evaluation.predictions import Predictions
from models.explain import NothingToShow


class Pixels:
    """Images whose brightness is their index."""

    def images(self, split, indices):
        return torch.tensor(indices).view(-1, 1, 1, 1).expand(-1, 1, 4, 4) / 100


def context(
    num_images=40, num_classes=4, labels=None, features=None, with_features=True, **options
):
    generator = torch.Generator().manual_seed(0)
    truth = torch.arange(num_images) % num_classes
    logits = 9.0 * nn.functional.one_hot(truth, num_classes)
    featured = torch.arange(0, num_images, 2)  # as with too many images
    centers = 9 * torch.randn(num_classes, 8, generator=generator)
    if features is None:
        features = centers[truth[featured]] + torch.rand(len(featured), 8, generator=generator)
    indices = torch.arange(num_images) + 50
    found = Predictions(logits, truth if labels is None else labels, indices)
    sampled = SampledFeatures(features, featured) if with_features else None
    names = [f"class {k}" for k in range(num_classes)]
    return PictureContext(
        nn.Identity(),
        names,
        lambda n: (n, n),
        "epoch 4",
        outputs=Outputs(found, sampled),
        **options,
    )


def figures(picture, of):
    return [name for name, _ in picture.draw(of)]


def title(figure):
    return figure.texts[0].get_text()


def test_pca_is_drawn_each_time_and_tsne_at_the_end():
    assert figures(Embedding(), context(final=False)) == ["embedding"]
    assert figures(Embedding(), context()) == ["embedding", "embedding_tsne", "neighbour_agreement"]
    assert figures(Embedding(method="pca"), context()) == ["embedding", "neighbour_agreement"]
    assert figures(Embedding(method="tsne"), context(final=False)) == ["embedding"]


def test_title_has_the_share_of_neighbours_of_the_same_class():
    shown = dict(Embedding(method="pca", num_neighbours=3).draw(context()))
    assert shown["neighbour_agreement"] == 1
    assert "Embedding, epoch 4: PCA of 20 images" in title(shown["embedding"])
    assert "\n100 % of the nearest neighbours have the same class" in title(shown["embedding"])


def test_rings_are_the_mistakes_among_images_with_features():
    labels = torch.arange(40) % 4
    labels[[6, 7]] = 1 - labels[[6, 7]] % 2  # only the first of the two is on the map
    [(_, figure)] = Embedding().draw(context(labels=labels, final=False))
    rings = (figure.axes[0].collections[0].get_edgecolors()[:, 3] == 1).sum()
    assert rings == 1


def test_thumbnails_are_the_images_of_their_points():
    features = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    of = context(features=features, data=Pixels(), final=False)
    [(_, figure)] = Embedding(thumbnails=5).draw(of)
    pictures = figure.axes[0].images
    assert len(pictures) == 5
    places = [round(100 * np.asarray(picture.get_array()).mean()) for picture in pictures]
    assert all(place in range(50, 90, 2) for place in places)
    assert len(set(places)) == 5


def test_without_images_there_are_only_points():
    [(_, figure)] = Embedding(thumbnails=5).draw(context(final=False))
    assert not figure.axes[0].images


def test_unlabelled_images_are_not_on_the_map():
    labels = torch.arange(40) % 4
    labels[:20] = -1
    [(_, figure)] = Embedding().draw(context(labels=labels, final=False))
    assert len(figure.axes[0].collections[0].get_offsets()) == 10


def test_only_the_most_mixed_of_many_classes_are_named():
    [(_, figure)] = Embedding().draw(context(900, 45, final=False))
    assert len(figure.axes[0].texts) == 15
    assert title(figure).endswith("; names: the most mixed classes")


@pytest.mark.parametrize("options", [{"with_features": False}, {"labels": torch.full((40,), -1)}])
def test_without_features_of_labelled_images_there_is_nothing_to_show(options):
    with pytest.raises(NothingToShow, match="features of three labelled images"):
        list(Embedding().draw(context(**options)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "umap"}, "method is 'umap'; expected pca, tsne, both"),
        ({"thumbnails": -1}, "thumbnails is -1; expected 0 or more"),
        ({"num_neighbours": 0}, "num_neighbours is 0; expected 1 or more"),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Embedding(**options)


def test_a_fit_draws_it_from_the_features_of_the_validation(
    make_classifier, make_trainer, synthetic, monkeypatch
):
    shown = []
    monkeypatch.setattr(
        "callbacks.picture_gallery.PictureGallery._log",
        lambda self, picture, s, *_: shown.append(s[0]),
    )
    recorder = OutputRecorder()
    gallery = PictureGallery([Embedding(thumbnails=4)], recorder, budget=1.0)
    make_trainer(max_epochs=1, callbacks=[recorder, gallery]).fit(make_classifier(), synthetic)
    assert shown == ["embedding", "embedding_tsne", "neighbour_agreement"]
