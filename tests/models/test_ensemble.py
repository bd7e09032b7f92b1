import pytest
import torch

from models import Ensemble, ImageClassifier, Member, NoHead, SmallCNN
from models.ensemble import networks_of


@pytest.fixture
def images():
    return torch.rand(5, 1, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def make_member():
    def make(seed, **options):
        torch.manual_seed(seed)
        member = Member(SmallCNN(4, 1), 3, **options).eval()
        for parameter in member.head.parameters():  # else all probabilities are near a third
            parameter.data.mul_(20)
        return member

    return make


def as_classifier(*members):
    return ImageClassifier(Ensemble(list(members)), members[0].num_classes, head=NoHead).eval()


def test_probabilities_are_the_mean_of_the_members_at_their_temperatures(make_member, images):
    first, second = make_member(0, temperature=2.0), make_member(1)
    expected = (first(images) / 2).softmax(1) / 2 + second(images).softmax(1) / 2
    found = as_classifier(first, second)(images).softmax(1)
    assert torch.allclose(found, expected, atol=1e-6)
    assert (first(images).argmax(1) != second(images).argmax(1)).any()


def test_classes_in_another_order_are_mapped(make_member, images):
    plain, turned = make_member(0), make_member(0, order=(2, 0, 1))
    assert torch.equal(turned(images), plain(images)[:, [2, 0, 1]])


def test_views_are_averaged_as_probabilities(make_member, images):
    classifier = as_classifier(make_member(0), make_member(1))
    views = torch.stack([images, images.flip(3)], dim=1)
    found = classifier.predict_step([views], 0)["logits"].softmax(1)
    expected = (classifier(images).softmax(1) + classifier(images.flip(3)).softmax(1)) / 2
    assert torch.allclose(found, expected, atol=1e-6)


def test_every_parameter_is_in_the_stage_of_its_member(make_member):
    ensemble = Ensemble([make_member(0), make_member(1)])
    stages = ensemble.stages()
    assert list(stages) == ["member0", "member1"]
    names = [name for own in stages.values() for name in own]
    assert names == [name for name, _ in ensemble.named_parameters()]


def test_networks_of_a_single_network_are_itself(make_member):
    member = make_member(0)
    assert networks_of(member) == [member]
    assert networks_of(as_classifier(member, member)) == [member, member]


def test_an_ensemble_needs_a_network_and_its_head_equal_sizes():
    with pytest.raises(ValueError, match="An ensemble needs one network or more"):
        Ensemble([])
    with pytest.raises(ValueError, match="Expected 3 features, one per class, got 2"):
        NoHead(2, 3)
