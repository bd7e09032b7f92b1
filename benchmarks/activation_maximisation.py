"""Speed of activation maximisation of all filters of a layer at once, relative to one by one.

    uv run python benchmarks/activation_maximisation.py

The network of the published system S3, untrained, on grey images of 48 x 48 pixels; 64 filters of
each of its three convolutions, measured after their ReLU. This project maximises all 64 at once
and stops the forward pass at the layer. The reference follows the code of S3: filter by filter,
each step takes one image through the whole network, and the gradient of the mean of the filter's
feature map is added to the image. First the images and objectives of both are checked to be equal.
Then the two alternate on one thread, and a third: this project under autocast to bfloat16, as in a
fit in `bf16-mixed`, whose final activations are checked to agree. Times are CPU times of one step
for all 64 filters: medians over rounds. Ratios are medians of the ratios within a round. Aims for
the three layers in total: 5, and 8 in bfloat16 on a CPU that has instructions for it.

One by one, a step takes 1,089 million multiplications for the three layers, at once 255: a ratio of
4.3. What is more comes from batches, what is less from memory.
"""

import time
from collections.abc import Callable
from statistics import median

import torch
from results import options_of, publish
from torch import Tensor, nn

from models import Head, PlainCNN
from models.explain import maximise_activation
from models.explain.activation_maximisation import Maximised
from models.explain.activation_maximisation.parametrisations import CONTRAST, NOISE, STEP

QUICK = ["--rounds", "2"]
ROUNDS, NUM_FILTERS, SIZE = 5, 64, 48
PRECISIONS = ("float32", "bfloat16")
AGREE = 0.02  # relative difference of the activations that both precisions reach
# Bytes: once such a block was freed, glibc keeps memory, as in a process that has trained.
KEPT = 31 * 2**20
LAYERS = ("block1", "block2", "block3")
TOTAL = "total"
# Steps per measurement, enough for the resolution of the clock. In practice there are 500. The
# forward pass that finds the layer before the first step counts as part of these few.
STEPS_AT_ONCE = {"block1": 40, "block2": 4, "block3": 4}
STEPS_ONE_BY_ONE = 1


def make_network() -> nn.Sequential:
    """The network of S3, untrained and in eval mode."""
    torch.manual_seed(0)
    backbone = PlainCNN(num_channels=1, image_size=SIZE)
    return nn.Sequential(backbone, Head(backbone.num_features, 7)).eval()


def all_at_once(model: nn.Module, layer: str, steps: int, precision: str = "float32") -> Maximised:
    """Activation maximisation by this project."""
    relu, shape = model.get_submodule(f"0.blocks.{layer}.relu"), (1, SIZE, SIZE)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        return maximise_activation(model, relu, range(NUM_FILTERS), shape, "pixels", steps)


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
        unequal = ((fast.images - slow.images).abs() > 1e-3).float().mean()
        assert unequal < 0.01, f"{unequal:.1%} of the pixels differ"
        assert fast.dead.equal(slow.dead)
        short = all_at_once(model, layer, steps, "bfloat16").objective.float()
        torch.testing.assert_close(short.mean(), fast.objective.mean(), rtol=AGREE, atol=0)


Times = dict[tuple[str, str], list[tuple[float, float]]]


def measure(rounds: int) -> Times:
    """CPU seconds of a step for 64 filters, one by one and at once, per layer, precision, round."""
    model = make_network()
    check_equal_results(model)
    torch.empty(KEPT, dtype=torch.uint8)
    times: Times = {(layer, p): [] for p in PRECISIONS for layer in LAYERS}
    for _ in range(rounds):
        for layer in LAYERS:
            slow = _cpu_seconds(lambda layer=layer: one_by_one(model, layer, STEPS_ONE_BY_ONE))
            for p in PRECISIONS:
                steps = STEPS_AT_ONCE[layer]
                fast = _cpu_seconds(lambda a=(layer, steps, p): all_at_once(model, *a))
                times[layer, p].append((slow / STEPS_ONE_BY_ONE, fast / steps))
    for p in PRECISIONS:
        by_round = zip(*(times[layer, p] for layer in LAYERS), strict=True)
        times[TOTAL, p] = [(sum(s for s, _ in row), sum(f for _, f in row)) for row in by_round]
    return times


def _cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Publish a row per layer and precision, and the totals."""
    parser = options_of(__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for (name, precision), times in measure(options.rounds).items():
        slow, fast = (1e3 * median(column) for column in zip(*times, strict=True))
        low, middle, high = (f(s / fa for s, fa in times) for f in (min, median, max))
        columns = {"one by one ms": slow, "all at once ms": fast, "ratio": middle}
        rows.append(
            {"layer": name, "precision": precision, **columns, "range": f"{low:.1f} to {high:.1f}"}
        )
    publish("activation_maximisation", rows, options.out)


if __name__ == "__main__":
    main()
