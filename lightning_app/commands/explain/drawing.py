"""Pictures drawn into a folder, without a run."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from callbacks.inspection_mode import inspection_mode
from callbacks.pictures import Notice, Picture, PictureContext
from callbacks.pictures.picture import Table
from lightning_app.cli.networks.images import Images
from lightning_app.cli.networks.network import Network
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
) -> tuple[dict[str, str], list[str]]:
    """Draw pictures: figures become PNG files, tables and all numbers CSV files.

    Args:
        pictures: Pictures by name.
        context: The network and the images.
        folder: Output folder.

    Returns:
        Pictures that have nothing to show, with the reason, by name; and the notices.
    """
    left_out: dict[str, str] = {}
    notices: list[str] = []
    numbers: dict[str, float] = {}
    for name, picture in tqdm(pictures.items(), "pictures", leave=False, disable=None):
        try:
            with inspection_mode(context.model):
                for shown in picture.draw(context):
                    if isinstance(shown[1], Notice):
                        notices += [shown[1].text] * bool(shown[1].text)
                    else:
                        _store(shown[0], shown[1], folder, numbers)
        except NothingToShow as reason:
            left_out[name] = str(reason)
    if numbers:
        folder.write_table("numbers", {"name": [*numbers], "value": [*numbers.values()]})
    return left_out, notices


def _store(
    name: str, content: Figure | Table | float | str, folder: Folder, numbers: dict[str, float]
) -> None:
    if isinstance(content, Figure):
        folder.write_figure(name, content)
    elif isinstance(content, dict):
        folder.write_table(name, content)
    elif isinstance(content, str):
        folder.write_text(name, content)
    else:
        numbers[name] = content
