import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool1d

from models.explain import maximise_activation
from models.explain.activation_maximisation import ascent
from models.explain.activation_maximisation.parametrisations import (
    FourierParametrisation,
    PixelParametrisation,
    resampling,
)

SHAPE = (1, 24, 24)  # of the input of `digits_cnn`
BLOCKS = ["block1", "block2", "block3"]


def relu_of(model, block):
    return model[0].blocks.get_submodule(f"{block}.relu")


def activations(model, layer, images):
    """Mean activation of each channel of a layer for images."""
    outputs = []
    handle = layer.register_forward_hook(lambda module, args, output: outputs.append(output))
    with torch.no_grad():
        model(images)
    handle.remove()
    return outputs[0].mean(dim=(2, 3))


def one_at_a_time(model, layer, channel, shape, steps):
    """S3's method as its author would write it: one image, the whole network, one filter."""
    outputs = []
    handle = layer.register_forward_hook(lambda module, args, output: outputs.append(output))
    generator = torch.Generator().manual_seed(0)
    image = (0.5 + 20 / 255 * (torch.rand(1, *shape, generator=generator) - 0.5)).requires_grad_()
    objective = []
    for _ in range(steps):
        model(image)
        loss = outputs.pop()[0, channel].mean()
        [gradient] = torch.autograd.grad(loss, image)
        with torch.no_grad():
            image += 0.1 * gradient / (gradient.square().mean().sqrt() + 1e-30)
        objective.append(loss.item())
    handle.remove()
    pixels = image.detach()[0]
    pixels = 0.5 + 0.35 * (pixels - pixels.mean()) / pixels.std(correction=0)
    return pixels.clamp(0, 1), torch.tensor(objective)


