"""A network that learned two planted parts: each becomes a concept of the class that has both."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

from callbacks.inspection_mode import inspection_mode
from callbacks.output_recorder import Outputs
from callbacks.pictures import PictureContext, concepts
from callbacks.pictures.class_images import ClassImages
from callbacks.pictures.concept_rows import CROPS, IMAGES
from callbacks.pictures.concepts import Concepts
from models import Ensemble, ImageClassifier, Member, NoHead, SmallCNN
from models.evaluation.predictions import Predictions
from models.explain import NothingToShow
from models.explain.concepts import CutNetwork, crop_boxes, find_concepts

SIDE, PART, CROP = 28, 9, 0.4
ROWS, COLUMNS = np.mgrid[:PART, :PART] - PART // 2
DISC = ROWS**2 + COLUMNS**2 <= 18
CROSS = (abs(ROWS) <= 1) | (abs(COLUMNS) <= 1)
FRAME = np.maximum(abs(ROWS), abs(COLUMNS)) >= 3
CLASSES = ("disc and cross", "disc and frame", "cross and frame")
PAIRS = ((0, 1), (0, 2), (1, 2))  # of the parts in the images of each class


def draw_images(number, seed):
    """Noise with the two parts of a class at independent places; images, labels and places."""
    rng = np.random.default_rng(seed)
    images = rng.random((number, 3, SIDE, SIDE), dtype=np.float32) * 0.2
    labels, places = np.arange(number) % 3, np.zeros((number, 2, 2), int)
    for image, label, place in zip(images, labels, places, strict=True):
        while abs(place[0] - place[1]).max() < PART:  # they overlap
            place[:] = rng.integers(0, SIDE - PART + 1, (2, 2))
        for part, (top, left) in zip(PAIRS[label], place, strict=True):
            shape = (DISC, CROSS, FRAME)[part]  # each in a colour of its own
            image[part, top : top + PART, left : left + PART] += 0.7 * shape
    return torch.from_numpy(images.clip(0, 1)), torch.from_numpy(labels), places


@pytest.fixture(scope="module")
def network():
    """A small network that has learned the classes."""
    torch.manual_seed(0)
    layers = (
        *(nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(12, 16, 3, padding=1), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3)),
    )
    network = nn.Sequential(*layers)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    images, labels, _ = draw_images(600, seed=1)
    for _ in range(6):
        for batch in torch.randperm(600).split(60):
            optimizer.zero_grad()
            wanted = one_hot(labels[batch], 3).float()
            binary_cross_entropy_with_logits(network(images[batch]), wanted).backward()
            optimizer.step()
    return network.eval()


@pytest.fixture
def context(network):
    images = draw_images(90, seed=2)[0]
    unknown = torch.full((90,), -1)
    return PictureContext(
        network, CLASSES, lambda n: (images[:n], unknown[:n]), "a network", "images"
    )


def shown_by(picture, context):
    with inspection_mode(context.model):
        return dict(picture.draw(context))


def test_two_planted_parts_come_out(network):
    images, labels, places = draw_images(90, seed=2)
    with torch.no_grad():
        predicted = network(images).argmax(dim=1)
    assert (predicted == labels).float().mean() > 0.95
    chosen = predicted == 0
    images, places = images[chosen], places[chosen.numpy()]
    found = find_concepts(CutNetwork(network, network[4]), images, 0, 2, CROP)
    parts = [
        {_part_in(crop, places[image]) for image, crop in found.top_crops(concept, 6)}
        for concept in range(2)
    ]
    assert sorted(parts, key=str) == [{"cross"}, {"disc"}]
    for concept, [part] in enumerate(parts):
        maps = found.in_images[:, concept]
        peaks = [_part_at(*pair) for pair in zip(maps, places, strict=True)]
        assert np.mean([peak == part for peak in peaks]) > 0.9
    assert (found.falls > 0).all()  # both are evidence for the class
    assert found.importance.sum() == pytest.approx(1, abs=0.1)


def _part_in(crop, places):
    """Which part lies in a crop by more than 60 %; both or none as such."""
    top, left, height, width = crop_boxes((SIDE, SIDE), CROP)[crop]
    inside = [
        max(min(top + height, y + PART) - max(top, y), 0)
        * max(min(left + width, x + PART) - max(left, x), 0)
        for y, x in places
    ]
    names = [
        name for name, area in zip(("disc", "cross"), inside, strict=True) if area > 0.6 * PART**2
    ]
    return " and ".join(names)


def _part_at(amounts, places):
    """The part at the maximum of a map of half the size of the image."""
    row, column = (2 * index for index in np.unravel_index(amounts.argmax(), amounts.shape))
    for name, (top, left) in zip(("disc", "cross"), places, strict=True):
        if top - 1 <= row <= top + PART and left - 1 <= column <= left + PART:
            return name
    return "none"


def test_each_class_has_a_sheet_and_rows_of_the_table(context):
    shown = shown_by(Concepts(num_concepts=2, num_images=6), context)
    table = shown.pop("concepts")
    assert set(shown) == {f"concepts/{name}" for name in CLASSES}
    assert table["class"] == [name for name in CLASSES for _ in range(2)]
    assert table["concept"] == [1, 2] * 3
    indices = np.reshape(table["total Sobol index"], (3, 2))
    assert (indices[:, 0] >= indices[:, 1]).all()
    figure = shown["concepts/disc and cross"]
    assert isinstance(figure, Figure)
    assert (
        figure.texts[0]
        .get_text()
        .startswith(
            "Concepts of the class disc and cross, a network: 6 images that are predicted as it"
        )
    )
    bars, tiles = figure.axes
    assert [bar.get_width() for bar in bars.patches] == pytest.approx(indices[0])
    assert len(tiles.images) == 2 * (CROPS + IMAGES)


def test_only_named_classes_are_shown(context):
    picture = Concepts(classes=("cross and frame",), num_concepts=2, num_images=4)
    assert set(shown_by(picture, context)) == {"concepts", "concepts/cross and frame"}


def test_layer_can_be_chosen(context):
    picture = Concepts(classes=(CLASSES[0],), num_concepts=2, num_images=4, layer="1")
    figure = shown_by(picture, context)[f"concepts/{CLASSES[0]}"]
    assert figure.texts[0].get_text().split("\n")[1].startswith("Layer 1; the concepts reproduce")
    with pytest.raises(ValueError, match=r"pictures\.concepts\.layer: .*no layer 'layer4'"):
        shown_by(Concepts(layer="layer4"), context)


def test_ensemble_has_no_concepts():
    members = [Member(SmallCNN(2, 1), 2) for _ in range(2)]
    model = ImageClassifier(Ensemble(members), 2, head=NoHead).eval()
    images, labels = torch.rand(8, 1, 16, 16), torch.full((8,), -1)
    several = PictureContext(model, "ab", lambda n: (images[:n], labels[:n]), "a", "images")
    with pytest.raises(NothingToShow, match="an ensemble has no concepts; explain one of its"):
        shown_by(Concepts(), several)


def test_few_images_of_a_class_show_nothing(context):
    images, labels = context.sample(5)
    few = PictureContext(context.model, CLASSES, lambda n: (images[:n], labels[:n]), "a", "images")
    with pytest.raises(NothingToShow, match="needs 4 images that are predicted as one class"):
        shown_by(Concepts(), few)


def test_large_network_needs_a_number_of_images(context, monkeypatch):
    monkeypatch.setattr(concepts, "SECONDS", 0)
    with pytest.raises(NothingToShow, match=r"pictures\.concepts\.num_images sets their number"):
        shown_by(Concepts(), context)


def test_images_of_a_class_are_those_of_the_split_and_then_of_the_training(synthetic):
    torch.manual_seed(0)
    model = ImageClassifier(SmallCNN(4, 1), 4).eval()
    synthetic.setup("fit")
    splits = [range(len(synthetic.sources[split])) for split in ("val", "train")]
    images = synthetic.images("val", splits[0])
    with torch.no_grad():
        numbers = torch.tensor(splits[0])
        predictions = Predictions(model(images), torch.zeros_like(numbers), numbers)
        trained = model(synthetic.images("train", splits[1])).argmax(dim=1)
    target = int(predictions.predicted.mode().values)
    own = images[predictions.predicted == target]
    context = PictureContext(
        model, "abcd", synthetic.sample, "t", outputs=Outputs(predictions), data=synthetic
    )
    chosen = ClassImages(context)
    assert chosen.most_frequent()[0] == target
    shown, trained_on = chosen.of(target, 2)
    assert torch.equal(shown, own[[0, len(own) // 2]])
    assert trained_on == 0
    found, trained_on = chosen.of(target, 200)
    assert trained_on == len(found) - len(own)
    assert torch.equal(found[: len(own)], own)
    of_class = torch.from_numpy(synthetic.sources["train"].labels) == target
    assert len(found) == len(own) + int((of_class & (trained == target)).sum())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_concepts": 1}, r"pictures\.concepts\.num_concepts is 1; expected 2 or more"),
        ({"num_images": 3}, r"pictures\.concepts\.num_images is 3; expected 4 or more"),
        ({"crop": 0.0}, r"pictures\.concepts: crop is 0; expected more than 0"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Concepts(**settings)


def test_unknown_class_is_refused(context):
    with pytest.raises(ValueError, match=r"classes has 'dog'; expected names of classes: disc and"):
        shown_by(Concepts(classes=("dog",)), context)
