"""`lightning_app.predict`: predictions of a trained network as a table."""

from pathlib import Path

import pandas as pd

from lightning_app.api.inputs import ImageInput, read_input
from lightning_app.api.networks import Device, open_network
from lightning_app.api.run import Run
from lightning_app.commands.explain import predictions as commands


def predict(run: Run | str | Path, images: ImageInput, device: Device = "auto") -> pd.DataFrame:
    """Classify images.

    The checkpoint knows the classes, the image size and the normalisation; images of any size are
    resized, and grey and RGB are converted into each other.

    Args:
        run: A run of `fit` or `load`; or its name or id, `best`, `last`, or a checkpoint file.
        images: A file or folder, or a list of them; or PIL images or arrays, uint8 in 0…255: one
            image (H, W), (H, W, 1) or (H, W, 3), a batch (N, H, W) or (N, H, W, C), or a list of
            images of different sizes. A batch of 1, 3 or 4 grey images has to be (N, H, W, 1).
        device: Where the network runs; `auto` takes a GPU if there is one.

    Returns:
        One row per image, in their order; a file that is given twice has two. `image` is the
        file below the folder that all files share, or the position of an array; `predicted` the
        class and `confidence` its softmax probability in [0, 1]; `predicted_2`, `confidence_2` and
        so on the next best classes, five at most in all. `set` has the classes of the prediction
        set, with a bar between two: 90 % of such sets hold the true class. `unknown` is True for an
        image that is unlike those of the run. Checkpoints of earlier versions give neither.

    Raises:
        ValueError: If there is no such run, checkpoint, file or device, an image is broken, or an
            array has another type or shape.

    Example:
        >>> lightning_app.predict(run, ["a.png", "photos/"])[["image", "predicted", "confidence"]]
                  image predicted  confidence
        0         a.png         7    0.998210
        1  photos/b.png         1    0.871034
    """
    network = open_network(run, device)
    shown = read_input(images, network.image_size, network.num_channels, network.resize)
    predictions = commands.predict(network, shown)
    return pd.DataFrame(commands.prediction_table(network, shown.names, predictions))
