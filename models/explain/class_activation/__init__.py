"""Class-activation maps: where in an image a layer finds its evidence for a class.

All six methods take the same arguments and return the same kind of map.
"""

from collections.abc import Callable

from torch import Tensor, nn

from models.explain.class_activation.eigen_cam import eigen_cam
from models.explain.class_activation.grad_cam import grad_cam
from models.explain.class_activation.grad_cam_plus_plus import grad_cam_plus_plus
from models.explain.class_activation.hires_cam import hires_cam
from models.explain.class_activation.layer_cam import layer_cam
from models.explain.class_activation.score_cam import score_cam
from models.explain.map_layout import ToMap

ClassActivationMethod = Callable[[nn.Module, nn.Module, Tensor, Tensor, ToMap | None], Tensor]

CLASS_ACTIVATIONS: dict[str, ClassActivationMethod] = {
    "grad_cam": grad_cam,
    "grad_cam_plus_plus": grad_cam_plus_plus,
    "hires_cam": hires_cam,
    "layer_cam": layer_cam,
    "eigen_cam": eigen_cam,
    "score_cam": score_cam,
}

__all__ = [
    "CLASS_ACTIVATIONS",
    "ClassActivationMethod",
    "eigen_cam",
    "grad_cam",
    "grad_cam_plus_plus",
    "hires_cam",
    "layer_cam",
    "score_cam",
]
