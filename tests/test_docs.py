"""What the documents show works as it stands there."""

import re
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import yaml

from callbacks import OutputRecorder, PictureGallery
from lightning_app.main import main
from lightning_app.store.run_logger import RunLogger

DOCS = Path(__file__).parents[1] / "docs"


def block(document, language, number=0):
    """A block of code in a language."""
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / document).read_text(), re.DOTALL)[number]


def test_every_link_to_a_file_leads_to_one():
    above = DOCS.parent
    pages = [above / "README.md", above / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    links = [
        (page, link)
        for page in pages
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
        if not re.match(r"https?:", link)
    ]
    assert len(links) > 20
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def test_a_new_data_set_is_one_file_and_one_yaml(workplace, client, monkeypatch):
    monkeypatch.syspath_prepend(workplace)
    monkeypatch.delitem(sys.modules, "flags", raising=False)
    Path("flags.py").write_text(block("adding.md", "python"))
    config = block("adding.md", "yaml")
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


def test_a_new_picture_is_one_file(make_classifier, make_trainer, synthetic, client):
    code: dict = {"__name__": "confidence"}
    exec(compile(block("adding.md", "python", 1), "adding.md", "exec"), code)
    recorder, logger = OutputRecorder(), RunLogger("confidence")
    callbacks = [recorder, PictureGallery([code["Confidence"](when=1)], recorder, 1.0)]
    trainer = make_trainer(max_epochs=2, logger=logger, callbacks=callbacks)
    trainer.fit(make_classifier(), synthetic)
    files = [file.path for file in client.list_artifacts(logger.run_id, "images")]
    assert (
        len([f for f in files if f.startswith("images/val~confidence+step+") and "png" in f]) == 2
    )
    assert 0.25 <= client.get_run(logger.run_id).data.metrics["val/mean_confidence"] <= 1


def test_settings_of_the_training_document_are_settings(workplace, capsys):
    text = (DOCS / "training.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    network = "model:\n  init_args:\n" + textwrap.indent(blocks[0], "    ")
    model = blocks[2].replace("class_path: ImageClassifier\n  ", "")
    for number, extra in enumerate((network, blocks[1], model, blocks[3])):
        Path("extra.yaml").write_text(extra)
        base = ["--config", str(DOCS.parent / "configs" / "digits.yaml")]
        with pytest.raises(SystemExit, match="0"):
            main(["fit", *base, "--config", "extra.yaml", "--print_config"])
        marks = ("layer4.*", "layer3.27.bn1", "warmup_epochs: 2", "WeightAverage")
        assert marks[number] in capsys.readouterr().out


def test_settings_of_the_document_of_pictures_are_settings(workplace, capsys):
    Path("extra.yaml").write_text(block("pictures.md", "yaml"))
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
