"""The language of a page."""

from typing import Literal, get_args

from mlflow.entities import Run

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
LANGUAGE = "report.language"  # parameter of a run


def language_of(run: Run, wanted: Language | None) -> Language:
    """The language that is wanted, else that of the run's fit, else English."""
    if wanted is not None:
        return wanted
    fit: dict[str | None, Language] = {language: language for language in LANGUAGES}
    return fit.get(run.data.params.get(LANGUAGE), LANGUAGES[0])
