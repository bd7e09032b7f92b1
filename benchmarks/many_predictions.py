"""What reports and comparisons of very many predictions cost: CPU time and memory.

    uv run python benchmarks/many_predictions.py
    uv run python benchmarks/many_predictions.py --sizes 50000x1000

Two runs that were tested on the same images, 1,000,000 of 10 classes and 50,000 of 1,000. Each
command is a process of its own, and its seconds and its peak of memory are those of the whole
process, imports included. `test` is what a test does once the logits are there: the tables and
figures of the scores, calibration and prediction sets, and the table of predictions. There are no
images: pictures that show some, and contact sheets, are left out.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from results import Row, options_of, publish

QUICK = ["--sizes", "5000x10"]
SIZES = ("1000000x10", "50000x1000")  # images, classes
REPORTS = {"report": ["report", "run 1"], "compare": ["compare", "run 0", "run 1"]}
PICTURES = ("confusion", "per_class", "calibration", "prediction_sets")
STAGE = "--stage"


def store_tests(number: int, num_classes: int) -> None:
    """Store two runs with their predictions of a test, its tables and figures."""
    import torch
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput, InputTag

    from lightning_app.store.locations import ROOT, create_experiment, tracking_uri

    torch.set_num_threads(1)
    ROOT.mkdir()
    client = MlflowClient(tracking_uri())
    experiment = create_experiment(client, "many", ROOT, tracking_uri())
    names = [f"class {index:04d}" for index in range(num_classes)]
    labels = torch.arange(number) % num_classes
    counts = labels.bincount(minlength=num_classes).tolist()
    profile = str({"num_images": number, "class_counts": dict(zip(names, counts, strict=True))})
    for seed in (0, 1):
        run_id = client.create_run(experiment, run_name=f"run {seed}").info.run_id
        dataset = Dataset("Many/test", "0123abcd", "local", "{}", profile=profile.replace("'", '"'))
        tags = [InputTag("mlflow.data.context", "test")]
        client.log_inputs(run_id, [DatasetInput(dataset, tags)])
        _store_test(client, run_id, labels, names, seed)
        client.set_terminated(run_id)


def _store_test(client: Any, run_id: str, labels: Any, names: list[str], seed: int) -> None:
    import pandas as pd
    import torch
    from matplotlib.figure import Figure

    from callbacks.output_recorder import Outputs
    from callbacks.pictures import PICTURES as ALL
    from callbacks.pictures.picture import PictureContext
    from callbacks.prediction_writer import prediction_columns, uncertainty_columns
    from callbacks.tracking import store_figure, store_table
    from models.evaluation.predictions import Predictions
    from models.evaluation.uncertainty import fit_uncertainty

    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(len(labels), len(names), generator=generator)
    logits[torch.arange(len(labels)), labels] += 3
    predictions = Predictions(logits, labels, torch.arange(len(labels)))
    model: Any = torch.nn.Identity()
    model.uncertainty = fit_uncertainty(logits[:10_000], labels[:10_000], None)
    sample = torch.empty(0)
    context = PictureContext(
        model, names, lambda n: (sample, sample), "test", "test", outputs=Outputs(predictions)
    )
    for picture in PICTURES:
        for name, content in ALL[picture]().draw(context):
            if isinstance(content, dict):
                store_table(client, run_id, content, f"{name}_test")
            elif isinstance(content, float):
                client.log_metric(run_id, f"test/{name}", content)
            elif isinstance(content, Figure):
                store_figure(client, run_id, content, f"figures/test_{name}.png")
    columns = {
        "image": [f"n{label:08d}/{row:08d}.JPEG" for row, label in enumerate(labels.tolist())],
        "label": [names[label] for label in labels.tolist()],
        **prediction_columns(predictions, names, 3),
        **uncertainty_columns(model.uncertainty, predictions, None, names),
    }
    client.log_metric(run_id, "test/accuracy", float(predictions.correct.float().mean()))
    client.log_text(run_id, pd.DataFrame(columns).to_csv(index=False), "predictions/test.csv")


def command(arguments: list[str]) -> None:
    """Run a command in one thread."""
    import torch

    from lightning_app.main import main

    torch.set_num_threads(1)
    main(arguments)


def measured(place: str, *arguments: str) -> dict[str, float]:
    """CPU seconds and peak of memory of a process."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).resolve()), STAGE, *arguments],
        cwd=place,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{arguments} failed")
    return {"CPU s": used.ru_utime + used.ru_stime, "peak MB": used.ru_maxrss / 1024}


def measure(number: int, num_classes: int) -> Iterator[Row]:
    """A row per command."""
    size = {"images": number, "classes": num_classes}
    with tempfile.TemporaryDirectory() as place:
        both = measured(place, "test", str(number), str(num_classes))
        yield size | {"command": "test"} | both | {"CPU s": both["CPU s"] / 2}  # of one of two runs
        for name, arguments in REPORTS.items():
            row = size | {"command": name} | measured(place, *arguments, "--out", f"{name}.html")
            yield row | {"page MB": Path(place, f"{name}.html").stat().st_size / 1e6}


def main() -> None:
    """Publish a row per size and command."""
    parser = options_of(__doc__)
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="IMAGESxCLASSES")
    options = parser.parse_args()
    rows = []
    for size in options.sizes:
        for row in measure(*map(int, size.split("x"))):
            rows.append(row)
            print(row, file=sys.stderr, flush=True)
    publish("many_predictions", rows, options.out)


if __name__ == "__main__":
    if sys.argv[1:2] != [STAGE]:
        main()
    elif sys.argv[2] == "test":
        store_tests(*map(int, sys.argv[3:]))
    else:
        command(sys.argv[2:])
