"""Cut network: a network that can be entered at one of its layers."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.explain.class_activation.capture import features_of
from models.explain.map_layout import NothingToShow, ToMap, map_layout


class CutNetwork(NamedTuple):
    """A network, and the layer whose output is read and changed.

    Attributes:
        model: Maps images to logits; in eval mode.
        layer: Submodule whose output is a feature map, such as the last one.
        to_map: Reshapes the layer's output to (N, D, h, w); None for `map_layout`.
    """

    model: nn.Module
    layer: nn.Module
    to_map: ToMap | None = None

    def activations(self, images: Tensor) -> Tensor:
        """Output of the layer, (N, D, h, w), for images (N, C, H, W) in [0, 1]."""
        return features_of(*self[:2], images, self.to_map)

    @torch.no_grad()
    def logits(self, image: Tensor, changes: Tensor) -> Tensor:
        """Logits of an image after changes of the layer's output.

        What comes before the layer is computed once for all of them.

        Args:
            image: (1, C, H, W) in [0, 1].
            changes: What is added to the map, (n, D, h, w).

        Returns:
            (n, num_classes).

        Raises:
            NothingToShow: If the network calls the layer several times, or what follows it does
                not take several maps for one image.
        """
        calls = 0

        def change(module: nn.Module, args: object, output: Tensor) -> Tensor:
            nonlocal calls
            calls += 1
            if calls > 1:
                return output
            to_map = self.to_map or map_layout(output, image)
            assert to_map is not None  # else `activations` has raised an error
            whole = output.expand(len(changes), *output.shape[1:])
            return whole + _as_output(changes.to(output.dtype), whole, to_map)

        handle = self.layer.register_forward_hook(change)
        try:
            logits = self.model(image)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise NothingToShow(f"the network does not take changed maps: {reason}.") from error
        finally:
            handle.remove()
        if calls != 1 or len(logits) != len(changes):
            raise NothingToShow(f"the layer is called {calls} times for an image, expected once.")
        return logits.float()


def _as_output(changes: Tensor, output: Tensor, to_map: ToMap) -> Tensor:
    """The inverse of `to_map`, which only moves values: its gradient; 0 where there is no map."""
    place = torch.zeros(output.shape, dtype=output.dtype, device=output.device)
    with torch.enable_grad():
        place.requires_grad_()
        return torch.autograd.grad(to_map(place), place, changes)[0]
