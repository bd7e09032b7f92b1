"""The trained network that a function of the API was given."""

from pathlib import Path

from lightning_app.api.run import Run, checkpoint_of
from lightning_app.cli.device import Device
from lightning_app.cli.networks.checkpoint_network import checkpoint_network
from lightning_app.cli.networks.network import Network
from models.device import device_named


def open_network(run: Run | str | Path, device: Device = "auto") -> Network:
    """Build a trained network in eval mode; its checkpoint knows classes, size and normalisation.

    Args:
        run: A run; or its name or id, `best`, `last`, or the file of a checkpoint.
        device: Where it runs; `auto` takes a GPU if there is one.

    Raises:
        ValueError: If there is no such run or checkpoint, or no such device.
    """
    chosen = device_named(device)
    wanted = checkpoint_of(run) if isinstance(run, Run) else run
    network = checkpoint_network(str(wanted), None)
    network.model.to(chosen).eval()
    return network
