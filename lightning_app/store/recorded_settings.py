"""Recorded settings of a run: the configuration and its parameters; what a resumed fit changes."""

import json
from typing import Any

import yaml
from jsonargparse import ArgumentParser, Namespace
from mlflow.entities import Param, RunData

from lightning_app.store.parameters import affects_training, flatten
from lightning_app.store.stored_run import RESUMED

MAX_PARAMS = 100  # that MLflow accepts at once
MAX_VALUE = 6000  # characters of a value that MLflow accepts
NOT_SET = "null"

Changes = dict[str, tuple[str, str]]  # setting: before and now


def resolved_settings(parser: ArgumentParser, config: Namespace) -> dict[str, Any]:
    """A parsed configuration with all defaults, as plain values that `fit` and `test` accept again.

    Args:
        parser: Parser of the command.
        config: Its parsed settings; they were checked already.
    """
    text = parser.dump(config, format="json", skip_none=False, skip_validation=True)
    return json.loads(text)


def log_settings(client: Any, run_id: str | None, config: dict[str, Any], resumed: bool) -> Changes:
    """Log a configuration as `config/config.yaml` and as parameters.

    Parameters cannot change: a resumed run logs changed ones as tags.

    Args:
        client: MLflow client.
        run_id: Id of the run.
        config: The configuration with all defaults, without secrets.
        resumed: Whether the run has settings already; of a new run, nothing is asked.

    Returns:
        For a resumed run, the settings that differ from those that it has, if they can change what
        a network learns.
    """
    client.log_text(run_id, yaml.safe_dump(config, sort_keys=False), "config/config.yaml")
    known = _known_settings(client.get_run(run_id).data) if resumed else {}
    params = {key: value[:MAX_VALUE] for key, value in flatten(config).items()}
    changed = {
        key: (known.get(key, NOT_SET), params.get(key, NOT_SET))
        for key in sorted(known.keys() | params.keys())
        if known and known.get(key) != params.get(key)
    }
    for key, (before, now) in changed.items():
        if NOT_SET not in (before, now):
            client.set_tag(run_id, f"{RESUMED}{key}", now)
    new = [Param(key, value) for key, value in params.items() if key not in known]
    for start in range(0, len(new), MAX_PARAMS):
        client.log_batch(run_id, params=new[start : start + MAX_PARAMS])
    return {key: values for key, values in changed.items() if affects_training(key)}


def _known_settings(data: RunData) -> dict[str, str]:
    """Settings of the last fit of a run, as its parameters and tags say."""
    later = {key: value for key, value in data.tags.items() if key.startswith(RESUMED)}
    return data.params | {key.removeprefix(RESUMED): value for key, value in later.items()}
