"""Backbones: networks without their classifier, our own and those of timm and torchvision."""
