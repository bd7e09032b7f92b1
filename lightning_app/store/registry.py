"""MLflow's registry: models by name, version and alias, as `models:/NAME@ALIAS`."""

import re

from mlflow import MlflowClient
from mlflow.entities import LoggedModel
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

PREFIX = "models:/"
URI = re.compile(rf"{PREFIX}(?P<name>[^/@]+)(@(?P<alias>[^/@]+)|/(?P<version>\d+))")
MODEL_ID = re.compile(r"\bm-[0-9a-f]{32}\b")
FORMS = "models:/NAME@ALIAS or models:/NAME/VERSION"


def is_registered(wanted: object) -> bool:
    """Whether a user means a model of the registry."""
    return str(wanted).startswith(PREFIX)


def find_version(client: MlflowClient, uri: str) -> ModelVersion:
    """Find a version of a registered model.

    Args:
        client: Client of the store.
        uri: `models:/NAME@ALIAS` or `models:/NAME/VERSION`.

    Raises:
        ValueError: If it has another form, or there is no such model, alias or version.
    """
    if (parts := URI.fullmatch(uri)) is None:
        raise ValueError(f"{uri!r} is no registered model; expected {FORMS}.")
    name = parts["name"]
    try:
        model = client.get_registered_model(name)
    except MlflowException as error:
        known = ", ".join(repr(each.name) for each in client.search_registered_models())
        hint = f"it has {known}" if known else "it is empty: `lightning_cli promote` registers one"
        raise ValueError(f"The registry has no model {name!r}; {hint}.") from error
    number = parts["version"] or model.aliases.get(parts["alias"])
    versions = {str(each.version): each for each in client.search_model_versions(f"name='{name}'")}
    if number is None or str(number) not in versions:
        aliases = [f"@{alias}" for alias in sorted(model.aliases)]
        expected = ", ".join([*aliases, *(f"/{each}" for each in sorted(versions, key=int))])
        raise ValueError(f"There is no {uri}; the model {name!r} has {expected or 'no version'}.")
    return versions[str(number)]


def find_model(client: MlflowClient, uri: str) -> LoggedModel:
    """The logged model that a version was registered from; see `find_version`.

    Raises:
        ValueError: If there is no such version, or it was registered from elsewhere, so that its
            run is not known.
    """
    model_id = model_id_of(find_version(client, uri))
    if model_id is None:
        raise ValueError(
            f"{uri} was not registered by `lightning_cli promote`: it is of no run in this store."
        )
    return client.get_logged_model(model_id)


def model_id_of(version: ModelVersion) -> str | None:
    """Id of the logged model that a version was registered from; None for one from elsewhere.

    MLflow's SQL store does not keep the id itself, but it is part of the place of the files.
    """
    found = MODEL_ID.search(str(version.source))
    return found[0] if found else None
