"""The command `lightning_cli promote`: register a model; the better one is the champion."""

import argparse
from contextlib import ExitStack

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run

from datamodules.redaction import redact_text
from lightning_app.cli.model_card.model_card import FILE, model_card
from lightning_app.commands.promote.decision import Champion, Decision, decide
from lightning_app.commands.promote.registration import (
    CHAMPION,
    champion_of,
    check_name,
    register,
    roll_back,
)
from lightning_app.store.locations import artifact_location, tracking_uri
from lightning_app.store.logged_models import logged_model_of
from lightning_app.store.registry import find_model
from lightning_app.store.run_words import BEST, LAST
from lightning_app.store.runs import find_run, name_with_id, open_store
from lightning_app.store.stored_run import StoredRun, open_stored_run

DESCRIPTION = """\
Register the model of a run, with its scores as tags and its model card as description. It becomes
the champion if the paired test of `compare`, on the champion's test images, shows that its accuracy
is not lower by more than the margin; else it becomes the challenger. The first becomes the
champion. `models:/NAME@champion` then names its run in every command.
"""


def promote(args: list[str]) -> None:
    """Register a model and decide on its alias, or give the champion before its alias back.

    Args:
        args: The command line after `promote`.

    Raises:
        ValueError: If there is no such run or model, or the run was not tested.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parse(args)
    check_name(options.name)
    client = open_store()
    if options.rollback:
        before, now = roll_back(client, options.name)
        print(f"Champion    models:/{options.name}/{now}, instead of version {before}")
        return
    with ExitStack() as stack:
        run = find_run(client, options.run)
        model = logged_model_of(client, run) or _log_model(run)
        record = stack.enter_context(open_stored_run(client, client.get_run(run.info.run_id)))
        champion = _champion(client, options.name, stack)
        decision = decide(record, model, champion, options.margin / 100, options.force)
        card = model_card(record, options.name)
        client.log_text(run.info.run_id, card, FILE)
        version = register(client, record, model, options.name, decision, card)
    _print(options.name, version, decision, run)


def _log_model(run: Run) -> LoggedModel:
    """Log the model of a run that has none, such as a child run of an ablation."""
    from lightning_app.cli.networks.exportable import Exportable  # torch takes seconds to import
    from lightning_app.cli.networks.logged_model import log_model

    print(f"Model       {name_with_id(run)} has none; its best checkpoint is logged now")
    return log_model(Exportable(run.info.run_id))


def _champion(client: MlflowClient, name: str, stack: ExitStack) -> Champion | None:
    version = champion_of(client, name)
    if version is None:
        return None
    uri = f"models:/{name}/{version.version}"
    model, run = find_model(client, uri), find_run(client, uri)
    record: StoredRun = stack.enter_context(open_stored_run(client, run))
    return Champion(str(version.version), record, model)


def _print(name: str, version: str, decision: Decision, run: Run) -> None:
    print(f"Registered  models:/{name}/{version}, of {name_with_id(run)}")
    print(f"Alias       {decision.alias}: {decision.reason}")
    print(f"Card        {artifact_location(run, FILE)}")
    if decision.alias == CHAMPION:
        model = f"models:/{name}@{CHAMPION}"
        print(f"Serve       MLFLOW_TRACKING_URI={redact_text(tracking_uri())} \\")
        print(f"            mlflow models serve -m {model} --env-manager local")


def _parse(args: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("lightning_cli promote", description=DESCRIPTION)
    parser.add_argument(
        "run", metavar="RUN", nargs="?", help=f"id or name of a run, {BEST} or {LAST}"
    )
    parser.add_argument("--name", required=True, help="name of the registered model")
    parser.add_argument(
        "--margin",
        type=float,
        default=0.0,
        metavar="POINTS",
        help="percentage points of accuracy that the champion may lose (default: 0)",
    )
    parser.add_argument(
        "--force", default="", metavar="REASON", help="make it the champion anyway; say why"
    )
    parser.add_argument(
        "--rollback", action="store_true", help="make the champion before the champion again"
    )
    options = parser.parse_args(args)
    if (options.run is None) != options.rollback:
        parser.error("name a RUN to promote, or give --rollback without a RUN")
    if not 0 <= options.margin <= 100:
        parser.error(f"--margin is {options.margin:g}; expected 0 to 100 percentage points")
    return options
