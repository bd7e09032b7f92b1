"""Parser of the command line."""

import pytest
import yaml

from lightning_app.main import main

BASE = """\
data:
  class_path: DigitsDataModule
  init_args: {split: {val_last_n: 10}, num_workers: 2}
model:
  class_path: ImageClassifier
  init_args:
    backbone: SmallCNN
    lr_scheduler: CosineDecay
"""


@pytest.mark.parametrize(
    "setting", ["data.split.val_last_n", "data.num_workers", "model.lr_scheduler"]
)
def test_null_unsets_a_setting(workplace, capsys, setting):
    (workplace / "base.yaml").write_text(BASE)
    with pytest.raises(SystemExit, match="0"):
        main(["fit", "--config", "base.yaml", f"--{setting}", "null", "--print_config"])
    value = yaml.safe_load(capsys.readouterr().out)
    for key in setting.split("."):
        value = value["init_args"][key] if "class_path" in value else value[key]
    assert value is None
