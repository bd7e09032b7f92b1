"""`python -m lightning_app`."""

from lightning_app.main import main

main()
