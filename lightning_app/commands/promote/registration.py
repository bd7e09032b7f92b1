"""Registration of a model: its version, tags and aliases."""

import json
import re
import time
from datetime import UTC, datetime

from mlflow import MlflowClient
from mlflow.entities import LoggedModel
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

from lightning_app.commands.promote.decision import Decision
from lightning_app.store.describe_run import splits_of
from lightning_app.store.registry import model_id_of
from lightning_app.store.run_scores import Score, results_of
from lightning_app.store.stored_run import StoredRun

CHAMPION, CHALLENGER = "champion", "challenger"  # aliases
BEFORE, ROLLED_BACK = "promotion.before", "promotion.rolled_back"  # tags of a version
NAME = re.compile(r"[^/:@]+")
MAX_DESCRIPTION = 5000  # characters that the tables of MLflow hold
MORE = "\n\nThe whole card is the artifact `model_card.md` of the run.\n"


def check_name(name: str) -> None:
    """Check the name of a registered model.

    Raises:
        ValueError: If `models:/NAME@ALIAS` would not be clear.
    """
    if not NAME.fullmatch(name.strip()):
        raise ValueError(f"--name is {name!r}; expected a name without the letters / : @.")


def champion_of(client: MlflowClient, name: str) -> ModelVersion | None:
    """The version that has the alias `champion`; None if there is none."""
    try:
        return client.get_model_version_by_alias(name, CHAMPION)
    except MlflowException:  # there is no such model, or it has no such alias
        return None


def register(
    client: MlflowClient,
    record: StoredRun,
    model: LoggedModel,
    name: str,
    decision: Decision,
    card: str,
) -> str:
    """Register a model, and give it its alias.

    Args:
        client: Client of the store.
        record: Its run.
        model: The model.
        name: Name of the registered model, which is created if it does not exist.
        decision: The alias, and why.
        card: Model card, the description of the version.

    Returns:
        The version; the same one if the model was registered before.
    """
    version = _version(client, name, model)
    client.update_model_version(name, version, _description(card))
    for key, value in (_promotion(decision) | _scores(record)).items():
        client.set_model_version_tag(name, version, key, value)
    challenger = client.get_registered_model(name).aliases.get(CHALLENGER)
    if decision.alias == CHAMPION and str(challenger) == version:
        client.delete_registered_model_alias(name, CHALLENGER)
    client.set_registered_model_alias(name, decision.alias, version)
    return version


def roll_back(client: MlflowClient, name: str) -> tuple[str, str]:
    """Give the alias `champion` back to the version that had it before.

    Returns:
        The version that loses it, and the version that has it now.

    Raises:
        ValueError: If there is no champion, or none before it.
    """
    now = champion_of(client, name)
    if now is None:
        raise ValueError(f"The registry has no model {name!r} with a champion.")
    before = now.tags.get(BEFORE)
    if not before:
        raise ValueError(f"There was no champion of {name!r} before version {now.version}.")
    client.set_registered_model_alias(name, CHAMPION, before)
    when = datetime.fromtimestamp(time.time(), UTC).astimezone()
    client.set_model_version_tag(name, now.version, ROLLED_BACK, f"{when:%Y-%m-%d %H:%M}")
    return str(now.version), before


def _version(client: MlflowClient, name: str, model: LoggedModel) -> str:
    """The version of a model, which is created unless it exists."""
    try:
        client.get_registered_model(name)
    except MlflowException:
        client.create_registered_model(name)
    for version in client.search_model_versions(f"name='{name}'"):
        if model_id_of(version) == model.model_id:
            return str(version.version)
    made = client.create_model_version(
        name, model.artifact_location, model.source_run_id, model_id=model.model_id
    )
    # MLflow's own functions set it: the UI shows the versions of a logged model.
    known = json.loads(model.tags.get(MLFLOW_MODEL_VERSIONS, "[]"))
    versions = [*known, {"name": name, "version": made.version}]
    client.set_logged_model_tags(model.model_id, {MLFLOW_MODEL_VERSIONS: json.dumps(versions)})
    return str(made.version)


def _scores(record: StoredRun) -> dict[str, str]:
    """Tags with the scores of the report: `test/accuracy` is `0.9861 (0.9679 to 0.9941)`."""
    tags = {"backbone": record.tags.get("backbone", "")}
    for result in results_of(record, splits_of(record)):
        tags[f"{result.split}/images"] = str(result.images)
        tags[f"{result.split}/checkpoint"] = result.checkpoint
        for metric, score in result.scores.items():
            tags[f"{result.split}/{metric.name}"] = _score(score)
    return {key: value for key, value in tags.items() if value}


def _score(score: Score) -> str:
    if score.low != score.low:  # NaN: no interval
        return f"{score.value:.4f}"
    return f"{score.value:.4f} ({score.low:.4f} to {score.high:.4f})"


def _promotion(decision: Decision) -> dict[str, str]:
    """Tags with the decision and its evidence."""
    tags = {"promotion": decision.alias, "promotion.reason": decision.reason}
    if decision.before:
        tags[BEFORE if decision.alias == CHAMPION else "promotion.against"] = decision.before
    if decision.test is not None:
        tags["promotion.images"] = str(decision.images)
        tags |= {
            f"promotion.{key}": f"{value:.6g}" for key, value in decision.test._asdict().items()
        }
    return tags


def _description(card: str) -> str:
    """A card without metadata and title, which MLflow would show as text; cut before a section."""
    text = card.partition("\n---\n\n# ")[2].partition("\n")[2].strip()
    if len(text) <= MAX_DESCRIPTION:
        return text
    return text[: text.rfind("\n## ", 0, MAX_DESCRIPTION - len(MORE))] + MORE
