"""HTML page of a report, made from runs that the tests write into a store."""

import re
from pathlib import Path

import numpy as np
import pytest

from lightning_app.commands.report import report_page
from lightning_app.pages import data_uris
from models.evaluation.wilson import wilson

ODD = '<b>&"'
CLASSES = {ODD: 30, "猫": 40, "$a_b$": 30}


def test_table_cells_break_between_words_only():
    """Otherwise a narrow page breaks names into columns of single letters."""
    style = Path(data_uris.__file__).with_name("templates") / "style.css"
    [rule] = re.findall(r"\nth, td \{.*\}", style.read_text())
    assert "overflow-wrap: break-word" in rule


def test_run_that_failed_at_once_has_a_report(make_run, page_of):
    page = page_of(make_run(status="FAILED"))
    assert "net-1a2b" in page.text
    assert "This run ended with an error." in page.text
    assert "This run has no pictures." in page.text
    assert "Nothing was validated or tested, so there are no scores." in page.text


@pytest.mark.parametrize(("status", "word"), [("KILLED", "interrupted"), ("RUNNING", "running")])
def test_end_state_is_shown(make_run, page_of, client, status, word):
    run_id = make_run(status=status)
    assert word in page_of(run_id).words


def test_run_that_hardly_learned_its_training_images_says_so(make_run, add_split, page_of):
    runs = [make_run(metrics={"train/accuracy": accuracy}) for accuracy in (0.42, 0.9)]
    for run_id in runs:
        add_split(run_id, "train", CLASSES)
    little, enough = (page_of(run_id).text for run_id in runs)
    assert "only 42 % correct in the last epoch" in little
    assert "always predicting the most frequent class gives 40 %" in little
    assert "correct in the last epoch" not in enough


def test_times_of_training_and_of_pictures_are_told_apart(make_run, page_of, client):
    run_id = make_run(metrics={"time/pictures": 90.0})
    for epoch in range(3):
        client.log_metric(run_id, "time/epoch", 20.0, step=epoch)
    words = page_of(run_id).words
    assert words[words.index("training time") - 1] == "1 min"
    assert words[words.index("of it pictures") + 1] == "1 min 30 s"


def test_title_is_in_the_language_of_the_report(make_run, page_of):
    run_id = make_run(name=f"run {ODD}")
    for language, lang, title in (("en", "en", "Training report"), ("zh", "zh-Hans", "训练报告")):
        page = page_of(run_id, language)
        assert page.all("html") == [{"lang": lang}]
        assert f"run {ODD}: {title}" in page.words


def test_class_names_are_escaped(make_run, add_split, page_of):
    scores = {"class": [ODD], "precision": [0.5], "recall": [0.5], "f1": [0.5], "support": [3]}
    confusions = {
        "true": [ODD],
        "predicted": ["猫"],
        "images": [2],
        "share of the true class": [0.25],
    }
    run_id = make_run(tables={"per_class_val": scores, "confusions_val": confusions})
    add_split(run_id, "train", CLASSES)
    page = page_of(run_id)
    assert page.words.count(ODD) == 3  # counts, scores, confusions
    assert f"{ODD}, 猫, $a_b$" in page.words
    assert "25.0 %" in page.words
    assert '<b>&"' not in page.source


def test_scores_are_metrics_with_the_intervals_of_the_table(make_run, add_split, page_of):
    metrics = {
        "test/accuracy": 0.91234,
        "test/f1_macro": 0.9,
        "val/accuracy": 0.95,
        "val/loss": 0.2,
    }
    table = {
        "metric": ["accuracy", "f1_macro"],
        "value": [0.91234, 0.9],
        "low": [0.88, 0.86],
        "high": [0.93, 0.935],
    }
    run_id = make_run(metrics=metrics, tables={"scores_test": table})
    add_split(run_id, "val", CLASSES)
    words = page_of(run_id).words
    for expected in ("91.23 %", "88.00 to 93.00", "90.00 %", "86.00 to 93.50", "95.00 %", "0.2"):
        assert expected in words
    low, high = wilson(0.95, 100)  # of the validation split, which has no table
    assert f"{100 * low:.2f} to {100 * high:.2f}" in words


