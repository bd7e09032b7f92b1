"""Results of finished runs, against values worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Dataset, DatasetInput

from lightning_app.commands.ablate.figures import result_figures
from lightning_app.commands.ablate.results import compare_variations
from lightning_app.commands.ablate.tables import markdown_table, print_results, result_columns
from lightning_app.store.stored_run import open_stored_run

LABELS = list("aabb")


@pytest.fixture
def write_run(client):
    """Write a run with predictions by hand, and open it."""
    stack = []

    def write(predicted, excluded=(), seconds=(), images=range(4)):
        run_id = client.create_run("0").info.run_id
        labels = [LABELS[image] for image in images]
        columns = {"image": images, "label": labels, "predicted": list(predicted)}
        table = pd.DataFrame({**columns, "confidence": 0.5})
        client.log_text(run_id, table.to_csv(index=False), "predictions/test.csv")
        client.log_metric(run_id, "params/total", 12)
        client.log_param(run_id, "data.options.exclude_classes", str(list(excluded)))
        for epoch, value in enumerate(seconds):
            client.log_metric(run_id, "time/epoch", value, step=epoch)
        profile = '{"num_images": 4, "class_counts": {"b": 2, "a": 2}}'
        dataset = Dataset("Hand/train", "0", "local", "", profile=profile)
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
            ("base", 0, write_run("aabb", seconds=[2, 4])),
            ("base", 1, write_run("aaba", seconds=[3, 3])),
            ("no a", 0, write_run("bbbb", excluded=["a"])),
        ],
        "test",
    )


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
    assert base.epoch_seconds == 3
    assert base.minutes == pytest.approx(0.1)
    assert math.isnan(other.epoch_seconds)


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


def test_figure_shows_predictions_for_an_excluded_class(results):
    figures = dict(result_figures(results, "parts"))
    assert list(figures) == ["ablation", "recall_by_class", "classes_left_out"]
    [axes] = figures["classes_left_out"].axes
    assert [bar.get_width() for bar in axes.patches] == [100]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a\nno a"]
