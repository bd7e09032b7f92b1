"""Results of finished runs, against values worked out by hand."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Dataset, DatasetInput, Metric

from lightning_app.commands.ablate.figures import result_figures
from lightning_app.commands.ablate.results import compare_variations
from lightning_app.commands.ablate.tables import markdown_table, print_results, result_columns
from lightning_app.store.stored_run import open_stored_run

LABELS = list("aabb")


@pytest.fixture
def write_run(client):
    """Write a run with predictions by hand, and open it."""
    stack = []

    def write(predicted, excluded=(), seconds=(), images=range(4), validated="1", **history):
        run_id = client.create_run("0").info.run_id
        labels = [LABELS[image] for image in images]
        columns = {"image": images, "label": labels, "predicted": list(predicted)}
        table = pd.DataFrame({**columns, "confidence": 0.5})
        client.log_text(run_id, table.to_csv(index=False), "predictions/test.csv")
        client.log_param(run_id, "data.options.exclude_classes", str(list(excluded)))
        histories = {"time/epoch": seconds, **{k.replace("_", "/"): v for k, v in history.items()}}
        points = [
            Metric(name, value, 1, epoch)
            for name, values in {"params/total": [12], **histories}.items()
            for epoch, value in enumerate(values)
        ]
        client.log_batch(run_id, metrics=points)
        profile = '{"num_images": 4, "class_counts": {"b": 2, "a": 2}}'
        for name, digest in (("train", "0"), ("val", validated)):
            dataset = Dataset(f"Hand/{name}", digest, "local", "", profile=profile)
            client.log_inputs(run_id, [DatasetInput(dataset)])
        record = open_stored_run(client, client.get_run(run_id))
        stack.append(record)
        return record.__enter__()

    yield write
    for record in stack:
        record.__exit__(None, None, None)


@pytest.fixture
def results(write_run):
    return compare_variations(
        [
            ("base", 0, write_run("aabb", seconds=[2, 4], memory_peak=[900, 1234.4])),
            ("base", 1, write_run("aaba", seconds=[3, 3])),
            ("no a", 0, write_run("bbbb", excluded=["a"])),
        ],
        "test",
    )


def test_peak_memory_is_the_largest_of_all_runs(results, capsys):
    assert [row.peak_memory for row in results.rows] == [1234.4, 0, 0]
    assert result_columns(results)["peak_memory_mib"] == [1234.4, None, None]
    print_results(results)
    [base, no_a] = re.findall(r"^(?:base|no a) +.*12 .*$", capsys.readouterr().out, re.M)
    assert base.endswith(" 1,234")
    assert "1,234" not in no_a


def test_scores_are_means_over_seeds_with_students_interval(results):
    base = results.rows[0]
    assert (base.seeds, base.scores) == ([0, 1], [1.0, 0.75])
    assert base.mean == 0.875
    low, high = base.interval
    assert low == 0  # 0.875 - 12.706 * 0.17678 / sqrt(2) is below
    assert high == 1
    assert base.against_base is None


def test_single_seed_has_no_interval(results):
    assert all(math.isnan(end) for end in results.rows[1].interval)


def test_difference_is_paired_image_by_image(results):
    test = results.rows[1].against_base
    assert test.difference == pytest.approx(0.5 - 0.875)
    assert test.p_value == pytest.approx(np.mean([abs(s) >= 3 for s in signed_sums(2, 2, 1)]))


def signed_sums(*sizes):
    sums = {0: 1}
    for size in sizes:
        sums_before, sums = sums, {}
        for total, count in sums_before.items():
            for sign in (-1, 1):
                sums[total + sign * size] = sums.get(total + sign * size, 0) + count
    return [total for total, count in sums.items() for _ in range(count)]


def test_times_are_medians(results):
    base, other, _ = results.rows
    assert base.course.epoch_seconds == 3
    assert base.course.minutes == pytest.approx(0.1)
    assert math.isnan(other.course.epoch_seconds)


def test_classes_come_in_the_order_of_the_outputs(results):
    assert results.class_names == ["b", "a"]
    assert results.rows[1].excluded == ["a"]


def test_table_leaves_unknown_cells_empty(results):
    columns = result_columns(results)
    assert columns["variation"] == ["base", "no a", "no a: other classes"]
    assert columns["test/accuracy"] == [0.875, 0.5, 1]
    assert columns["difference"] == [None, pytest.approx(-0.375), pytest.approx(0.25)]
    assert columns["low"][1] is None


def test_other_classes_of_a_variation_without_a_class_have_a_row_of_their_own(results):
    others = results.rows[2]
    assert (others.scores, others.base_mean) == ([1.0], 0.75)  # two images of b
    assert results.rows[1].base_mean == 0.875


def test_variation_with_fewer_images_is_compared_on_those_alone(write_run, capsys):
    runs = [
        ("base", 0, write_run("abbb")),
        ("fewer", 0, write_run("ab", images=[1, 2])),
        ("all", 0, write_run("aabb")),
    ]
    results = compare_variations(runs, "test")
    base, fewer, whole = results.rows
    assert (base.mean, base.left_out) == (0.75, 0)
    assert (fewer.mean, fewer.base_mean, fewer.left_out) == (1.0, 0.5, 2)
    assert (whole.against_base.difference, len(whole.labels)) == (0.25, 4)
    note = "fewer: 2 images are left out because either it or the base was not scored on them."
    print_results(results)
    assert capsys.readouterr().out.splitlines()[-1] == note
    assert note in markdown_table(results)


def test_variation_without_common_images_does_not_hide_the_others(write_run, capsys):
    runs = [
        ("base", 0, write_run("ab", images=[1, 2])),
        ("apart", 0, write_run("a", images=[0])),
        ("same", 0, write_run("bb", images=[1, 2])),
    ]
    results = compare_variations(runs, "test")
    assert [row.name for row in results.rows] == ["base", "same"]
    print_results(results)
    assert "apart: No test image has the same name" in capsys.readouterr().out


def test_seeds_with_equal_scores_have_no_interval(write_run):
    runs = [("base", seed, write_run("abbb")) for seed in (0, 1)]
    assert all(math.isnan(end) for end in compare_variations(runs, "test").rows[0].interval)


def test_tables_name_all_variations(results, capsys):
    assert "| no a | 50.0 |  | 1 | 4 | -37.5 |" in markdown_table(results)
    print_results(results)
    printed = capsys.readouterr().out.split("\n\n")[0]
    head, base, other, _ = printed.splitlines()
    assert head.split()[:2] == ["variation", "accuracy"]
    assert base.startswith("base")
    assert "-37.5" in other


@pytest.fixture
def trained(write_run):
    """Results of runs with losses and accuracies; the goal is 0.9 * 0.8."""
    slow, fast = [0.25, 0.5, 0.75], [0.75, 0.6, 0.85]
    runs = [
        ("base", 0, write_run("aabb", val_accuracy=slow, train_loss=[4, 1, 2], val_loss=[1, 1, 1])),
        ("base", 1, write_run("aabb", val_accuracy=fast, train_loss=[4, 1, 4], val_loss=[3, 2, 1])),
        ("one", 0, write_run("aabb", val_accuracy=[0.5, 0.75])),
        ("one", 1, write_run("aabb", val_accuracy=[0.5, 0.5])),
        ("none", 0, write_run("aabb", val_accuracy=[0.5] * 4, validated="2")),
    ]
    return compare_variations(runs, "test")


def test_table_has_the_epochs_to_the_goal_and_the_largest_rises_of_the_losses(trained):
    columns = result_columns(trained)
    assert columns["goal"] == [pytest.approx(0.72)] * 3
    assert columns["epochs_to_goal"] == [2, 2, None]  # of 3 and 1, and of one seed alone
    assert columns["seeds_at_goal"] == [2, 1, 0]
    assert columns["train_loss_rise"] == [2, None, None]  # of 1 and 3
    assert columns["val_loss_rise"] == [0, None, None]


def test_variation_that_never_reaches_the_goal_says_so(trained, capsys):
    print_results(trained)
    printed = capsys.readouterr().out
    assert "the base's best validation accuracy, 0.720." in printed
    rows = [re.split(" {2,}", line.strip()) for line in printed.splitlines()]
    [base, one, none] = [row for row in rows if row[0] in ("base", "one", "none")][3:]
    assert base == ["base", "2", "2", "0", "12"]
    assert one == ["one", "2 (1 of 2 seeds)", "12"]
    assert none == ["none", "not in 4", "12"]
    assert "| one | 2 (1 of 2 seeds) |  |  | 12 |  |  |\n" in markdown_table(trained)


def test_other_validation_images_are_noted(trained):
    assert trained.notes == [
        "none: validated on other images than the base, so its epochs and its validation loss "
        "cannot be compared."
    ]


def test_figure_of_the_training_marks_where_the_goal_is_first_reached(trained):
    figure = dict(result_figures(trained, "parts"))["training"]
    accuracy, *losses = figure.axes
    marks = [line for line in accuracy.lines if (line.get_marker(), line.get_ms()) == ("o", 6)]
    points = [(*line.get_xdata(), *line.get_ydata()) for line in marks]
    assert points == [(2, 0.75), (0, 0.75), (1, 0.75)]
    assert [len(axes.lines) for axes in losses] == [2, 2]


def test_figure_shows_predictions_for_an_excluded_class(results):
    figures = dict(result_figures(results, "parts"))
    assert list(figures) == ["ablation", "recall_by_class", "classes_left_out"]
    [axes] = figures["classes_left_out"].axes
    assert [bar.get_width() for bar in axes.patches] == [100]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a\nno a"]
