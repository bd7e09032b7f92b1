"""Comparison of hand-made runs, on the console and on the HTML page."""

import re

import pytest
import yaml

ODD = '<b>&"'


def test_images_that_changed_are_counted(make_tested, compared):
    make_tested("a", "cdddoc")
    make_tested("b", "ccddcc")
    output, page = compared("a", "b")
    assert "b against a, on 6 test images" in output
    assert "fixed 1, broken 1, both correct 3, both wrong 1" in output
    assert "accuracy 66.7% to 66.7%: +0.0 points" in output
    assert "McNemar p = 1 (exact)" in output
    assert "gained most  cat: +50.0" in output
    assert "lost most    owl: -50.0" in output
    assert "left out" not in output
    assert page.words.count("+0.0") == 1  # the accuracy
    assert {"b against a", "fixed", "broken"} <= set(page.words)
    assert "Undecided" in page.text


@pytest.mark.parametrize(("first", "second", "word"), [("d", "c", "Better"), ("c", "d", "Worse")])
def test_clear_difference_is_called_significant(make_tested, compared, first, second, word):
    make_tested("a", first * 10, labels="c" * 10)
    make_tested("b", second * 10, labels="c" * 10)
    output, page = compared("a", "b")
    assert "McNemar p = 0.002 (exact)" in output  # 2 * 0.5**10
    verdict = f"{word} (p = 0.002): the difference is statistically significant."
    assert verdict in page.words
    assert (
        "if both runs were equally good; a difference is called significant below 0.05."
        in page.text
    )


def test_numbers_stand_side_by_side(make_tested, compared):
    metrics = {"test/accuracy": 0.91234, "test/f1_macro": 0.5, "params/total": 1234}
    make_tested("a", "ccddoo", metrics=metrics, status="FAILED")
    make_tested("b", "ccddoo", metrics={"test/accuracy": 0.5})
    output, page = compared("a", "b")
    lines = output.splitlines()
    assert re.search(r"accuracy, test +91\.23 % +50\.00 %", output)
    assert re.search(r"parameters +1,234 +\N{EN DASH}", output)
    assert re.search(r"status +failed +finished", output)
    assert not any(line.startswith("loss") for line in lines)  # no run has one
    assert max(map(len, lines)) <= 100
    assert {"91.23 %", "1,234", "failed"} <= set(page.words)


def test_settings_that_differ_are_listed_if_they_affect_training(make_tested, compared):
    silent = {"trainer.logger.run_name": "x", "pictures.budget": "0", "seed_everything": "0"}
    make_tested("a", "ccddoo", params={"model.lr": "0.1", "model.backbone": "A", **silent})
    other = {"trainer.logger.run_name": "y", "pictures.budget": "1", "seed_everything": "1"}
    make_tested("b", "ccddoo", params={"model.lr": "0.2", "model.backbone": "A", **other})
    make_tested("c", "ccddoo", params={"model.backbone": "A", "model.width": "4", **silent})
    output, page = compared("a", "b", "c")
    assert re.search(r"model\.lr +0\.1 +0\.2 +\N{EN DASH}", output)
    assert re.search(r"model\.width +\N{EN DASH} +\N{EN DASH} +4", output)
    assert re.search(r"seed_everything +0 +1 +0", output)
    assert not re.search(r"run_name|budget|backbone", output)
    assert "model.width" in page.words


def test_equal_settings_are_reported_as_equal(make_tested, compared):
    make_tested("a", "ccddoo")
    make_tested("b", "ccddoo")
    output, page = compared("a", "b")
    assert "All settings are the same." in output
    assert "No setting differs." in page.words


def test_three_runs_have_a_table_of_all_pairs(make_tested, compared):
    make_tested("a", "d" * 9, labels="c" * 9)
    make_tested("b", "c" * 9, labels="c" * 9)
    make_tested("d", "c" * 9, labels="c" * 9)
    output, page = compared("a", "b", "d")
    [table] = [part for part in output.split("\n\n") if part.startswith("p-values of all 3 pairs")]
    assert [line.split() for line in table.splitlines()[1:]] == [
        ["b", "d"],
        ["a", "0.012", "0.012"],
        ["b", "1"],
    ]
    # 3 * 2 * 0.5**9, and not below it for the second: in the table, and above each pair.
    assert page.words.count("0.012") == 2 + 2
    assert "adjusted for 3 pairs (Holm)" in page.text


