"""Soups, `lightning_cli soup`: the mean of the weights of several runs."""
