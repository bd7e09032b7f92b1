"""Speed of activation maximisation of all filters of a layer at once, relative to one by one.

    uv run python benchmarks/activation_maximisation.py

The network of the published system S3, untrained, on grey images of 48 x 48 pixels; 64 filters of
each of its three convolutions, measured after their ReLU. This project maximises all 64 at once
and stops the forward pass at the layer. The reference follows the code of S3: filter by filter,
each step takes one image through the whole network, and the gradient of the mean of the filter's
feature map is added to the image. First the images and objectives of both are checked to be equal.
Then the two alternate on one thread. Times are CPU times of one step for all 64 filters: medians
over rounds. Ratios are medians of the ratios within a round. Targets: 3 for the three layers in
total, 150 for the first alone.
"""

import time
from statistics import median

import torch
from results import options_of, publish
from torch import Tensor, nn

from models import Head, PlainCNN
from models.explain import maximise_activation
from models.explain.activation_maximisation import Maximised
from models.explain.activation_maximisation.parametrisations import CONTRAST, NOISE, STEP

LEFT_OUT = "has its rows in pictures.py"
ROUNDS, NUM_FILTERS, SIZE = 5, 64, 48
LAYERS = ("block1", "block2", "block3")
TOTAL = "total"
# Steps per measurement, enough for the resolution of the clock. In practice there are 500. The
# forward pass that finds the layer before the first step counts as part of these few.
STEPS_AT_ONCE = {"block1": 40, "block2": 4, "block3": 4}
STEPS_ONE_BY_ONE = 2


def make_network() -> nn.Sequential:
    """The network of S3, untrained and in eval mode."""
    torch.manual_seed(0)
    backbone = PlainCNN(num_channels=1, image_size=SIZE)
    return nn.Sequential(backbone, Head(backbone.num_features, 7)).eval()


def all_at_once(model: nn.Module, layer: str, steps: int) -> Maximised:
    """Activation maximisation by this project."""
    relu = model.get_submodule(f"0.blocks.{layer}.relu")
    return maximise_activation(model, relu, range(NUM_FILTERS), (1, SIZE, SIZE), "pixels", steps)


def one_by_one(model: nn.Module, layer: str, steps: int) -> Maximised:
    """Activation maximisation filter by filter, as in S3."""
    outputs: list[Tensor] = []
    relu = model.get_submodule(f"0.blocks.{layer}.relu")
    handle = relu.register_forward_hook(lambda *call: outputs.append(call[-1]))
    images, objectives = [], []
    for channel in range(NUM_FILTERS):
        generator = torch.Generator().manual_seed(0)
        noise = torch.rand(1, 1, SIZE, SIZE, generator=generator)
        image = (0.5 + NOISE * (noise - 0.5)).requires_grad_()
        objective = []
        for _ in range(steps):
            model(image)
            loss = outputs.pop()[0, channel].mean()
            [gradient] = torch.autograd.grad(loss, image)
            with torch.no_grad():
                image += STEP * gradient / (gradient.square().mean().sqrt() + 1e-30)
            objective.append(loss.detach())
        pixels = image.detach() - image.detach().mean()
        images.append((0.5 + CONTRAST * pixels / pixels.std(correction=0)).clamp(0, 1))
        objectives.append(torch.stack(objective))
    handle.remove()
    objective = torch.stack(objectives)
    return Maximised(torch.cat(images), objective, (objective == 0).all(dim=1))


def check_equal_results(model: nn.Module, steps: int = 2) -> None:
    """Check that both implementations compute the same.

    The number of steps is small, since the results diverge later: a rounding error changes which
    side of zero a ReLU's input is on, or which pixel max pooling selects.

    Raises:
        AssertionError: If images, objectives or dead filters differ.
    """
    for layer in LAYERS:
        fast, slow = all_at_once(model, layer, steps), one_by_one(model, layer, steps)
        torch.testing.assert_close(fast.objective, slow.objective, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(fast.images, slow.images, rtol=0, atol=1e-3)
        assert fast.dead.equal(slow.dead)


def measure(rounds: int = ROUNDS) -> dict[str, list[tuple[float, float]]]:
    """CPU seconds of a step for 64 filters, one by one and at once, per layer and round."""
    model = make_network()
    check_equal_results(model)
    times: dict[str, list[tuple[float, float]]] = {layer: [] for layer in LAYERS}
    for _ in range(rounds):
        for layer in LAYERS:
            started = time.process_time()
            one_by_one(model, layer, STEPS_ONE_BY_ONE)
            between = time.process_time()
            all_at_once(model, layer, STEPS_AT_ONCE[layer])
            ended = time.process_time()
            slow = (between - started) / STEPS_ONE_BY_ONE
            fast = (ended - between) / STEPS_AT_ONCE[layer]
            times[layer].append((slow, fast))
    by_round = zip(*times.values(), strict=True)
    times[TOTAL] = [(sum(s for s, _ in row), sum(f for _, f in row)) for row in by_round]
    return times


def ratios(times: dict[str, list[tuple[float, float]]]) -> dict[str, float]:
    """How many times longer one by one takes, per layer and in total."""
    return {name: median(slow / fast for slow, fast in rows) for name, rows in times.items()}


def main() -> None:
    """Publish a row per layer, and the total."""
    options = options_of(__doc__).parse_args()
    torch.set_num_threads(1)
    times, rows = measure(), []
    for name, ratio in ratios(times).items():
        slow, fast = (1e3 * median(column) for column in zip(*times[name], strict=True))
        low, *_, high = sorted(s / f for s, f in times[name])
        columns = {"one by one ms": slow, "all at once ms": fast, "ratio": ratio}
        rows.append({"layer": name, **columns, "range": f"{low:.1f} to {high:.1f}"})
    publish("activation_maximisation", rows, options.out)


if __name__ == "__main__":
    main()