def test_accuracy_without_copies_of_training_images_is_given(make_run, add_split, page_of):
    table = {
        "images": ["all", "without copies", "copies"],
        "number": [2000, 1850, 150],
        "correct": [878, 764, 114],
        "accuracy": [0.439, 764 / 1850, 0.76],
        "low": [0.417, 0.391, 0.686],
        "high": [0.461, 0.436, 0.821],
    }
    run_id = make_run(metrics={"test/accuracy": 0.439}, tables={"copies_test": table})
    assert (
        "150 of the 2,000 images (test) are exact copies of training images. Accuracy is 43.90 % "
        "(41.70 to 46.10) with them and 41.30 % (39.10 to 43.60) without them."
    ) in page_of(run_id).text
    assert "39.10 至 43.60" in page_of(run_id, "zh").text


def test_corner_without_which_the_network_fails_is_named(make_run, page_of):
    table = {
        "part": ["border", "lower right corner", "lower right corner", "centre"],
        "how": ["blurred", "blurred", "exchanged", "exchanged"],
        "accuracy as it is": [0.97] * 4,
        "accuracy without": [0.96, 0.4, 0.31, 0.2],
        "costly": [False, True, True, False],
    }
    run_id = make_run(metrics={"val/accuracy": 0.97}, tables={"shortcuts_val": table})
    text = page_of(run_id).text
    said = "(exchanged between images) the accuracy falls from 97 % to 31 %."
    assert f"Without the lower right corner {said}" in text
    assert text.count("the accuracy falls from") == 1
    assert "去掉右下角" in page_of(run_id, "zh").text


def test_maps_that_failed_a_check_are_named_above_the_pictures(make_run, page_of, client, gray):
    table = {
        "method": ["grad_cam", "vanilla", "guided"], "images": [16, 16, 16],
        "flat maps": [0.0, 0.0, 0.75], "randomization": [0.1, 0.83, None],
        "deletion": [0.1, 0.2, 0.3], "deletion elsewhere": [0.4, 0.5, 0.3],
        "p-value": [0.001, 0.002, 1.0], "failed": ["", "randomization", "flat"],
    }  # fmt: skip
    run_id = make_run(metrics={"val/accuracy": 0.97}, tables={"honesty_val": table})
    client.log_image(run_id, gray(200), key="val/gradient_rollout", step=4)
    text = page_of(run_id).text
    similar = "Do not trust the maps of vanilla: random weights give nearly the same maps (rank"
    assert text.index(f"{similar} correlation 0.83).") < text.index("Class activation")
    assert "Do not trust the maps of guided: 75 % of them are the same everywhere." in text
    assert "maps of grad_cam" not in text
    assert "不要相信 vanilla 的热图" in page_of(run_id, "zh").text


def test_images_of_a_class_are_counted_over_all_splits(make_run, add_split, page_of):
    run_id = make_run()
    add_split(run_id, "train", {"cat": 3689, "dog": 7})
    add_split(run_id, "val", {"cat": 306})
    words = page_of(run_id).words
    assert words[words.index("cat", words.index("all")) :][:4] == ["cat", "3,995", "3,689", "306"]


def test_peak_memory_is_a_fact_of_the_run(make_run, page_of):
    words = page_of(make_run(metrics={"memory/peak": 812.3})).words
    assert words[words.index("Peak memory") + 1] == "812 MiB (process)"
    assert "Peak memory" not in page_of(make_run()).words


def test_wilson_interval_has_the_published_values():
    assert wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)


def test_interval_that_does_not_contain_the_score_is_left_out(make_run, page_of):
    table = {"metric": ["f1_macro"], "value": [0.5], "low": [0.4], "high": [0.6]}
    run_id = make_run(
        metrics={"val/accuracy": 0.9, "val/f1_macro": 0.9}, tables={"scores_val": table}
    )
    assert "40.00 to 60.00" not in page_of(run_id).text


