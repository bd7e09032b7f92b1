"""The settings of the report."""

from dataclasses import dataclass

from lightning_app.pages.language import Language

FILE = "report.html"  # among the artifacts of the run


@dataclass(frozen=True)
class Report:
    """One page about the run, `report.html` among its artifacts; `fit` and `test` write it.

    Attributes:
        language: Of its sentences: `en` for English, `zh` for Chinese; None for that of the
            run's fit, which is English if it was not chosen.
    """

    language: Language | None = None
