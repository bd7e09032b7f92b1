"""Language of an HTML page: English or Chinese."""

from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:  # commands without runs need no MLflow, whose import takes seconds
    from mlflow.entities import Run

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
LANGUAGE = "report.language"  # parameter of a run


def language_of(run: "Run", wanted: Language | None) -> Language:
    """The requested language; without one that of the run's fit, which is English by default."""
    if wanted is not None:
        return wanted
    languages: dict[str | None, Language] = {language: language for language in LANGUAGES}
    return languages.get(run.data.params.get(LANGUAGE), LANGUAGES[0])