def test_report_of_an_untested_run_says_so(make_run, page_of):
    page = page_of(make_run(metrics={"val/accuracy": 0.9}))
    assert "The network was not tested." in page.text
    assert "accuracy, validation, last (epoch 0)" in page.words


def test_worst_classes_come_first_without_classes_that_have_no_images(make_run, page_of):
    scores = {
        "class": ["good", "none", "bad"],
        "precision": [0.9, None, 0.4],
        "recall": [0.9, None, 0.3],
        "f1": [0.9, None, 0.35],
        "support": [10, 0, 10],
        "f1_low": [0.8, None, 0.2],
        "f1_high": [1.0, None, 0.5],
    }
    words = page_of(make_run(tables={"per_class_val": scores})).words
    assert words.index("bad") < words.index("20.0 to 50.0") < words.index("good")
    assert "none" not in words


def test_best_epoch_is_the_one_of_the_monitored_metric(make_run, client, page_of):
    run_id = make_run({"best_checkpoint.monitor": "val/loss", "best_checkpoint.mode": "min"})
    for epoch, loss in enumerate((0.5, 0.25, 0.75)):
        client.log_metric(run_id, "val/loss", loss, step=epoch)
    assert "The best val/loss is 0.2500, in epoch 1 (counted from 0);" in page_of(run_id).text


def test_every_picture_is_embedded_and_the_last_epoch_is_shown(make_run, client, page_of, gray):
    run_id = make_run()
    for epoch in (0, 1, 4):
        client.log_image(run_id, gray(50 + epoch), key="val/filters/layer1.0", step=epoch)
    client.log_image(run_id, gray(200), key="val/grad_cam", step=4)
    page = page_of(run_id)
    assert sorted(int(image.mean()) for image in page.images()) == [50, 51, 54, 200]
    radios = [i for i in page.all("input") if i["type"] == "radio"]
    assert [("checked" in radio) for radio in radios] == [False, False, True]
    assert "layer1.0" in page.words  # filters do not belong to a split
    assert "validation" in page.words  # of the other picture, which has no layer


def test_later_picture_of_the_same_epoch_replaces_the_earlier_one(make_run, client, page_of, gray):
    run_id = make_run()
    client.log_image(run_id, gray(10), key="val/filters", step=2, timestamp=2000)
    client.log_image(run_id, gray(20), key="val/filters", step=2, timestamp=3000)
    assert [int(image.mean()) for image in page_of(run_id).images()] == [20]


def test_layers_are_in_order_and_test_comes_before_validation(make_run, client, page_of, gray):
    run_id = make_run()
    for name in ("val_saliency", "val_filters/layer10", "val_filters/layer2", "test_saliency"):
        client.log_image(run_id, gray(99), f"figures/{name}.png")
    captions = [word for word in page_of(run_id).words if word in ("test", "validation")]
    assert captions == ["test", "validation"]
    words = page_of(run_id).words
    assert words.index("layer2") < words.index("layer10")


def test_pictures_without_epochs_have_the_captions_of_their_split(make_run, client, page_of, gray):
    run_id = make_run()
    for name in ("test_confusion_matrix", "val_mistakes/top_loss", "learning_curves"):
        client.log_image(run_id, gray(99), f"figures/{name}.png")
    client.log_image(run_id, gray(99), "explanations/grad_cam.png")
    client.log_image(run_id, gray(99), "explanations/grad_cam/photo.png")  # one of many
    page = page_of(run_id)
    assert len(page.images()) == 4
    for words in ("test", "validation · highest losses", "your images", "Learning curves"):
        assert words in page.words


def test_unknown_picture_is_shown_by_its_name(make_run, client, page_of, gray):
    run_id = make_run()
    client.log_image(run_id, gray(7), key="val/camera_noise", step=0)
    page = page_of(run_id)
    assert page.words.index("More pictures") < page.words.index("camera_noise")
    assert [int(image.mean()) for image in page.images()] == [7]


