"""Augmentation of training images, MixUp and CutMix, and test-time views."""

import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else importing it accesses the network
