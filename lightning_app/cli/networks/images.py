"""Images of the user: files and folders, read as the network needs them."""

import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from datamodules.sources.decode import file_complaint, read_image
from datamodules.sources.resizing import Resize
from datamodules.sources.squares import read_square
from datamodules.walk_folders import files_below, image_extensions, is_image
from lightning_app.cli.device import Device
from lightning_app.cli.networks.checkpoint_network import checkpoint_network
from lightning_app.cli.networks.network import Network
from models.device import device_named

OnError = Literal["raise", "skip"]
SHOWN = 5  # broken images that an error lists


class Images:
    """Image files, at their own size and as the input of a network.

    Args:
        files: The image files.
        image_size: Side of the network's input in pixels.
        num_channels: 1 for grey, 3 for RGB.
        resize: What happens to images that are not square.
    """

    def __init__(
        self,
        files: Sequence[Path],
        image_size: int,
        num_channels: int,
        resize: Resize = "squeeze",
    ) -> None:
        self.resize: Resize = resize
        self.files, self.image_size, self.num_channels = files, image_size, num_channels
        base = Path(os.path.commonpath([file.parent.resolve() for file in files]))
        self.names = [file.resolve().relative_to(base).as_posix() for file in files]

    def __len__(self) -> int:
        return len(self.files)

    def original(self, index: int) -> np.ndarray:
        """Read an image at its own size, uint8, (H, W, num_channels)."""
        return read_image(self.files[index], self.num_channels)

    def square(self, index: int) -> np.ndarray:
        """Read an image at the size of the network's input, uint8, (size, size, num_channels)."""
        return read_square(self.files[index], self.image_size, self.num_channels, self.resize)

    def batch(self, indices: Iterable[int]) -> Tensor:
        """Read images as input of the network, (n, C, image_size, image_size) in [0, 1]."""
        pixels = [self.square(index) for index in indices]
        return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255

    def sample(self, num_images: int) -> tuple[Tensor, Tensor]:
        """Read images spread evenly over all, at most `num_images`, with the label -1 (unknown)."""
        chosen = self._spread(num_images)
        return self.batch(chosen), torch.full((len(chosen),), -1)

    def sampled_names(self, num_images: int) -> list[str]:
        """Names of the images of `sample`."""
        return [self.names[index] for index in self._spread(num_images)]

    def _spread(self, num_images: int) -> list[int]:
        count = min(num_images, len(self))
        return [index * len(self) // count for index in range(count)]


def open_with_images(
    wanted: str, device: Device, places: Sequence[Path], on_error: OnError | None = None
) -> tuple[Network, Images]:
    """Open the network of a checkpoint in eval mode, and images as it takes them.

    Args:
        wanted: See `find_checkpoint`.
        device: Where the network runs; see `device_named`.
        places: Files and folders of images; see `find_images`.
        on_error: See `find_images`.

    Raises:
        ValueError: If the checkpoint or an image is missing, or an image is broken.
    """
    files = find_images(places, on_error=on_error)
    network = checkpoint_network(wanted, None)
    network.model.to(device_named(device)).eval()
    return network, Images(files, network.image_size, network.num_channels, network.resize)


def find_images(
    places: Sequence[Path], keep_repeated: bool = False, on_error: OnError | None = None
) -> list[Path]:
    """List the given files, and the images in the given folders and below them, sorted by name.

    Args:
        places: Files and folders.
        keep_repeated: Whether a file that is given twice is listed twice.
        on_error: `raise` refuses broken images, `skip` leaves them out with a warning. None refuses
            them, and is for commands without this option.

    Raises:
        ValueError: If a file or folder is missing, a folder has no image, or an image is broken.
    """
    files: list[Path] = []
    for place in places:
        if not place.exists():
            raise ValueError(f"There is no image or folder {place}.")
        found = _images_in(place) if place.is_dir() else [place]
        if not found:
            kinds = ", ".join(sorted(image_extensions()))
            raise ValueError(
                f"There is no image in the folder {place}; image files end in {kinds}."
            )
        files += found
    unique: dict[Path, Path] = {}  # the same file may be given twice
    for file in files:
        unique.setdefault(file.resolve(), file)
    readable = _readable(list(unique.values()), on_error)
    return files if keep_repeated else readable


def _readable(files: Sequence[Path], on_error: OnError | None) -> list[Path]:
    """The images without those that are broken, if these are to be left out."""
    complaints = {file: complaint for file in files if (complaint := file_complaint(file))}
    if not complaints:
        return [*files]
    bad, left = [*complaints.values()], [file for file in files if file not in complaints]
    more = f"\n  and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    listed = "\n  ".join(bad[:SHOWN])
    text = f"{len(bad)} of {len(files)} images cannot be read:\n  {listed}{more}"
    if on_error != "skip" or not left:
        hint = "\n--on_error skip leaves them out." if on_error == "raise" and left else ""
        raise ValueError(text + hint)
    warnings.warn(f"{text}\nThey are left out.", stacklevel=2)
    return left


def _images_in(folder: Path) -> list[Path]:
    return sorted(file for file in files_below(folder) if is_image(file))
