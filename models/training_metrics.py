"""Training metrics: logged at once and as exact numbers, so that a checkpoint has seen them."""

from collections.abc import Mapping
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from torch import Tensor, nn


def log_epoch_start(module: LightningModule, rates: Mapping[str, float]) -> None:
    """Log the numbers of parameters that train in an epoch, and the learning rate of each stage."""
    named = {f"lr/{stage}": rate for stage, rate in rates.items()}
    log_now(module.trainer, parameter_counts(module) | named)
    log_mean(module, named, logger=False)


def log_epoch_end(module: LightningModule, means: Mapping[str, Tensor]) -> None:
    """Log means over the images of an epoch, rounded to float32: their order does not matter."""
    values = {name: mean.float().item() for name, mean in means.items()}
    log_now(module.trainer, values)
    log_mean(module, values, prog_bar="train/accuracy", logger=False)


def parameter_counts(module: nn.Module) -> dict[str, float]:
    """Parameter counts of a network: `params/total` and `params/trainable`."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in module.parameters()]
    return {
        "params/total": sum(size for size, _ in sizes),
        "params/trainable": sum(size for size, trains in sizes if trains),
    }


def log_now(trainer: Trainer, metrics: Mapping[str, float]) -> None:
    """Log metrics of the present epoch and step at once, as the numbers that they are.

    Lightning's `log` converts to float32, which makes 0.0010000000474974513 of 0.001. And it logs
    an epoch after its checkpoint is saved: a process that is killed in between would lose them.
    """
    for logger in trainer.loggers:
        logger.log_metrics({**metrics, "epoch": trainer.current_epoch}, trainer.global_step)


def log_step(module: LightningModule, loss: Tensor, batch_idx: int) -> None:
    """Log `train/loss_step` at every n-th step, of its first batch: this waits for the device."""
    trainer = module.trainer
    every: int = trainer.log_every_n_steps  # pyright: ignore[reportAttributeAccessIssue]
    if (
        every
        and trainer.global_step % every == 0
        and batch_idx % trainer.accumulate_grad_batches == 0
    ):
        value = {"train/loss_step": loss.item()}
        log_now(trainer, value)
        # Lightning's `log` takes a millisecond, and with `prog_bar` reads the loss in every step.
        trainer.progress_bar_metrics.update(value)
        trainer.callback_metrics["train/loss_step"] = loss


def log_mean(
    module: LightningModule,
    metrics: Mapping[str, Any],
    prog_bar: str = "",
    logger: bool | None = None,
) -> None:
    """Log metrics of an epoch through Lightning, for callbacks and the progress bar.

    The values are reduced over the processes already. With `sync_dist` the process that shows a
    progress bar would wait for the others, which show none.

    Args:
        module: The module, in one of its hooks.
        metrics: Metrics of the present epoch.
        prog_bar: Name of the metric that the progress bar shows.
        logger: False if `log_now` has logged them already.
    """
    for name, value in metrics.items():
        module.log(name, value, name == prog_bar, logger, on_step=False, on_epoch=True)
