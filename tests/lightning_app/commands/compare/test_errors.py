"""Errors about runs that cannot be compared, and about invalid options."""

from pathlib import Path

import pytest

from lightning_app.main import main


def compare_error(capsys, *args, status=1):
    with pytest.raises(SystemExit) as exit_:
        main(["compare", *args])
    assert exit_.value.code == status
    return capsys.readouterr().err


def test_one_run_does_not_parse(capsys, workplace):
    assert "the following arguments are required: RUN" in compare_error(capsys, "a", status=2)


def test_run_that_is_named_twice_is_an_error(make_tested, capsys):
    run_id = make_tested("a", "ccddoo")
    make_tested("b", "ccddoo")
    expected = "The run 'a' is named twice; expected different runs."
    assert expected in compare_error(capsys, "a", "b", run_id)


def test_unknown_run_is_an_error(make_tested, capsys):
    make_tested("a", "ccddoo")
    assert "There is no run 'x'; expected the id or name" in compare_error(capsys, "a", "x")


def test_run_without_predictions_is_an_error_with_the_command_that_makes_them(
    make_tested, make_run, capsys
):
    make_tested("a", "ccddoo")
    run_id = make_run(name="b", status="RUNNING")
    file = Path("mlruns", "checkpoints", "hand", run_id, "best.ckpt")
    file.parent.mkdir(parents=True)
    file.touch()
    error = compare_error(capsys, "a", "b")
    assert (
        "The runs have no predictions in common: 'b' without predictions/test.csv; 'a', 'b' "
        "without predictions/val.csv. For 'b', `lightning_cli test "
        f"--ckpt_path {file}` makes the missing predictions."
    ) in error


def test_missing_checkpoint_is_not_named(make_tested, capsys):
    run_id = make_tested("a", "ccddoo")
    make_tested("b", "ccddoo")
    error = compare_error(capsys, "a", "b", "--split", "val")
    assert (
        "in common: 'a', 'b' without predictions/val.csv. 'a' has no checkpoint in "
        f"mlruns/checkpoints/hand/{run_id}; if you have one, `lightning_cli validate "
        "--ckpt_path FILE` makes the missing predictions."
    ) in error
    assert "best.ckpt" not in error


def test_parent_of_an_ablation_is_an_error_that_names_its_children(
    make_tested, make_run, client, capsys
):
    parent = make_run(name="ablation r")
    client.set_tag(parent, "ablation", "r")
    make_tested("b", "ccddoo")
    of_its_own = (
        "The run 'ablation r' is the parent of an ablation and has no predictions of its own;"
    )
    error = compare_error(capsys, "ablation r", "b")
    assert f"{of_its_own} it has no child run yet." in error
    child = make_tested("base, seed 0", "ccddoo")
    client.set_tag(child, "mlflow.parentRunId", parent)
    error = compare_error(capsys, "ablation r", "b")
    children = f"such as 'base, seed 0 ({child[:6]})'."
    assert f"{of_its_own} name its child runs, {children}" in error


def test_runs_of_different_datasets_are_an_error_whatever_predictions_they_have(
    make_tested, make_run, add_split, capsys
):
    add_split(make_tested("a", "ccddoo"), "train", {"cat": 2, "dog": 2, "owl": 2})
    add_split(make_run(name="b"), "val", {"sea": 2, "street": 2})  # MLflow stores equal ones once
    error = compare_error(capsys, "a", "b")
    assert "'a' and 'b' are of different datasets, without a common class (cat, dog, owl" in error


def test_runs_without_a_common_image_are_an_error(make_run, add_predictions, capsys):
    for name in ("a", "b"):
        add_predictions(make_run(name=name), [(f"{name}.png", "cat", "cat", 1.0)])
    expected = "No test image has the same name and label in all of 'a', 'b'"
    assert expected in compare_error(capsys, "a", "b")


def test_invalid_options_are_errors(capsys, workplace):
    error = compare_error(capsys, "a", "b", "--num_images", "0")
    assert "--num_images is 0; expected 1 or more." in error
    error = compare_error(capsys, "a", "b", "--out", "a.pdf")
    assert "The HTML page needs a file name that ends in .html (--out), not a.pdf." in error
    assert not Path("a.pdf").exists()


def test_unwritable_place_is_reported_before_anything_is_read(workplace, capsys):
    error = compare_error(capsys, "no", "runs", "--out", "/proc/x.html")
    assert "The HTML page cannot be written to /proc/x.html (" in error
