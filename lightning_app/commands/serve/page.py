"""Page of `serve`: drop an image, see what the network says."""

from lightning_app.cli.networks.exportable import Exportable
from lightning_app.pages.language import Language
from lightning_app.pages.rendering import open_templates
from lightning_app.pages.words import Words

USED_BY_SCRIPT = (
    "confidence",
    "unknown",
    "similarity",
    "pending",
    "failed",
    "no_label",
    "grad_cam",
)


def render_page(source: Exportable, language: Language) -> str:
    """The HTML page of a network.

    Args:
        source: The network.
        language: Language of the page.
    """
    words, network = Words(language), source.source
    texts = words["serve"]
    size = network.image_size
    facts = texts["facts"].format(
        classes=words.number(len(network.class_names)), size=texts["size"].format(size, size)
    )
    return (
        open_templates("lightning_app.commands.serve")
        .get_template("serve.html")
        .render(
            t=words.texts,
            title=source.title,
            facts=facts,
            for_script={key: texts[key] for key in USED_BY_SCRIPT}
            | {"percent": words["formats"]["percent"]},
        )
    )
