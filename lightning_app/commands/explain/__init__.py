"""`lightning_cli explain`: pictures of any trained network, on images that the user names."""
