"""The command `lightning_cli explain`: pictures of a trained network on images of the user."""

from lightning_app.commands.explain.options import parse


def explain(args: list[str]) -> None:
    """Draw the pictures, and print the predictions and the names of the files.

    Args:
        args: The command line after `explain`.

    Raises:
        ValueError: If the network, an image or a layer is missing, or nothing can be drawn.
        SystemExit: With 2 if the command line does not parse.
    """
    options = parse(args)
    # Takes seconds to import; the help does not need it.
    from lightning_app.commands.explain.explain_images import explain_images

    explain_images(options)
