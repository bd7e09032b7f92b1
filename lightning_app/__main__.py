"""Entry point of `python -m lightning_app`, which is `lightning_cli`."""

from lightning_app.main import main

main()
