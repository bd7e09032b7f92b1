"""Model card: what a run has recorded of its network, as Markdown that model hubs read.

Every sentence states what was recorded. What only a person can know is left to be filled in.
"""

from typing import Any

import yaml

from lightning_app.cli.model_card.groups import groups, subject
from lightning_app.cli.model_card.limits import explanations, limits
from lightning_app.cli.model_card.sections import (
    calibration,
    classes,
    confused,
    data,
    label_errors,
    scores,
    training,
)
from lightning_app.store.describe_run import class_names_of, describe_dataset, splits_of
from lightning_app.store.run_scores import Result, results_of
from lightning_app.store.stored_run import StoredRun

FILE = "model_card.md"  # among the artifacts of the run
TASK = "image-classification"
HUB_METRICS = {"accuracy": "accuracy", "f1_macro": "f1"}  # our names, and those of hubs
FOR_A_PERSON = (
    "*To be filled in by the person who publishes the model: what it is for, what it is not for, "
    "and its licence.*"
)
SHOWN = 20  # names of classes


def model_card(record: StoredRun, name: str) -> str:
    """Write the model card of a run.

    Args:
        record: The run.
        name: Name of the model.

    Returns:
        Markdown, with a YAML block of metadata in front.
    """
    splits = splits_of(record)
    results = results_of(record, splits)
    sections = {
        "Intended use": FOR_A_PERSON,
        "Data": data(record, splits),
        "Training": training(record),
        "Scores": scores(record, results),
        "Classes": classes(record),
        "Quantitative analysis by group": groups(record),
        "Calibration": calibration(record),
        "Confusions": confused(record),
        "Label errors": label_errors(record),
        "Explanations": explanations(record),
        "Evidence and subject": subject(record),
        "Limits": limits(record, splits, results),
    }
    shown = [f"## {title}\n\n{text}" for title, text in sections.items() if text]
    metadata = yaml.safe_dump(_metadata(record, name, results), sort_keys=False, allow_unicode=True)
    return "\n\n".join([f"---\n{metadata}---\n\n# {name}", _summary(record), *shown]) + "\n"


def _summary(record: StoredRun) -> str:
    """The network and its classes in a sentence or two."""
    names = class_names_of(splits_of(record))
    listed = ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
    of_classes = f" Its {len(names):,} classes: {listed}." if names else ""
    info = record.run.info
    return (
        f"Image classifier, {record.tags.get('backbone', 'network')}. From the run "
        f"{info.run_name} (`{info.run_id}`) of the experiment {record.experiment}.{of_classes}"
    )


def _metadata(record: StoredRun, name: str, results: list[Result]) -> dict[str, Any]:
    """The block that hubs read; see `model-index` in their documentation of model cards."""
    own = describe_dataset(record) or "unknown"
    found = [
        {
            "task": {"type": TASK, "name": "Image classification"},
            "dataset": _dataset(result.dataset or own, result.split),
            "metrics": [
                {"type": HUB_METRICS[metric.name], "name": metric.name, "value": round(value, 4)}
                for metric, (value, _, _) in result.scores.items()
                if metric.name in HUB_METRICS and value == value
            ],
        }
        for result in results
    ]
    block: dict[str, Any] = {"pipeline_tag": TASK, "library_name": "onnx", "tags": [TASK]}
    if backbone := record.tags.get("backbone"):
        block["tags"] = [TASK, backbone]
    if found:
        block["metrics"] = sorted({m["type"] for each in found for m in each["metrics"]})
        block["model-index"] = [{"name": name, "results": found}]
    return block


def _dataset(name: str, split: str) -> dict[str, str]:
    return {"name": name, "type": name.split(",")[0], "split": split}
