"""Ablations, `lightning_cli ablate`: what each part of a recipe contributes."""