def test_report_is_self_contained(make_run, client, page_of, gray):
    run_id = make_run()
    client.log_image(run_id, gray(7), key="val/filters", step=0)
    page = page_of(run_id)
    links = [
        a[key] for _, a in page.tags for key in ("src", "href", "srcset", "action") if key in a
    ]
    assert links
    assert all(link.startswith("data:image/") for link in links)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert "url(" not in page.source
    assert "@import" not in page.source


def test_epochs_in_between_are_left_out_if_the_page_gets_too_large(
    make_run, client, page_of, monkeypatch
):
    run_id = make_run()
    noise = np.random.default_rng(0)
    for epoch in range(4):
        client.log_image(
            run_id, noise.integers(0, 255, (40, 40, 3), np.uint8), key="val/filters", step=epoch
        )
    monkeypatch.setattr(data_uris.embed_all, "__defaults__", (8000,))
    page = page_of(run_id)
    assert [i["id"].split("-")[-1] for i in page.all("input") if i["type"] == "radio"] == ["0", "3"]


def test_large_picture_is_scaled_down_and_compressed():
    rows, columns = np.mgrid[:900, :2400]
    noise = np.random.default_rng(0).normal(0, 3, (900, 2400))
    waves = 128 + 60 * np.sin(rows / 90) + 40 * np.cos(columns / 120) + noise
    image = np.repeat(waves.astype(np.uint8)[..., None], 3, axis=2)
    buffer = data_uris.io.BytesIO()
    data_uris.Image.fromarray(image).save(buffer, "PNG")
    embedded = data_uris.embed(buffer.getvalue())
    assert (embedded.width, embedded.height) == (1600, 600)
    assert embedded.uri.startswith("data:image/webp")
    assert len(embedded.uri) < len(buffer.getvalue()) / 8


def test_command_configuration_and_environment_are_shown(make_run, client, page_of):
    run_id = make_run({"model.backbone": "models.TimmBackbone", "model.backbone.name": "resnet18"})
    client.set_tag(run_id, "command", 'lightning_cli fit --data.root "a & b"')
    client.set_tag(run_id, "mlflow.source.git.commit", "abc123")
    client.set_tag(run_id, "git.uncommitted_changes", "yes")
    client.log_text(run_id, "seed_everything: 7\n", "config/config.yaml")
    environment = "# Python 3.12.1 (main)\n# NVIDIA H100\ntimm==1.0.9\ntorch==2.7.0\n"
    client.log_text(run_id, environment, "config/environment.txt")
    words = page_of(run_id).words
    for expected in (
        'lightning_cli fit --data.root "a & b"',
        "abc123 (with uncommitted changes)",
        "git checkout abc123",
        "seed_everything: 7",
        "NVIDIA H100",
        "torch 2.7.0, timm 1.0.9",
        "TimmBackbone (name resnet18)",
    ):
        assert expected in words


def test_very_many_classes_are_listed_in_part_and_the_report_says_so(
    make_run, add_split, page_of, monkeypatch
):
    run_id = make_run()
    add_split(run_id, "train", {"cat": 3, "dog": 4, "owl": 5})
    assert "of 3 classes" not in page_of(run_id).text
    monkeypatch.setattr(report_page, "MOST_CLASSES", 2)
    for language, said in (("en", "The first 2 of 3 classes."), ("zh", "3 个类别中的前 2 个")):
        page = page_of(run_id, language)
        assert said in page.text
        assert [page.words.count(name) for name in ("cat", "dog", "owl")] == [1, 1, 0]


def test_reduced_and_missing_pictures_are_named(make_run, page_of, client, gray):
    run_id = make_run(metrics={"val/accuracy": 0.97})
    client.log_image(run_id, gray(200), key="val/gradient_rollout", step=4)
    client.set_tag(run_id, "pictures.smaller", "saliency, honesty")
    client.set_tag(run_id, "pictures.not_drawn", "concepts")
    text = " ".join(page_of(run_id).text.split())
    assert "too much of the training: Concepts of a class. lightning_cli validate draws" in text
    assert "the pictures: Saliency, Sanity checks of the explanations. Their titles" in text
