"""Step record: what is kept of a training step, to say later what was not finite in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

import torch
from lightning.pytorch import Trainer
from torch import Tensor, nn
from torch.optim import Optimizer

SHOWN = 5  # images that an error lists
RUNNING = ("running_mean", "running_var")  # statistics of batch norms


@dataclass(frozen=True)
class StepRecord:
    """A step of the optimizer, on the device: nothing waits for it.

    Attributes:
        epoch: Its epoch.
        number: Its number, from 0.
        batches: Indices of the images of its batches.
        parameters: Parameters with a gradient.
        numbers: Norm of the gradient of each, then the losses of the batches; float32.
        scaled: Whether gradients may be infinite, since the precision scales them.
    """

    epoch: int
    number: int
    batches: list[Tensor]
    parameters: list[nn.Parameter]
    numbers: Tensor
    scaled: bool

    @classmethod
    def of(
        cls,
        trainer: Trainer,
        optimizer: Optimizer,
        losses: list[Tensor],
        batches: list[Tensor],
        scaled: bool,
    ) -> "StepRecord":
        """Record the present step, whose gradients are complete."""
        groups = optimizer.param_groups
        parameters = [p for group in groups for p in group["params"] if p.grad is not None]
        norms = _norms([p.grad for p in parameters if p.grad is not None])
        numbers = torch.stack([number.float() for number in (*norms, *losses)])
        return cls(trainer.current_epoch, trainer.global_step, batches, parameters, numbers, scaled)

    @property
    def norms(self) -> Tensor:
        """Norm of the gradient of each parameter, (len(parameters),)."""
        return self.numbers[: len(self.parameters)]

    @property
    def losses(self) -> Tensor:
        """Losses of the batches."""
        return self.numbers[len(self.parameters) :]

    def is_bad(self) -> Tensor:
        """Whether the loss or a gradient is not finite."""
        numbers = self.losses if self.scaled else self.numbers
        return (numbers - numbers).any()  # NaN, unless they are finite; `isfinite` is six calls

    @staticmethod
    def first_bad(steps: "Sequence[StepRecord]") -> int | None:
        """Index of the first step that is not finite; the device is waited for once."""
        if not steps:
            return None
        flags = torch.stack([step.is_bad() for step in steps]).tolist()
        return flags.index(True) if True in flags else None

    def indices(self) -> list[int]:
        """Indices of the images."""
        return [int(index) for batch in self.batches for index in batch.tolist()]

    def explain(self, module: nn.Module, images: Sequence[str], before: "StepRecord | None") -> str:
        """Say what is not finite, with which images, and what the gradients were.

        Args:
            module: The network, for the names of its parameters.
            images: Names of the images.
            before: The step before, if it is known.
        """
        losses = self.losses.tolist()
        worst = next((loss for loss in losses if not isfinite(loss)), losses[-1])
        bad = ~self.norms.isfinite()
        what = f"The loss is {worst:g}"
        if isfinite(worst):
            what = f"A gradient is not finite (the loss is {worst:g})"
        more = f", … ({len(images)}; nonfinite/images_of_step_{self.number}.txt of the run has all)"
        listed = ", ".join(images[:SHOWN]) + more * (len(images) > SHOWN)
        texts = [f"{what} in epoch {self.epoch}, step {self.number}, with the images {listed}."]
        if bad.any():
            last = name_of(module, self.parameters[int(bad.nonzero().max())])
            count = f"{int(bad.sum())} of {len(bad)} parameters"
            texts.append(f"The gradient is not finite in {count}, the last of them {last}.")
        if not bad.all():
            texts.append(f"The largest finite norm is {self._peak(module)}.")
        if before is not None:
            texts.append(f"In the step before, the largest norm was {before._peak(module)}.")
        return " ".join(texts)

    def _peak(self, module: nn.Module) -> str:
        finite = self.norms.nan_to_num(-1.0, posinf=-1.0)
        index = int(finite.argmax())
        return f"{finite[index].item():.3g}, of {name_of(module, self.parameters[index])}"


def name_of(module: nn.Module, parameter: Tensor) -> str:
    """Name of a parameter in the network."""
    return next(name for name, other in module.named_parameters() if other is parameter)


def nonfinite_state(module: nn.Module, optimizers: Sequence[Optimizer]) -> str | None:
    """Name of a part of the state that is not finite; None if all is.

    Parameters, statistics of batch norms and the state of the optimizers count. Other buffers may
    be infinite on purpose, such as masks.
    """
    named = list(_trained_state(module, optimizers))
    extremes = [torch.stack(torch.aminmax(tensor)).float() for _, tensor in named]  # in one pass
    bad = ~torch.stack(extremes).isfinite().all(dim=1)
    return named[int(bad.nonzero().min())][0] if bad.any() else None


def _trained_state(
    module: nn.Module, optimizers: Sequence[Optimizer]
) -> Iterator[tuple[str, Tensor]]:
    statistics = [(n, b) for n, b in module.named_buffers() if n.endswith(RUNNING)]
    for name, tensor in [*module.named_parameters(), *statistics]:
        if tensor.numel() and tensor.is_floating_point():
            yield name, tensor.detach()
    for optimizer in optimizers:
        for parameter, state in optimizer.state.items():
            for key, value in state.items():
                if isinstance(value, Tensor) and value.numel() > 1 and value.is_floating_point():
                    yield f"{key} of {name_of(module, parameter)}", value


def _norms(gradients: list[Tensor]) -> Sequence[Tensor]:
    """The norm of each gradient, not finite if one of its elements is not; all of one type."""
    if not gradients:
        return []
    # One call for all: a small network's step would notice one for each.
    precise = torch.promote_types(gradients[0].dtype, torch.float32)
    return torch._foreach_norm(gradients, 2.0, precise)  # pyright: ignore[reportPrivateImportUsage]
