"""The Python interface behind `import lightning_app`: what the commands do, as functions."""
