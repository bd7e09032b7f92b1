"""Settings of the report."""

from dataclasses import dataclass

from lightning_app.pages.language import Language

FILE = "report.html"  # among the artifacts of the run


@dataclass(frozen=True)
class Report:
    """A self-contained report of the run, its artifact `report.html`; `fit` and `test` write it.

    Attributes:
        language: Language of the report: `en` for English, `zh` for Chinese; None for the language
            of the run's fit, English by default.
    """

    language: Language | None = None
