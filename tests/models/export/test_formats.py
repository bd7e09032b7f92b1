"""Exported files of a few families; benchmarks/export_families.py has all of them."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from models import MLP, ImageClassifier, SmallCNN, TimmBackbone
from models.evaluation.uncertainty import fit_uncertainty
from models.export.description import Description
from models.export.exported_network import ExportedNetwork, random_images
from models.export.int8 import quantize
from models.export.onnx_file import OnnxNetwork, write_onnx
from models.export.torch_program import TorchProgram, write_program
from models.export.trace import trace
from models.export.weights_file import WeightsNetwork, write_weights

NETWORKS = {  # backbone, channels, size, and whether it takes other sizes if it may
    "small_cnn": (lambda: SmallCNN(4, 1), 1, 32, True),
    "mlp": (lambda: MLP((8, 4), 0.1, num_channels=1, image_size=16), 1, 16, False),
    "vit": (lambda: TimmBackbone("test_vit", image_size=96), 3, 96, True),
}
TEMPERATURE = 0.5


@pytest.fixture(scope="module", params=NETWORKS)
def exported(request, tmp_path_factory):
    """The network in eval mode, its ONNX and .pt2 files as functions, and its description."""
    make, channels, size, any_size = NETWORKS[request.param]
    torch.manual_seed(0)
    model = ImageClassifier(make(), 5).eval()
    torch.nn.init.normal_(list(model.head.parameters())[-2], std=0.5)  # no equal probabilities
    network = ExportedNetwork(model, TEMPERATURE)
    traced = trace(network, random_images((2, channels, size, size)), any_size=True)
    folder, names = tmp_path_factory.mktemp("exported"), tuple("abcde")
    description = Description(names, size, channels, any_size=traced.any_size)
    write_onnx(traced, description, folder / "a.onnx")
    write_program(traced, description, folder / "a.pt2")
    assert traced.any_size == any_size
    runs = [OnnxNetwork(folder / "a.onnx"), TorchProgram(folder / "a.pt2")]
    return model, runs, description, folder


def expected(model, images):
    """Probabilities of the classifier itself, which takes images in [0, 1]."""
    with torch.inference_mode():
        return (model(torch.from_numpy(images).float() / 255) / TEMPERATURE).softmax(1).numpy()


def test_files_give_the_probabilities_of_the_network_for_any_number_of_images(exported):
    model, runs, description, _ = exported
    size, channels = description.image_size, description.num_channels
    shapes = [(number, channels, size, size) for number in (1, 2, 5)]
    shapes += [(3, channels, 64, 80)] * description.any_size
    for shape in shapes:
        images = random_images(shape, seed=1).numpy()
        for run in runs:
            np.testing.assert_allclose(run(images), expected(model, images), atol=1e-5)


def test_files_know_their_description_and_name_inputs_and_outputs(exported):
    _, runs, description, folder = exported
    assert [run.description for run in runs] == [description, description]
    graph = onnx.load(folder / "a.onnx").graph
    assert [each.name for each in graph.input] == ["images"]
    assert [each.name for each in graph.output] == ["probabilities", "logits"]
    axes = [dim.dim_param or dim.dim_value for dim in graph.input[0].type.tensor_type.shape.dim]
    size = ["height", "width"] if description.any_size else 2 * [description.image_size]
    assert axes == ["batch", description.num_channels, *size]


def test_a_graph_of_floats_takes_the_same_values_and_by_default_one_size(tmp_path):
    network = ExportedNetwork(ImageClassifier(SmallCNN(4, 1), 3).eval())
    images = random_images((2, 1, 32, 32))
    assert trace(network, images)[1:] == (False, 32)
    description = Description(tuple("abc"), 32, 1, input_type="float32")
    write_program(trace(network, images.float()), description, tmp_path / "a.pt2")
    found = TorchProgram(tmp_path / "a.pt2")(images.numpy())
    np.testing.assert_allclose(found, network(images)[0].detach().numpy(), atol=1e-6)


def test_weights_are_those_of_the_network_by_their_names(tmp_path):
    model = ImageClassifier(SmallCNN(4, 1), 3, channels_last=True).eval()
    network, file = ExportedNetwork(model), tmp_path / "a.safetensors"
    write_weights(network, Description(tuple("abc"), 32, 1), file)
    images = random_images((2, 1, 32, 32)).numpy()
    read = WeightsNetwork(file, network)
    before = read(images)
    assert read.description.class_names == ("a", "b", "c")
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    assert (read(images) == before).all()  # those of the file, not of the network
    assert (network(torch.from_numpy(images))[0].detach().numpy() != before).any()
    other = ExportedNetwork(ImageClassifier(MLP((4,), 0.1, num_channels=1, image_size=32), 3))
    with pytest.raises(ValueError, match="does not have the weights of this network"):
        WeightsNetwork(file, other)


def test_a_network_that_cannot_be_traced_is_refused():
    class Branching(torch.nn.Module):
        def forward(self, images):
            return images.flatten(1) if images.sum() > 7 else images.flatten(1) * 2

    with pytest.raises(ValueError, match=r"torch\.export cannot trace the network: "):
        trace(ExportedNetwork(Branching()), random_images((2, 1, 4, 4)))


def test_random_images_are_noise_and_smooth_in_turns_and_repeat():
    images = random_images((4, 1, 64, 64)).float()
    rough = images.diff(dim=3).abs().mean(dim=(1, 2, 3))
    assert (rough[0::2] > 60).all()
    assert (rough[1::2] < 15).all()
    assert images.equal(random_images((4, 1, 64, 64)).float())


@pytest.fixture(scope="module")
def doubtful(tmp_path_factory):
    """A network that has thresholds, its ONNX and .pt2 files, and images."""
    torch.manual_seed(1)
    model = ImageClassifier(SmallCNN(4, 1), 5).eval()
    torch.nn.init.normal_(list(model.head.parameters())[-2], std=3)
    images = random_images((60, 1, 16, 16), seed=2)
    with torch.inference_mode():
        features, logits = model.features_and_logits(images / 255)
    labels = logits.argsort(1, descending=True)[torch.arange(60), torch.arange(60) % 3]
    model.uncertainty = fit_uncertainty(logits, labels, features)
    network = ExportedNetwork(model, TEMPERATURE, model.uncertainty)
    traced, folder = trace(network, images[:2]), tmp_path_factory.mktemp("doubtful")
    write_onnx(traced, Description(tuple("abcde"), 16, 1), folder / "a.onnx")
    return model, traced.program.module(), folder / "a.onnx", images


def test_files_give_the_sets_and_the_unknown_images_of_the_network(doubtful):
    model, program, file, images = doubtful
    with torch.inference_mode():
        features, logits = model.features_and_logits(images / 255)
        members = model.uncertainty.sets.sets(logits)
        neighbours = model.uncertainty.neighbours
        unknown = neighbours.similarity(features) < neighbours.threshold
    assert 1 < members.sum(1).double().mean() < 5
    session = onnxruntime.InferenceSession(file)
    # Calibration images lie at the thresholds themselves, where rounding decides.
    for found in (session.run(None, {"images": images.numpy()}), program(images)):
        assert (np.asarray(found[2]) != members.numpy()).mean() < 0.02
        assert (np.asarray(found[3]) != unknown.numpy()).sum() <= 1


def test_int8_does_not_quantise_the_comparison_with_known_images(doubtful, tmp_path):
    _, _, file, images = doubtful
    description = Description(tuple("abcde"), 16, 1)
    quantize(file, [images.numpy()], tmp_path / "b.onnx", description)
    expected, found = (
        onnxruntime.InferenceSession(each).run(["unknown"], {"images": images.numpy()})[0]
        for each in (file, tmp_path / "b.onnx")
    )
    assert (expected != found).mean() < 0.1
    products = [n for n in onnx.load(tmp_path / "b.onnx").graph.node if n.op_type == "MatMul"]
    assert [any("Dequantize" in name for name in n.input) for n in products] == [False]
