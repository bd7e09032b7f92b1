"""The ablations that the project ships, each from its file to its table.

The base is trained and scored by the commands. A variation, which has been parsed and built by the
check of the settings, trains on a batch without them and gets the predictions of the base: commands
take most of the time, and are the same for all.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.utils.class_weight import compute_class_weight

from lightning_app.cli.child_runs import checks
from lightning_app.cli.child_runs.runner import Runner
from lightning_app.main import main

ROOT = Path(__file__).parents[3]
QUICK = [
    "--trainer.max_epochs=1",
    "--trainer.limit_train_batches=1",
    "--trainer.limit_val_batches=1",
    "--trainer.enable_progress_bar=false",
    "--report=false",
    "--pictures.budget=0",
    "--data.num_workers=0",
    "--data.batch_size=6",
]
SCENES = ("scenes", ["--data.image_size=32", "--model.backbone.depths=[1,1]"])
SIMPSONS = ("simpsons20", ["--data.image_size=32", "--trainer.precision=32"])
FACES = ("faces", ["--data.split.val_last_n=7"])
CHARACTERS = ("simpsons", ["--data.image_size=32", "--model.backbone.pretrained=false"])
ABLATIONS = {
    "scenes_remove_classes": ("scenes", [*SCENES[1], "--model.backbone.group_width=2"]),
    "fer2013_cnn_dnn": FACES,
}
SIMILAR = {  # to one of those above
    "simpsons_variants": SIMPSONS,
    "unfreezing": CHARACTERS,
    "scenes": SCENES,
    "scenes_recipe": SCENES,
    "fer2013_dnn_recipe": FACES,
    "fer2013_recipe": FACES,
}
EXPERIMENTS = {"simpsons20": "simpsons", "faces": "fer2013"}  # if not called as the data are


def test_published_class_weights_are_balanced_over_all_rows():
    counts = [3995, 436, 4097, 7215, 4830, 3171, 4965]  # before the validation rows are set aside
    labels = np.repeat(np.arange(7), counts)
    expected = compute_class_weight("balanced", classes=np.arange(7), y=labels)
    plan = yaml.safe_load((ROOT / "ablations" / "fer2013_cnn_dnn.yaml").read_text())
    weights = plan["variations"]["class weights"]["model.loss.class_weights"]
    assert weights == pytest.approx(expected, abs=5e-5)


@pytest.fixture
def quick_variations(in_this_process, make_trainer, monkeypatch):
    """Train a variation as it was built by the check; see the head of this file."""
    built, names, run, start = {}, [], checks.run, Runner._start

    def run_and_keep(arguments, cli):
        checked = run(arguments, cli)
        built[tuple(arguments[1:])] = checked.config_init["fit"]
        return checked

    def start_quickly(self, command, child, *others):
        names.append(child.variation)
        if child.variation == names[0]:
            start(self, command, child, *others)
        elif command == "fit":
            settings = built.pop(child.arguments)
            callbacks = settings.trainer.callbacks or []
            limits = {"limit_train_batches": 1, "limit_val_batches": 1}
            trainer = make_trainer(max_epochs=1, callbacks=callbacks, **limits)
            trainer.fit(settings.model, settings.data)
            leave_run(self.parent, child)
        else:
            copy_predictions(self.parent, names[0], child)

    monkeypatch.setattr(checks, "run", run_and_keep)
    monkeypatch.setattr(Runner, "_start", start_quickly)


def leave_run(parent, child):
    """Leave a finished run with a checkpoint."""
    client, experiment = parent.client, parent.run.info.experiment_id
    run = client.create_run(experiment, tags=parent.tags(child))
    client.set_terminated(run.info.run_id)
    folder = parent.settings.root / "checkpoints" / parent.settings.experiment / run.info.run_id
    folder.mkdir(parents=True)
    (folder / "best.ckpt").touch()


def copy_predictions(parent, base, child):
    """Log the predictions of the base to the run of a variation."""
    query = f"tags.variation = '{base}'"
    [source] = parent.client.search_runs([parent.run.info.experiment_id], query)
    folder = parent.client.download_artifacts(source.info.run_id, "predictions")
    parent.client.log_artifacts(parent.find(child).info.run_id, folder, "predictions")


FILES = [
    pytest.param(file, id=file.stem, marks=[pytest.mark.slow] * (file.stem in SIMILAR))
    for file in sorted((ROOT / "ablations").glob("*.yaml"))
]


@pytest.mark.parametrize("file", FILES)
def test_every_ablation_runs_to_its_table(request, in_this_process, client, file):
    data, small = (ABLATIONS | SIMILAR)[file.stem]
    place = request.getfixturevalue(data)
    excluding = file.stem == "scenes_remove_classes"
    if not excluding:
        request.getfixturevalue("quick_variations")
    main(["ablate", f"ablations/{file.name}", "--seeds", "0", *QUICK, *small])
    plan = yaml.safe_load((place / "ablations" / file.name).read_text())
    experiment_id = client.get_experiment_by_name(EXPERIMENTS.get(data, data)).experiment_id
    [parent] = client.search_runs([experiment_id], "tags.ablation != ''")
    table = pd.read_csv(client.download_artifacts(parent.info.run_id, "ablation.csv"))
    rows = [name for name in table.variation if not name.endswith(": other classes")]
    assert rows == [plan.get("base_name", "base"), *plan["variations"]]
    assert len(table) - len(rows) == (len(plan["variations"]) if excluding else 0)
