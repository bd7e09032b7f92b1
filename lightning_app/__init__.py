"""Train image classifiers and see what they learned: the front door for notebooks and scripts.

    import lightning_app

    run = lightning_app.fit("configs/digits.yaml", {"trainer.max_epochs": 3})
    lightning_app.predict(run, "photos/")        # a pandas DataFrame, one row per image
    lightning_app.explain(run, "photos/a.png")   # matplotlib figures by name

Names are imported when they are first used, so `import lightning_app` takes no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lightning_app.api.comparing import Comparison, compare
    from lightning_app.api.explaining import explain
    from lightning_app.api.exporting import Export, export
    from lightning_app.api.figures import Figures
    from lightning_app.api.fitting import evaluate, fit
    from lightning_app.api.loading import load
    from lightning_app.api.predicting import predict
    from lightning_app.api.run import Run
    from lightning_app.api.scoring import score

    __version__: str

__all__ = [
    "Comparison",
    "Export",
    "Figures",
    "Run",
    "compare",
    "evaluate",
    "explain",
    "export",
    "fit",
    "load",
    "predict",
    "score",
]

DISTRIBUTION = "lightning-image-classification"
HOMES = {
    "Comparison": "comparing",
    "Export": "exporting",
    "Figures": "figures",
    "Run": "run",
    "compare": "comparing",
    "evaluate": "fitting",
    "explain": "explaining",
    "export": "exporting",
    "fit": "fitting",
    "load": "loading",
    "predict": "predicting",
    "score": "scoring",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version(DISTRIBUTION)
    if name not in HOMES:
        raise AttributeError(f"module 'lightning_app' has no attribute {name!r}")
    return getattr(import_module(f"lightning_app.api.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
