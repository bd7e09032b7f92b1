"""Concepts: recurring parts of the images of a class, and how much its logit depends on each."""

from models.explain.concepts.concepts import Concepts, find_concepts
from models.explain.concepts.crops import Box, crop_boxes, cut
from models.explain.concepts.cut_network import CutNetwork

__all__ = ["Box", "Concepts", "CutNetwork", "crop_boxes", "cut", "find_concepts"]
