"""The smallest versions of pictures, which a small budget leaves: their work, and what they say."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from callbacks.inspection_mode import inspection_mode
from callbacks.output_recorder import Outputs
from callbacks.pictures import (
    ActivationMaximisation,
    ClassActivation,
    Concepts,
    LabelSuspects,
    Mistakes,
    PictureContext,
    Saliency,
    SanityChecks,
    Shortcuts,
)
from callbacks.pictures.allowance import Allowance
from callbacks.pictures.half_size import half_sized
from models import ImageClassifier, SmallCNN
from models.evaluation.predictions import Predictions
from models.explain import NothingToShow
from models.explain.work import counted_operations

SIDE, NAMES = 128, ("a", "b")


@pytest.fixture(scope="module")
def context():
    """A network whose passes are what its pictures cost, and images of two classes."""
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(3, 8, 5, stride=4), nn.ReLU(), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(16, 16, 3, padding=1), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2)),
    ).eval()
    images = torch.rand(24, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(24) % 2
    return PictureContext(model, NAMES, lambda n: (images[:n], labels[:n]), "epoch 3", "images")


def drawn(picture, context):
    """Titles of the figures, and the passes that drawing took."""
    with torch.no_grad(), counted_operations() as one:
        context.model(context.sample(1)[0])
    titles = []
    with inspection_mode(context.model), counted_operations() as counter:
        try:
            for _, content in picture.draw(context):
                if isinstance(content, Figure):
                    titles.append(" ".join((content.get_suptitle() or _text(content)).split()))
        except NothingToShow as reason:
            titles.append(str(reason))
    return titles, counter.operations / one.operations


def _text(figure):
    return figure.texts[0].get_text()


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (ClassActivation(), "Grad-CAM, epoch 3: 2 of 12 images (limit: the budget)"),
        (
            Saliency(),
            "of 6 images (limit: the budget) SmoothGrad of 4 samples, to keep to the budget",
        ),
        (
            Saliency(methods=("integrated_gradients",)),
            "integrated gradients of 4 steps, to keep to the budget",
        ),
        (
            SanityChecks(),
            "1 of 16 images, 2 of 10 steps (limit: the budget) Too few images for a verdict: 6",
        ),
        (
            ActivationMaximisation(method="pixels"),
            "of 64 steps (limit: the budget, so at 64 x 64 pixels)",
        ),
        (
            Shortcuts(),
            "2 of 256 images (limit: the budget); too few to judge, for which 8 are needed",
        ),
    ],
)
def test_smallest_version_takes_what_it_announces_and_says_what_it_is(context, picture, said):
    limited = replace(context, allowance=Allowance(picture.fewest_passes))
    titles, passes = drawn(picture, limited)
    assert said in titles[0]
    assert picture.fewest_passes / 2 < passes < 1.3 * picture.fewest_passes
    assert limited.allowance.exhausted


def test_concepts_of_a_small_budget_are_those_of_one_class_in_smaller_crops(context):
    with torch.no_grad():
        predicted = context.model(context.sample(24)[0]).argmax(dim=1)
    picture = Concepts(num_concepts=2)
    logits = torch.nn.functional.one_hot(predicted, 2).float()
    data = SimpleNamespace(
        images=lambda split, indices: context.sample(24)[0][indices],
        sources={"train": SimpleNamespace(labels=predicted.numpy()[:0])},
    )
    outputs = Outputs(Predictions(logits, predicted, torch.arange(24)))
    limited = replace(
        context, outputs=outputs, data=data, allowance=Allowance(picture.fewest_passes)
    )
    [title], passes = drawn(picture, limited)
    assert ": 4 images that are predicted as it (limit: the budget) Layer" in title
    assert ", crops at 50% of the size of the image; the concepts" in title
    assert passes < 1.3 * picture.fewest_passes


def test_more_budget_gives_more_images_before_more_samples(context):
    [title], _ = drawn(Saliency(), replace(context, allowance=Allowance(3 * 55)))
    assert title == "Saliency for the predicted class, epoch 3: 3 of 6 images (limit: the budget)"
    [title], _ = drawn(Saliency(), replace(context, allowance=Allowance(5 + 20)))
    assert title.endswith(" SmoothGrad of 10 samples, to keep to the budget")


def test_sanity_checks_take_fewer_steps_before_they_have_too_few_images_for_a_verdict(context):
    each = SanityChecks()._passes(10, 6)
    [title], passes = drawn(SanityChecks(), replace(context, allowance=Allowance(5.5 * each)))
    assert "epoch 3: 6 of 16 images, 8 of 10 steps (limit: the budget)" in title
    assert passes < 5.7 * each
    [title], _ = drawn(SanityChecks(), replace(context, allowance=Allowance(2.5 * each)))
    assert "epoch 3: 2 of 16 images (limit: the budget) Too few" in title  # half the steps, too


def test_images_of_half_the_size_are_those_that_the_network_takes(context):
    images, labels = context.sample(2)
    smaller, kept = half_sized(context).sample(2)
    assert torch.allclose(smaller[:, :, 1, 2], images[:, :, 2:4, 4:6].mean(dim=(2, 3)))
    assert kept.equal(labels)
    fixed = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 2))
    assert half_sized(replace(context, model=fixed)) is None
    tiny = replace(context, sample=lambda n: (torch.rand(n, 3, 100, 100), labels))
    assert half_sized(tiny) is None  # nothing could be seen in 50 pixels


@pytest.fixture
def validated(synthetic):
    torch.manual_seed(0)
    synthetic.setup("fit")
    model = ImageClassifier(SmallCNN(4, 1), 4).eval()
    numbers = torch.arange(len(synthetic.sources["val"]))
    labels = torch.from_numpy(synthetic.sources["val"].labels)
    with torch.no_grad():
        logits = model(synthetic.images("val", range(len(numbers))))
    outputs = Outputs(Predictions(logits, labels, numbers))
    names = synthetic.class_names
    return PictureContext(
        model, names, synthetic.sample, "epoch 3", outputs=outputs, data=synthetic
    )


def test_mistakes_have_no_heat_maps_if_they_exceed_the_budget(validated):
    titles, passes = drawn(Mistakes(), replace(validated, allowance=Allowance(2)))
    assert all(title.endswith(" without heat maps, to keep to the budget") for title in titles)
    assert passes == 0
    titles, passes = drawn(Mistakes(), replace(validated, allowance=Allowance(100)))
    assert not any("heat maps" in title for title in titles)
    assert passes > 5


def test_training_images_are_no_suspects_if_they_exceed_the_budget(validated):
    [title], passes = drawn(LabelSuspects(), replace(validated, allowance=Allowance(2)))
    said = "Likely label errors, epoch 3 (no training images, to keep to the budget): "
    assert title.startswith(said)
    assert passes == 0
    [title], passes = drawn(LabelSuspects(), validated)
    assert "to keep to the budget" not in title
    assert passes > 5


def test_a_picture_of_all_images_that_exist_is_not_a_smaller_one(validated):
    number = len(validated.data.sources["val"])
    assert validated.available(5) == 5
    assert validated.available(256) == number < 256
    limited = replace(validated, allowance=Allowance(17 * number))
    [title], _ = drawn(Shortcuts(), limited)
    assert title.startswith(f"What the network needs, epoch 3: {number} images")
    assert not limited.allowance.exhausted
