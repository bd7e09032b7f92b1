"""The LightningModule, the backbones, and what can be asked of a network (`models.explain`)."""

from models.backbone import Backbone
from models.classifier import ImageClassifier
from models.focal_loss import FocalLoss
from models.head import Head
from models.logit_adjustment import LogitAdjustment
from models.loss import CrossEntropy
from models.mlp import MLP
from models.optimization import Optimization
from models.plain_cnn import PlainCNN
from models.resnet import ResNet
from models.schedules import CosineDecay, PolynomialDecay, Schedule
from models.small_cnn import SmallCNN
from models.timm_backbone import TimmBackbone
from models.torchvision_backbone import TorchvisionBackbone

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