def test_verdict_on_several_runs_uses_the_adjusted_p_value(make_tested, compared):
    make_tested("a", "d" * 7, labels="c" * 7)
    make_tested("b", "c" * 7, labels="c" * 7)
    _, page = compared("a", "b")
    assert "Better (p = 0.016): the difference is statistically significant." in page.words
    make_tested("d", "d" * 7, labels="c" * 7)
    make_tested("e", "d" * 7, labels="c" * 7)
    output, page = compared("a", "b", "d", "e")  # 6 * 2 * 0.5**7 = 0.094
    assert "McNemar p = 0.016 (exact)" in output
    assert "  adjusted for all 6 pairs of runs (Holm): p = 0.094" in output
    assert "Better" not in page.text
    assert "Undecided (p = 0.094): the difference may be due to chance." in page.text
    assert "p is adjusted for all 6 pairs of runs (Holm)" in page.text
    assert {"0.094", "adjusted p-value, McNemar's exact test"} <= set(page.words)


def test_one_image_is_written_in_the_singular(make_tested, compared):
    make_tested("a", "d", labels="c")
    make_tested("b", "c", labels="c")
    output, _ = compared("a", "b")
    assert "b against a, on 1 test image\n" in output
    assert re.search(r"cat: \+100\.0 \[.*\] of 1 image\n", output)


def test_runs_with_the_same_name_are_distinguished(make_tested, compared):
    ids = [make_tested("same", letters) for letters in ("ccddoo", "ccddoc")]
    output, _ = compared(*ids)
    first, second = (f"same ({run_id[:6]})" for run_id in ids)
    assert f"{second} against {first}" in output


def test_names_are_escaped(make_tested, compared):
    make_tested(ODD, "ccddoo")
    make_tested("b", "ccddoo")
    _, page = compared(ODD, "b")
    assert ODD in page.words
    assert ODD not in page.source


def test_page_is_in_the_requested_language(make_tested, compared):
    make_tested("a", "ccddoo")
    make_tested("b", "ccddoc", params={"report.language": "zh"})
    assert compared("a", "b")[1].all("html") == [{"lang": "zh-Hans"}]
    assert compared("b", "a")[1].all("html") == [{"lang": "en"}]
    page = compared("b", "a", "--language", "zh")[1]
    assert "运行对比" in page.words


def test_missing_images_cost_only_the_sheets(make_tested, client, compared):
    run_id = make_tested("a", "ccddoo")
    data = {"class_path": "ImageFolderDataModule", "init_args": {"root": "gone"}}
    client.log_text(run_id, yaml.safe_dump({"data": data}), "config/config.yaml")
    make_tested("b", "ccddod")
    output, page = compared("a", "b", figures=True)
    expected = "the images of 'a' cannot be read: There is no folder gone"
    assert f"No contact sheets: {expected}" in output
    assert expected in page.text
    assert len(page.images()) == 2  # the classes and the confusions


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("", "the run has no config/config.yaml with its data settings."),
        (
            "data: {class_path: OfAnotherTimeDataModule}",
            "expects a subclass of ImageDataModule, got 'OfAnotherTimeDataModule'.",
        ),
    ],
)
def test_unusable_data_configuration_costs_only_the_sheets(
    make_tested, client, compared, config, complaint
):
    client.log_text(make_tested("a", "ccddoo"), config, "config/config.yaml")
    make_tested("b", "ccddod")
    lines = [line for line in compared("a", "b")[0].splitlines() if line.startswith("No contact")]
    assert len(lines) == 1
    assert complaint in lines[0]


def test_without_changed_images_no_image_is_read(make_tested, compared):
    make_tested("a", "ccddod")
    make_tested("b", "ccddod")
    output, page = compared("a", "b", figures=True)
    assert "No contact sheets" not in output
    assert len(page.images()) == 2


def test_long_names_are_cut_in_their_middle(make_tested, compared):
    make_tested("a", "ccddoo", params={"lr": "b" * 90})
    make_tested("b" * 60, "ccddoo", params={"lr": "c" * 90})
    output, _ = compared("a", "b" * 60)
    [table] = [part for part in output.split("\n\n") if part.startswith("settings that")]
    assert max(map(len, output.splitlines())) <= 100
    assert "bbb…bbb" in table
