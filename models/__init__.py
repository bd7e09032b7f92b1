"""The LightningModule, the backbones, and what can be asked of a network (`models.explain`)."""

from models.backbones.backbone import Backbone
from models.backbones.mlp import MLP
from models.backbones.plain_cnn import PlainCNN
from models.backbones.resnet import ResNet
from models.backbones.small_cnn import SmallCNN
from models.backbones.timm_backbone import TimmBackbone
from models.backbones.torchvision_backbone import TorchvisionBackbone
from models.classifier import ImageClassifier
from models.head import Head
from models.losses.focal_loss import FocalLoss
from models.losses.logit_adjustment import LogitAdjustment
from models.losses.loss import CrossEntropy
from models.optimization.optimization import Optimization
from models.optimization.schedules import CosineDecay, PolynomialDecay, Schedule

__all__ = [
    "MLP",
    "Backbone",
    "CosineDecay",
    "CrossEntropy",
    "FocalLoss",
    "Head",
    "ImageClassifier",
    "LogitAdjustment",
    "Optimization",
    "PlainCNN",
    "PolynomialDecay",
    "ResNet",
    "Schedule",
    "SmallCNN",
    "TimmBackbone",
    "TorchvisionBackbone",
]
