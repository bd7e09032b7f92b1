"""The LightningModule, the backbones, and what can be asked of a network (`models.explain`)."""

from models.backbone import Backbone
from models.classifier import ImageClassifier
from models.head import Head
from models.loss import CrossEntropy
from models.small_cnn import SmallCNN
from models.timm_backbone import TimmBackbone
from models.torchvision_backbone import TorchvisionBackbone

__all__ = [
    "Backbone",
    "CrossEntropy",
    "Head",
    "ImageClassifier",
    "SmallCNN",
    "TimmBackbone",
    "TorchvisionBackbone",
]
