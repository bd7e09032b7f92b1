"""What the documents show works as it stands there."""

import re
import sys
from pathlib import Path

import numpy as np

from lightning_app.main import main

DOCS = Path(__file__).parents[1] / "docs"


def block(document, language):
    """The first block of code in a language."""
    return re.search(rf"```{language}\n(.*?)```", (DOCS / document).read_text(), re.DOTALL)[1]


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
    main(["fit", "--config", "flags.yaml", "--trainer.max_epochs=1", "--trainer.accelerator=cpu"])
    [run] = client.search_runs([client.get_experiment_by_name("flags").experiment_id])
    assert run.info.status == "FINISHED"
    assert 0 <= run.data.metrics["val/accuracy"] <= 1
