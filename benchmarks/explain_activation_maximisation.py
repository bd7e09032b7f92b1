"""What does it save to excite all filters of a layer at once, and to stop the network there?

    uv run python benchmarks/explain_activation_maximisation.py

S3's network, untrained, on grey images of 48 x 48 pixels, and S3's way of activation maximisation:
64 filters of each of its three convolutions, after their ReLU. Ours beside one filter at a time, as
its author would write it: a batch of one image through the whole network, the mean of the filter's
map, one gradient. First the images and objectives of both are compared. Then they take turns, on
one thread; times are CPU time of a step of all 64 filters, the median over rounds, and ratios the
median of the rounds' ratios. Aims: 3 for the three layers together, 150 for the first alone.
"""

import time
from statistics import median

import torch
from torch import Tensor, nn

from models import Head, PlainCNN
from models.explain import maximise_activation
from models.explain.activation_maximisation import Maximised
from models.explain.activation_maximisation.parametrisations import CONTRAST, NOISE, STEP

ROUNDS, NUM_FILTERS, SIZE = 5, 64, 48
LAYERS = ("block1", "block2", "block3")
ALL = "together"
# Steps of a measurement: enough for the clock. A real ascent takes 500; before its first step ours
# finds its way through the network once, which is counted here.
STEPS = {"block1": 40, "block2": 4, "block3": 4}
THEIR_STEPS = 2


def network() -> nn.Sequential:
    """S3's network, in eval mode."""
    torch.manual_seed(0)
    backbone = PlainCNN(num_channels=1, image_size=SIZE)
    return nn.Sequential(backbone, Head(backbone.num_features, 7)).eval()


def all_at_once(model: nn.Module, layer: str, steps: int) -> Maximised:
    """Our way."""
    answer = model.get_submodule(f"0.blocks.{layer}.relu")
    return maximise_activation(model, answer, range(NUM_FILTERS), (1, SIZE, SIZE), "pixels", steps)


def one_at_a_time(model: nn.Module, layer: str, steps: int) -> Maximised:
    """The author's way, filter after filter."""
    outputs: list[Tensor] = []
    answer = model.get_submodule(f"0.blocks.{layer}.relu")
    handle = answer.register_forward_hook(lambda *call: outputs.append(call[-1]))
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


def check(model: nn.Module, steps: int = 2) -> None:
    """Refuse to compare ways that do different things.

    After more steps rounding tips a ReLU or a pooling here and there, and the ways part.

    Raises:
        AssertionError: If images, objectives or dead filters differ.
    """
    for layer in LAYERS:
        ours, theirs = all_at_once(model, layer, steps), one_at_a_time(model, layer, steps)
        torch.testing.assert_close(ours.objective, theirs.objective, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(ours.images, theirs.images, rtol=0, atol=1e-3)
        assert ours.dead.equal(theirs.dead)


def measure(rounds: int = ROUNDS) -> dict[str, list[tuple[float, float]]]:
    """Seconds of a step of 64 filters, the author's way and ours, of each layer and round."""
    model = network()
    check(model)
    times: dict[str, list[tuple[float, float]]] = {layer: [] for layer in LAYERS}
    for _ in range(rounds):
        for layer in LAYERS:
            started = time.process_time()
            one_at_a_time(model, layer, THEIR_STEPS)
            between = time.process_time()
            all_at_once(model, layer, STEPS[layer])
            ended = time.process_time()
            each = (between - started) / THEIR_STEPS, (ended - between) / STEPS[layer]
            times[layer].append(each)
    sums = zip(*times.values(), strict=True)
    times[ALL] = [(sum(t for t, _ in row), sum(o for _, o in row)) for row in sums]
    return times


def ratios(times: dict[str, list[tuple[float, float]]]) -> dict[str, float]:
    """How many times as long the author's way takes, of each layer and of all."""
    return {name: median(slow / quick for slow, quick in rows) for name, rows in times.items()}


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    times = measure()
    print(
        f"{'layer':8}  {'one at a time':>13}  {'all at once':>11}  ratio  its range   (ms a step)"
    )
    for name, ratio in ratios(times).items():
        slow, quick = (1e3 * median(column) for column in zip(*times[name], strict=True))
        low, *_, high = sorted(s / q for s, q in times[name])
        print(f"{name:8}  {slow:13.1f}  {quick:11.2f}  {ratio:5.1f}  {low:.1f} to {high:.1f}")


if __name__ == "__main__":
    main()
