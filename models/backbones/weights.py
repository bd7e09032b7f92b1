"""Weights: load a state dict into a network without its classifier, and check that it fits."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase

from lightning.pytorch.utilities import rank_zero_info
from timm.models import adapt_input_conv
from torch import Tensor, nn

from models.backbones.weight_files import listed

OPTION = "--model.init_args.backbone.init_args.weights"


def load_weights(
    network: nn.Module,
    state: dict[str, Tensor],
    source: str,
    classifier: Sequence[str] = (),
    allow: Sequence[str] = (),
) -> None:
    """Load a state dict, and check that it fits.

    Weights of the first convolution are adapted if the network does not take RGB images.

    Args:
        network: The network, changed in place.
        state: Tensors by the names of the network.
        source: Origin of the tensors, for messages.
        classifier: Modules that were removed from the network; their tensors are left out, with a
            message.
        allow: Patterns of the names, such as `layer4.*`, of tensors that may be missing in one of
            the two or differ in size; the network keeps its own.

    Raises:
        ValueError: If tensors are missing, superfluous or of another size; they are listed.
    """
    own = network.state_dict()
    removed = tuple(f"{module}." for module in classifier)
    heads = [name for name in state if name not in own and name.startswith(removed)]
    usable = OrderedDict((n, _adapted(t, own.get(n))) for n, t in state.items() if n not in heads)
    # The versions in it tell torch which layers have older names.
    usable._metadata = getattr(state, "_metadata", own._metadata)  # pyright: ignore[reportAttributeAccessIssue]
    resized = {name: usable.pop(name) for name in own if _differs(own[name], usable.get(name))}
    missing, unexpected = network.load_state_dict(usable, strict=False)
    # Files from before PyTorch 0.4.1 lack this counter; the network keeps its 0.
    missing = [n for n in missing if n not in resized and not n.endswith("num_batches_tracked")]
    _refuse(
        source,
        {
            f"lacks {{}} of the network's {len(own)} tensors": _without(missing, allow),
            "has {} tensors that the network does not have": _without(unexpected, allow),
            "has {} tensors of another size than the network": [
                f"{name} {tuple(resized[name].shape)} for {tuple(own[name].shape)}"
                for name in _without(resized, allow)
            ],
        },
    )
    _tell(f"{source}: left out", heads, "the classifier")
    _tell(f"{source}: left out", [*unexpected, *resized], "as allowed")
    _tell(f"{source}: lacks", missing, "as allowed")


@contextmanager
def downloading(source: str, option: str = OPTION) -> Iterator[None]:
    """Turn a failed download into an error that says what to do.

    Args:
        source: What is downloaded, and its address.
        option: Option of the command line that names a file of weights.

    Raises:
        ConnectionError: If the source cannot be reached.
    """
    try:
        yield
    except OSError as error:  # base class of URLError and of the Hugging Face hub's errors
        raise ConnectionError(
            f"Could not download {source}: {str(error).rstrip('.')}. Fetch it on a machine with a "
            "network, copy it here, and name the file instead of `pretrained: true`: "
            f"{option} FILE"
        ) from error


def _adapted(tensor: Tensor, own: Tensor | None) -> Tensor:
    if own is None or tensor.ndim != 4 or tensor.shape[1] != 3 or own.shape[1:2] == (3,):
        return tensor
    return adapt_input_conv(own.shape[1], tensor)


def _differs(own: Tensor, other: Tensor | None) -> bool:
    return other is not None and own.shape != other.shape


def _refuse(source: str, faults: dict[str, list[str]]) -> None:
    found = [f"{text.format(len(of))}: {listed(of)}" for text, of in faults.items() if of]
    if found:
        raise ValueError(
            f"{source} {'; it '.join(found)}. `allow`, beside `weights`, takes patterns of the "
            "names that may differ."
        )


def _tell(what: str, names: list[str], why: str) -> None:
    if names:
        rank_zero_info(f"{what} {listed(names)}, {why}.")


def _without(names: Sequence[str] | dict[str, Tensor], allow: Sequence[str]) -> list[str]:
    return [name for name in names if not any(fnmatchcase(name, pattern) for pattern in allow)]
