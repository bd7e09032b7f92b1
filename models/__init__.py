"""Image classifiers: the LightningModule, backbones, losses, explanations and evaluation.

Classes are imported when they are first used, so that what needs no network, such as the list of
metrics, is imported without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.backbones.backbone import Backbone as Backbone
    from models.backbones.mlp import MLP as MLP
    from models.backbones.plain_cnn import PlainCNN as PlainCNN
    from models.backbones.resnet import ResNet as ResNet
    from models.backbones.small_cnn import SmallCNN as SmallCNN
    from models.backbones.timm_backbone import TimmBackbone as TimmBackbone
    from models.backbones.torchvision_backbone import TorchvisionBackbone as TorchvisionBackbone
    from models.classifier import ImageClassifier as ImageClassifier
    from models.ensemble import Ensemble as Ensemble
    from models.ensemble import Member as Member
    from models.ensemble import NoHead as NoHead
    from models.head import Head as Head
    from models.losses.focal_loss import FocalLoss as FocalLoss
    from models.losses.logit_adjustment import LogitAdjustment as LogitAdjustment
    from models.losses.loss import CrossEntropy as CrossEntropy
    from models.optimization.optimization import Optimization as Optimization
    from models.optimization.schedules import CosineDecay as CosineDecay
    from models.optimization.schedules import PolynomialDecay as PolynomialDecay
    from models.optimization.schedules import Schedule as Schedule

HOMES = {
    "MLP": "backbones.mlp",
    "Backbone": "backbones.backbone",
    "CosineDecay": "optimization.schedules",
    "CrossEntropy": "losses.loss",
    "Ensemble": "ensemble",
    "FocalLoss": "losses.focal_loss",
    "Head": "head",
    "ImageClassifier": "classifier",
    "LogitAdjustment": "losses.logit_adjustment",
    "Member": "ensemble",
    "NoHead": "ensemble",
    "Optimization": "optimization.optimization",
    "PlainCNN": "backbones.plain_cnn",
    "PolynomialDecay": "optimization.schedules",
    "ResNet": "backbones.resnet",
    "Schedule": "optimization.schedules",
    "SmallCNN": "backbones.small_cnn",
    "TimmBackbone": "backbones.timm_backbone",
    "TorchvisionBackbone": "backbones.torchvision_backbone",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'models' has no attribute {name!r}")
    return getattr(import_module(f"models.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(HOMES)
