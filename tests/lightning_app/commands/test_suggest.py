"""Images to label next, of a folder with near-copies."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lightning_app.main import main


@pytest.fixture
def photos(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(trained)
    rng = np.random.default_rng(0)
    for number in range(6):
        pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        for copy in range(1 + (number == 0)):
            Image.fromarray(pixels).save(tmp_path / f"{number}_{copy}.png")
    return tmp_path


def test_chosen_images_are_in_the_table_and_copies_once(photos, tmp_path, capsys):
    out = tmp_path / "out"
    main(["suggest", "--ckpt_path", "best", str(photos), "--count", "5", "--out", str(out)])
    table = pd.read_csv(out / "suggestions.csv")
    assert 1 <= len(table) <= 5
    assert table["image"].is_unique
    assert not {str(photos / "0_0.png"), str(photos / "0_1.png")} <= set(table["image"])
    assert (table["confidence"] >= table["confidence_2"]).all()
    assert (out / "suggestions.png").stat().st_size > 0
    assert "of 7 images; the most useful one comes first" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ckpt_path", "best"], "needs a network and images"),
        (["--ckpt_path", "best", ".", "--count", "0"], "Expected --count of 1 or more, got 0"),
    ],
)
def test_what_is_missing_is_said(capsys, arguments, message):
    with pytest.raises(SystemExit, match="1"):
        main(["suggest", *arguments])
    assert message in capsys.readouterr().err
