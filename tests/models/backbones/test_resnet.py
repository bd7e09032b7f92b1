import pytest
import torch
import torchvision
from torch import nn

from models import ResNet
from models.backbones.parameter_budget import count_parameters


def small(**options):
    torch.manual_seed(0)
    return ResNet(depths=(1, 1, 1, 1), **options)


def test_resnet50_has_the_outputs_of_torchvisions():
    torch.manual_seed(0)
    reference, backbone = torchvision.models.resnet50(num_classes=6), ResNet()
    images = torch.rand(2, 3, 64, 64)
    reference(images)  # so that the running statistics are not all 0 and 1
    state = reference.state_dict()
    head = nn.Linear(2048, 6)
    head.load_state_dict({name: state.pop(f"fc.{name}") for name in ("weight", "bias")})
    backbone.load_state_dict(state)
    logits = head(backbone.eval()(images))
    expected = reference.eval()(backbone.normalize(images))
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)


def test_resnet50_with_six_outputs_has_as_many_parameters_as_published():
    with torch.device("meta"):
        assert count_parameters(nn.Sequential(ResNet(), nn.Linear(2048, 6))) == 23_520_326


def test_without_norm_each_norm_is_replaced_by_a_bias():
    with torch.device("meta"):
        plain, normed = ResNet(norm="none"), ResNet()
    shifts = [p for name, p in normed.named_parameters() if name.endswith("bias")]
    biases = [p for name, p in plain.named_parameters() if name.endswith("bias")]
    assert [len(p) for p in biases] == [len(p) for p in shifts]
    assert count_parameters(plain) == count_parameters(normed) - sum(map(len, shifts))
    assert count_parameters(plain) + 2048 * 6 + 6 == 23_493_766
    assert not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in plain.modules())


def test_last_convolution_is_called_as_in_torchvision():
    with torch.device("meta"):
        names = [name for name, m in ResNet().named_modules() if isinstance(m, nn.Conv2d)]
    assert names[-1] == "layer4.2.conv3"


@pytest.mark.parametrize("depths", [(3, 4, 23, 3), (3, 8, 36, 3)])
def test_deeper_networks_have_as_many_parameters_as_torchvisions(depths):
    name = f"resnet{3 * sum(depths) + 2}"
    with torch.device("meta"):
        reference = torchvision.models.get_model(name)
        assert count_parameters(ResNet(depths)) + 2049 * 1000 == count_parameters(reference)


@pytest.mark.parametrize(
    ("width", "num_parameters"),
    [(8, 86_783_316), (16, 192_018_772), (32, 466_522_452), (48, 826_403_156)],
)
def test_resnext101_of_any_width_has_the_parameters_of_torchvisions(width, num_parameters):
    with torch.device("meta"):
        reference = torchvision.models.resnet.ResNet(
            torchvision.models.resnet.Bottleneck,
            [3, 4, 23, 3],
            num_classes=20,
            groups=32,
            width_per_group=width,
        )
        backbone = ResNet((3, 4, 23, 3), groups=32, group_width=width)
    assert count_parameters(reference) == num_parameters
    shapes = {n: p.shape for n, p in reference.named_parameters() if not n.startswith("fc")}
    assert {name: p.shape for name, p in backbone.named_parameters()} == shapes
    assert count_parameters(backbone) + 2049 * 20 == num_parameters


def test_groups_without_a_width_are_refused():
    with pytest.raises(ValueError, match="group_width of 1 or more, got 32 and 0"):
        ResNet(groups=32, group_width=0)


def test_stages_run_from_input_to_output():
    assert list(small().stages()) == ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"]
    assert list(small(norm="none").stages()) == ["conv1", "layer1", "layer2", "layer3", "layer4"]


def test_features_without_norm_neither_explode_nor_vanish():
    torch.manual_seed(0)
    features = ResNet(norm="none").eval()(torch.rand(2, 3, 64, 64))
    assert 0.01 < features.std() < 10


def test_without_norm_it_learns():
    torch.manual_seed(0)
    model = nn.Sequential(ResNet((1, 1), norm="none"), nn.Linear(512, 2))
    images, labels = torch.rand(8, 3, 32, 32), torch.tensor([0, 1] * 4)
    images[labels == 1, 0] *= 0.2
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(10):
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.3


def test_dropout_is_only_active_in_training():
    backbone, images = small(dropout=0.5, norm="none"), torch.rand(1, 3, 32, 32)
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=0.05)
    assert not backbone(images).equal(backbone(images))
    assert backbone.eval()(images).equal(backbone(images))


@pytest.mark.parametrize("depths", [(), (1, 0)])
def test_stage_without_blocks_is_refused(depths):
    with pytest.raises(ValueError, match="depths of one block or more per stage, got"):
        ResNet(depths)


def test_unknown_norm_is_refused():
    with pytest.raises(ValueError, match="norm to be batch or none, got 'layer'"):
        ResNet(norm="layer")


def test_dropout_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"Expected dropout in \[0, 1\), got 1\."):
        ResNet(dropout=1)
