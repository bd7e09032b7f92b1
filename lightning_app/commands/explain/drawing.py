"""Pictures drawn into a folder, without a run."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from callbacks.inspection_mode import inspection_mode
from callbacks.pictures import Picture, PictureContext, PictureOutput
from lightning_app.cli.networks.network import Network
from lightning_app.commands.explain.images import Images
from lightning_app.output.folder import Folder
from models.explain import NothingToShow


def picture_context(network: Network, images: Images) -> PictureContext:
    """What pictures need to know of a network and of images without labels."""

    def sample(num_images: int) -> tuple[Tensor, Tensor]:
        shown, labels = images.sample(num_images)
        return shown.to(network.device), labels.to(network.device)

    names, title = network.class_names, network.title
    return PictureContext(network.model, names, sample, title, "images", names=images.sampled_names)


def draw(
    pictures: Mapping[str, Picture], context: PictureContext, folder: Folder
) -> dict[str, str]:
    """Draw pictures: figures become PNG files, tables and all numbers CSV files.

    Args:
        pictures: Pictures by name.
        context: The network and the images.
        folder: Output folder.

    Returns:
        Pictures that have nothing to show, with the reason, by name.
    """
    left_out: dict[str, str] = {}
    numbers: dict[str, float] = {}
    for name, picture in tqdm(pictures.items(), "pictures", leave=False, disable=None):
        try:
            with inspection_mode(context.model):
                for shown in picture.draw(context):
                    _store(shown, folder, numbers)
        except NothingToShow as reason:
            left_out[name] = str(reason)
    if numbers:
        folder.write_table("numbers", {"name": [*numbers], "value": [*numbers.values()]})
    return left_out


def _store(shown: PictureOutput, folder: Folder, numbers: dict[str, float]) -> None:
    name, content = shown
    if isinstance(content, Figure):
        folder.write_figure(name, content)
    elif isinstance(content, dict):
        folder.write_table(name, content)
    elif isinstance(content, str):
        folder.write_text(name, content)
    else:
        numbers[name] = content
