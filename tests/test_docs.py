"""Examples in the documentation work as printed, and its links lead to files."""

import re
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import yaml

import callbacks
import models
from callbacks import OutputRecorder, PictureGallery
from callbacks.pictures import PICTURES
from lightning_app.main import main
from lightning_app.store.run_logger import RunLogger

DOCS = Path(__file__).parents[1] / "docs"


def code_block(document, language, number=0):
    """One of the code blocks of a document that are in a language, counted from 0."""
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / document).read_text(), re.DOTALL)[number]


def test_links_to_files_lead_to_files():
    root = DOCS.parent
    documents = [root / "README.md", root / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    links = [
        (document, link)
        for document in documents
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text("utf-8"))
        if not re.match(r"https?:", link)
    ]
    assert len(links) > 20
    broken = [(file.name, link) for file, link in links if not (file.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize(
    ("page", "module", "names"),
    [
        ("models.md", "models", set(models.HOMES)),
        ("callbacks.md", "callbacks", set(callbacks.HOMES)),
        ("callbacks.md", "callbacks.pictures", {cls.__name__ for cls in PICTURES.values()}),
    ],
)
def test_api_pages_list_all_members(page, module, names):
    """Without `__all__`, a bare `:members:` would document none of their classes."""
    text = (DOCS / "api" / page).read_text("utf-8")
    members = re.search(rf"automodule:: {module}\n   :members: ([\w,\s]+)", text)
    assert members
    assert names <= set(re.findall(r"\w+", members[1]))


def test_example_of_a_new_dataset_trains(workplace, client, monkeypatch):
    monkeypatch.syspath_prepend(workplace)
    monkeypatch.delitem(sys.modules, "flags", raising=False)
    Path("flags.py").write_text(code_block("adding.md", "python"))
    config = code_block("adding.md", "yaml")
    Path("flags.yaml").write_text(config.replace("datamodules.flags", "flags"))
    Path("data").mkdir()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (80, 32, 32, 3), dtype=np.uint8)
    np.savez("data/flags.npz", images=images, labels=np.arange(80) % 5)
    quick = ["--trainer.max_epochs=1", "--trainer.accelerator=cpu", "--report=false"]
    main(["fit", "--config", "flags.yaml", "--pictures.budget=0", *quick])
    [run] = client.search_runs([client.get_experiment_by_name("flags").experiment_id])
    assert run.info.status == "FINISHED"
    assert 0 <= run.data.metrics["val/accuracy"] <= 1


def test_example_of_a_new_picture_logs_figures_and_a_metric(
    make_classifier, make_trainer, synthetic, client
):
    code: dict = {"__name__": "confidence"}
    exec(compile(code_block("adding.md", "python", 1), "adding.md", "exec"), code)
    recorder, logger = OutputRecorder(), RunLogger("confidence")
    callbacks = [recorder, PictureGallery([code["Confidence"](when=1)], recorder, 1.0)]
    trainer = make_trainer(max_epochs=2, logger=logger, callbacks=callbacks)
    trainer.fit(make_classifier(), synthetic)
    files = [file.path for file in client.list_artifacts(logger.run_id, "images")]
    prefix = "images/val~confidence+step+"
    assert len([file for file in files if file.startswith(prefix) and "png" in file]) == 2
    assert 0.25 <= client.get_run(logger.run_id).data.metrics["val/mean_confidence"] <= 1


def test_settings_in_training_md_are_valid(workplace, capsys):
    document = (DOCS / "training.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", document, re.DOTALL)
    backbone = "model:\n  init_args:\n" + textwrap.indent(blocks[0], "    ")
    extras = [block.replace("class_path: ImageClassifier\n  ", "") for block in blocks[1:]]
    expected = ("layer4.*", "start: fitted", "layer3.27.bn1", "warmup_epochs: 2")
    expected += ("static_graph: true", "WeightAverage")
    for extra, text in zip((backbone, *extras), expected, strict=True):
        Path("extra.yaml").write_text(extra)
        base = ["--config", str(DOCS.parent / "configs" / "digits.yaml")]
        with pytest.raises(SystemExit, match="0"):
            main(["fit", *base, "--config", "extra.yaml", "--print_config"])
        assert text in capsys.readouterr().out


def test_settings_in_pictures_md_are_valid(workplace, capsys):
    Path("extra.yaml").write_text(code_block("pictures.md", "yaml"))
    base = ["--config", str(DOCS.parent / "configs" / "digits.yaml")]
    with pytest.raises(SystemExit, match="0"):
        main(["fit", *base, "--config", "extra.yaml", "--print_config"])
    config = yaml.safe_load(capsys.readouterr().out)
    shown = config["pictures"]
    assert shown["filters"]["init_args"]["layers"] == "convolutions"
    assert shown["grad_cam"]["init_args"]["layer"] == "layer4.2.conv3"
    assert shown["grad_cam"]["init_args"]["explain"] == "true"
    assert shown["honesty"] is False
    assert config["report"]["language"] == "zh"