@pytest.mark.parametrize("block", BLOCKS)
def test_all_channels_at_once_give_the_same_as_one_at_a_time(digits_cnn, block):
    layer, channels = relu_of(digits_cnn, block), [1, 3, 6]
    result = maximise_activation(digits_cnn, layer, channels, SHAPE, "pixels", steps=8)
    for image, objective, channel in zip(result.images, result.objective, channels, strict=True):
        expected, losses = one_at_a_time(digits_cnn, layer, channel, SHAPE, steps=8)
        torch.testing.assert_close(objective, losses, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(image, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("block", BLOCKS)
def test_in_pixels_the_smoothed_objective_rises(digits_cnn, block):
    layer = relu_of(digits_cnn, block)
    result = maximise_activation(digits_cnn, layer, range(8), SHAPE, "pixels", steps=100)
    alive = result.objective[~result.dead]
    assert len(alive) >= 4
    assert (alive.mean(dim=0)[10:] > alive.mean(dim=0)[:-10]).all()
    smoothed = avg_pool1d(alive, 20, stride=1)
    assert (smoothed >= 0.95 * smoothed.cummax(dim=1).values).all()


@pytest.mark.parametrize("method", ["pixels", "fourier"])
@pytest.mark.parametrize("block", BLOCKS)
def test_images_activate_the_channels_more_than_random_ones(digits_cnn, block, method):
    layer = relu_of(digits_cnn, block)
    result = maximise_activation(digits_cnn, layer, range(8), SHAPE, method, steps=64)
    noise = torch.rand(200, *SHAPE, generator=torch.Generator().manual_seed(1))
    random = activations(digits_cnn, layer, noise)[:, :8].mean(dim=0)
    reached = activations(digits_cnn, layer, result.images)[:, :8].diagonal()
    ratio = (reached / random.clamp_min(1e-6))[~result.dead]
    print(f"{block}, {method}: {ratio.median():.1f} times, at least {ratio.min():.2f}")
    assert ratio.median() > {"block1": 1.3, "block2": 2, "block3": 2}[block]


@pytest.mark.parametrize("method", ["pixels", "fourier"])
def test_network_is_confident_of_the_maximised_classes(digits_cnn, method):
    result = maximise_activation(digits_cnn, None, range(10), SHAPE, method)
    with torch.no_grad():
        confidence = digits_cnn(result.images).softmax(dim=1).diagonal()
    assert confidence.mean() > 0.9
    assert (result.objective[:, -5:].mean(dim=1) > result.objective[:, :5].mean(dim=1)).all()


@pytest.fixture
def linear():
    """One filter with two weights, at one position: the objective is linear in two pixels."""
    model = nn.Sequential(nn.Conv2d(1, 1, 4, bias=False), nn.Flatten())
    weight = torch.zeros(1, 1, 4, 4)
    weight[0, 0, 0, 0], weight[0, 0, 1, 2] = 3, -4
    model[0].weight = nn.Parameter(weight)
    return model


def test_linear_filter_is_found_in_pixels(linear):
    """The gradient is the filter, of root mean square 5 / 4: each step adds 0.1 * 25 / 1.25."""
    result = maximise_activation(linear, linear[0], [0], (1, 4, 4), "pixels", steps=6)
    torch.testing.assert_close(result.objective.diff(dim=1), torch.full((1, 5), 2.0))
    long = maximise_activation(linear, linear[0], [0], (1, 4, 4), "pixels", steps=500)
    expected = linear[0].weight.detach() + 1 / 16  # of mean zero
    expected = (0.5 + 0.35 * expected / expected.std(correction=0)).clamp(0, 1)
    torch.testing.assert_close(long.images, expected, rtol=0, atol=1e-2)


def test_linear_filter_is_found_in_frequencies(linear):
    result = maximise_activation(linear, linear[0], [0], (1, 4, 4), steps=100)
    assert result.images[0, 0, 0, 0] > 0.99
    assert result.images[0, 0, 1, 2] < 0.01


@pytest.fixture
def half_dead():
    """Of four filters one has no weights, one a very negative bias, and one a negative bias."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten())
    with torch.no_grad():
        weight, bias = model[0].weight, model[0].bias
        weight.copy_(weight.abs())
        weight[0], bias[0] = 0, -1
        bias[1] = -1e4
        bias[2] = -0.8 * weight[2].sum()  # bright images activate it
        bias[3] = 0
    return model


def test_filter_that_is_never_activated_is_dead(half_dead):
    in_pixels = maximise_activation(half_dead, half_dead[1], range(4), (1, 8, 8), "pixels")
    assert in_pixels.dead.tolist() == [True, True, True, False]
    assert not in_pixels.objective[:3].any()
    revived = maximise_activation(half_dead, half_dead[1], range(4), (1, 8, 8), "fourier")
    assert revived.dead.tolist() == [True, True, False, False]


def test_without_relu_only_a_filter_without_weights_is_dead(half_dead):
    for method in ("pixels", "fourier"):
        result = maximise_activation(half_dead, half_dead[0], range(4), (1, 8, 8), method)
        assert result.dead.tolist() == [True, False, False, False]


@pytest.mark.parametrize("method", ["pixels", "fourier"])
def test_result_does_not_depend_on_the_other_channels(digits_cnn, method, monkeypatch):
    layer = relu_of(digits_cnn, "block2")
    [alone], *_ = maximise_activation(digits_cnn, layer, [5], SHAPE, method, steps=5)
    together = maximise_activation(digits_cnn, layer, range(16), SHAPE, method, steps=5)
    torch.testing.assert_close(together.images[5], alone, rtol=0, atol=1e-3)
    monkeypatch.setitem(ascent.MAX_BYTES, "cpu", 200_000)
    in_parts = maximise_activation(digits_cnn, layer, range(16), SHAPE, method, steps=5)
    torch.testing.assert_close(in_parts.images, together.images, rtol=0, atol=1e-3)
    torch.testing.assert_close(in_parts.objective, together.objective, rtol=1e-4, atol=1e-5)


def test_batches_are_as_large_as_memory_allows(digits_cnn, monkeypatch):
    sizes = []
    handle = digits_cnn[0].register_forward_pre_hook(lambda m, args: sizes.append(len(args[0])))
    monkeypatch.setitem(ascent.MAX_BYTES, "cpu", 350_000)  # and an image takes 69,120
    maximise_activation(digits_cnn, relu_of(digits_cnn, "block2"), range(16), SHAPE, steps=1)
    handle.remove()
    assert sizes == [1, 5, 5, 5, 1]  # the first one to record the calls


@pytest.mark.parametrize("method", ["pixels", "fourier"])
def test_same_seed_gives_the_same_images(digits_cnn, method):
    def images(seed):
        return maximise_activation(digits_cnn, None, [4], SHAPE, method, 3, seed).images

    assert images(0).equal(images(0))
    assert not images(0).equal(images(1))


@pytest.mark.parametrize("method", ["pixels", "fourier"])
def test_images_are_in_range_and_have_the_given_shape(method):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(inplace=True), nn.Flatten())
    result = maximise_activation(model, model[0], [0, 1], (3, 9, 14), method, steps=30)
    assert result.images.shape == (2, 3, 9, 14)
    assert result.objective.shape == (2, 30)
    assert result.dead.shape == (2,)
    assert result.images.min() >= 0
    assert result.images.max() <= 1
    assert not result.images.requires_grad


@pytest.mark.parametrize("method", ["pixels", "fourier"])
def test_frozen_network_in_inference_mode_is_not_changed(digits_cnn, method):
    layer = relu_of(digits_cnn, "block2")
    free = maximise_activation(digits_cnn, layer, [0, 1], SHAPE, method, steps=3)
    before = {name: value.clone() for name, value in digits_cnn.state_dict().items()}
    modes, state = [m.training for m in digits_cnn.modules()], torch.get_rng_state()
    digits_cnn.requires_grad_(False)
    with torch.inference_mode():
        frozen = maximise_activation(digits_cnn, layer, [0, 1], SHAPE, method, steps=3)
    digits_cnn.requires_grad_(True)
    assert frozen.images.equal(free.images)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in digits_cnn.modules())
    assert all(parameter.grad is None for parameter in digits_cnn.parameters())
    assert all(value.equal(before[name]) for name, value in digits_cnn.state_dict().items())
    assert [m.training for m in digits_cnn.modules()] == modes
    assert torch.get_rng_state().equal(state)


def test_hooks_are_removed_after_an_error(digits_cnn):
    with pytest.raises(ValueError, match="built for images of 24 x 24"):
        maximise_activation(digits_cnn, relu_of(digits_cnn, "block1"), [0], (1, 32, 32))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in digits_cnn.modules())


@pytest.mark.parametrize(("channels", "got"), [([0, 8], "8"), ([-1], "-1"), ([], "none")])
def test_channels_that_the_layer_lacks_are_refused(digits_cnn, channels, got):
    layer = relu_of(digits_cnn, "block1")
    with pytest.raises(ValueError, match=rf"channels in \[0, 8\).* got {got}\."):
        maximise_activation(digits_cnn, layer, channels, SHAPE)


def test_ascent_without_steps_is_refused(digits_cnn):
    with pytest.raises(ValueError, match="steps to be 1 or more, got 0"):
        maximise_activation(digits_cnn, None, [0], SHAPE, steps=0)


def test_all_images_start_from_the_same_grey_noise():
    parametrisation = PixelParametrisation(3, (1, 16, 16), 0, torch.device("cpu"))
    assert parametrisation.current_images()[0].equal(parametrisation.current_images()[2])
    assert parametrisation.current_images().min() > 0.46
    assert parametrisation.current_images().max() < 0.54
    fourier = FourierParametrisation(3, (3, 16, 16), 0, torch.device("cpu")).final_images()
    assert fourier[0].equal(fourier[2])
    assert fourier.sub(0.5).abs().max() < 0.1


def test_frequencies_are_scaled_by_their_inverse():
    parametrisation = FourierParametrisation(1, (1, 8, 8), 0, torch.device("cpu"))
    scale = parametrisation.scale[..., 0] / parametrisation.scale[0, 1, 0]
    torch.testing.assert_close(scale[0], torch.tensor([1, 1, 1 / 2, 1 / 3, 1 / 4]))
    torch.testing.assert_close(scale[6, 0], torch.tensor(1 / 2))  # a frequency of minus two


def test_resampling_shifts_and_scales():
    line = torch.arange(6.0)
    torch.testing.assert_close(resampling(6, 1, 0) @ line, line)
    torch.testing.assert_close(resampling(6, 1, 2) @ line, line.roll(-2))
    torch.testing.assert_close(resampling(6, 1, 0.5) @ line, (line + line.roll(-1)) / 2)
    torch.testing.assert_close(
        resampling(5, 2, 0) @ torch.arange(5.0), torch.tensor([1, 1.5, 2, 2.5, 3])
    )


@pytest.mark.parametrize("block", ["block3", None])
def test_in_bfloat16_images_reach_the_same_activations(digits_cnn, block):
    layer = digits_cnn if block is None else relu_of(digits_cnn, block)

    def reached():
        images, objective, dead = maximise_activation(digits_cnn, layer, range(8), SHAPE, steps=32)
        assert images.dtype == torch.float32
        with torch.autocast("cpu", enabled=False):
            outputs = layer(images) if block is None else activations(digits_cnn, layer, images)
        return outputs[:, :8].diagonal().detach(), objective[:, -1].float(), dead

    found, said, dead = reached()
    with torch.autocast("cpu", torch.bfloat16):
        found16, said16, dead16 = reached()
    assert dead.equal(dead16)
    alive = ~dead
    # Single ascents end elsewhere, since a rounding decides which maximum a pooling passes on.
    torch.testing.assert_close(found16[alive], found[alive], rtol=0.25, atol=0.05)
    torch.testing.assert_close(found16.sum(), found.sum(), rtol=0.06, atol=0)
    torch.testing.assert_close(said16.sum(), said.sum(), rtol=0.06, atol=0)
