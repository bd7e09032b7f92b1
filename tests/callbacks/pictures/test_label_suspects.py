import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from lightning.pytorch import Trainer, seed_everything
from matplotlib.figure import Figure

from callbacks import OutputRecorder, PictureGallery
from callbacks.output_recorder import Outputs
from callbacks.pictures import LabelSuspects, PictureContext
from callbacks.plots.drawing.page import Picture
from datamodules import Options, SyntheticDataModule
from datamodules.label_fixes import with_fixes
from lightning_app.store.run_logger import RunLogger
from models import ImageClassifier, SmallCNN
from models.evaluation.predictions import Predictions
from models.explain import NothingToShow


@pytest.fixture(scope="module")
def flipped(tmp_path_factory):
    """Synthetic images, of which 5 % got a wrong label, and the labels of these."""
    data = SyntheticDataModule(num_images=400)
    rng = np.random.default_rng(0)
    rows = {}
    for split in ("train", "val"):
        source = data.sources[split]
        for index in rng.choice(len(source), round(0.05 * len(source)), replace=False):
            true = source.labels[index]
            wrong = (true + rng.integers(1, 4)) % 4
            rows[source.names[index]] = (data.class_names[true], data.class_names[wrong])
    lines = [f"{image},{true},{wrong}" for image, (true, wrong) in rows.items()]
    file = tmp_path_factory.mktemp("flips") / "flips.csv"
    file.write_text("\n".join(["image,label,suggested", *lines]))
    return SyntheticDataModule(num_images=400, options=Options(label_fixes=file)), rows


@pytest.fixture(scope="module")
def context(flipped):
    """A network trained on these images, and its outputs for the validation images."""
    data = flipped[0]
    seed_everything(0, verbose=False)
    optimizer = lambda groups: torch.optim.AdamW(groups, lr=3e-3)  # noqa: E731
    model = ImageClassifier(SmallCNN(8, 1), 4, optimizer=optimizer)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    quiet |= {"enable_model_summary": False, "use_distributed_sampler": False}
    trainer = Trainer(accelerator="cpu", max_epochs=6, limit_val_batches=0, **quiet)
    trainer.fit(model, data)
    batches = list(data.plain_batches("val", range(len(data.sources["val"]))))
    images, labels, indices = (torch.cat(part) for part in zip(*batches, strict=True))
    with torch.no_grad():
        logits = model.eval()(images)
    found = Outputs(Predictions(logits, labels, indices))
    return PictureContext(model, data.class_names, data.sample, "epoch 5", outputs=found, data=data)


def drawn(picture, context):
    return [content for _, content in picture.draw(context)]


def test_flipped_labels_are_found_and_corrected(context, flipped):
    _, rows = flipped
    _, table, text = drawn(LabelSuspects(), context)
    first = set(table["image"][: len(rows)])
    assert len(first & set(rows)) / len(rows) >= 0.9
    assert set(table["split"][: len(rows)]) == {"train", "val"}
    fixes = pd.read_csv(io.StringIO(text)).set_index("image")
    assert set(fixes.index) <= set(rows)  # no correct label is a likely error
    assert len(fixes) / len(rows) >= 0.6
    for image in fixes.index:
        assert tuple(fixes.loc[image, ["suggested", "label"]]) == rows[image]


def test_fixes_correct_the_labels_of_the_datamodule(context, flipped, tmp_path):
    data, rows = flipped
    (tmp_path / "label_fixes.csv").write_text(drawn(LabelSuspects(), context)[2])
    clean = SyntheticDataModule(400).sources["train"]
    corrected = with_fixes(data.sources, data.class_names, tmp_path / "label_fixes.csv")["train"]
    before = (data.sources["train"].labels != clean.labels).sum()
    assert before == sum(name in rows for name in clean.names)
    assert (corrected.labels != clean.labels).sum() <= 0.4 * before


def test_sheet_shows_each_suspect_with_both_labels(context):
    figure, table, _ = drawn(LabelSuspects(num_images=5), context)
    captions = figure.texts[1:]
    assert len(figure.findobj(Picture)) == len(captions) == 5
    columns = ("label", "label_probability", "suggested", "suggested_probability", "split")
    rows = zip(*(table[column][:5] for column in columns), strict=True)
    for text, (label, low, other, high, split) in zip(captions, rows, strict=True):
        expected = f"label {label}: {100 * low:.0f} %\n→ {other}: {100 * high:.0f} %\n{split}"
        assert text.get_text() == expected
    title = " ".join(figure.get_suptitle().split())
    assert "Likely label errors, epoch 5: " in title
    assert title.endswith(
        "Probabilities: the network's, corrected by a fitted temperature (val); those of linear "
        "classifiers on features of the network, each fitted without the image (train)"
    )


