"""What is done to images before training: the commands `lightning_cli prepare ...`."""