def test_untrained_network_suggests_no_fixes(context):
    guesses = torch.randn(
        context.predictions.logits.shape, generator=torch.Generator().manual_seed(0)
    )
    poor = Outputs(replace(context.predictions, logits=guesses))
    picture = LabelSuspects(training=False)
    shown = [content for _, content in picture.draw(replace(context, outputs=poor))]
    assert [type(content) for content in shown] == [Figure, dict]
    predictions = poor.predictions
    number, total = int((predictions.predicted != predictions.labels).sum()), len(predictions)
    title, said = " ".join(shown[0].get_suptitle().split()), shown[1]["doubt"][0]
    assert title.startswith(f"Likely label errors, epoch 5: none, {said} Below")
    assert said.startswith(f"another class is preferred for {number} of {total} images (")
    assert said.endswith("more than 25%, so the network has probably learned too little to tell")
    assert not any(shown[1]["confident"])


def test_without_training_images_the_outputs_are_reused(context):
    class NoPass(torch.nn.Module):
        def forward(self, images):
            raise AssertionError("a second pass over the validation images")

    validated = replace(context, model=NoPass())
    _, table, _ = drawn(LabelSuspects(training=False), validated)
    assert set(table["split"]) == {"val"}
    assert sorted(table["rank"]) == list(range(1, len(context.predictions.labels) + 1))


def test_training_images_are_limited_evenly(context):
    _, table, _ = drawn(LabelSuspects(max_images=40), context)
    evaluated = [
        n for n, split in zip(table["image"], table["split"], strict=True) if split == "train"
    ]
    places = sorted(context.data.sources["train"].names.index(name) for name in evaluated)
    assert len(evaluated) == 40
    assert set(np.diff(places)) <= {6, 7}


def test_fixes_of_test_images_have_their_own_file(context):
    context.data.sources["test"] = context.data.sources["val"]
    test = replace(context, split="test")
    names = [name for name, _ in LabelSuspects().draw(test)]
    assert names == ["label_suspects", "label_suspects", "label_fixes_test.csv"]


def test_drawing_does_not_change_the_network(context):
    before = {name: tensor.clone() for name, tensor in context.model.state_dict().items()}
    drawn(LabelSuspects(), context)
    assert not any(module._forward_hooks for module in context.model.modules())
    assert all(p.grad is None or p.grad.isfinite().all() for p in context.model.parameters())
    assert all(before[name].equal(tensor) for name, tensor in context.model.state_dict().items())


def test_run_without_labels_or_data_has_nothing_to_show(context):
    unknown = torch.full_like(context.predictions.labels, -1)
    unlabelled = Outputs(replace(context.predictions, labels=unknown))
    with pytest.raises(NothingToShow, match="the images have no labels"):
        drawn(LabelSuspects(), replace(context, outputs=unlabelled))
    with pytest.raises(NothingToShow, match="can only be found with a datamodule"):
        drawn(LabelSuspects(), replace(context, data=None))


@pytest.mark.parametrize("name", ["num_images", "max_images"])
def test_zero_images_are_refused(name):
    with pytest.raises(ValueError, match=rf"pictures\.label_suspects\.{name} is 0; expected 1"):
        LabelSuspects(**{name: 0})


def test_fit_logs_figure_table_and_fixes(make_classifier, make_trainer, synthetic, client):
    recorder, logger = OutputRecorder(), RunLogger("suspects")
    callbacks = [recorder, PictureGallery([LabelSuspects()], recorder)]
    trainer = make_trainer(max_epochs=1, logger=logger, callbacks=callbacks)
    trainer.fit(make_classifier(), synthetic)
    found = {
        file.path
        for part in ("", "figures", "tables")
        for file in client.list_artifacts(logger.run_id, part)
    }
    assert {
        "label_fixes.csv",
        "figures/val_label_suspects.png",
        "tables/label_suspects_val.json",
    } <= found
