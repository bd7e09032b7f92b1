"""Finding a run by its id, the beginning of its id, or its name."""

import re
import sqlite3

import pytest

from lightning_app.store.locations import ROOT, create_experiment, tracking_uri
from lightning_app.store.run_logger import RunLogger
from lightning_app.store.runs import children_of, find_run


def error_of(client, wanted):
    with pytest.raises(ValueError, match=r"run") as error:
        find_run(client, wanted)
    return str(error.value)


@pytest.mark.parametrize(
    "name",
    ['it\'s "so"', "base, seed 0", "a\\b", "50 %_", "猫 'x' \"y\"", "a;b--c", "a (b)", "😀'\""],
)
def test_run_is_found_by_a_name_with_any_characters(make_run, client, name):
    make_run(name=re.sub(r"\W", "x", name))  # matches the pattern of the query too
    run_id = make_run(name=name)
    assert find_run(client, name).info.run_id == run_id


def test_name_is_case_sensitive(make_run, client):
    run_id = make_run(name="Net")
    make_run(name="net")
    assert find_run(client, "Net").info.run_id == run_id


def test_run_is_found_by_the_beginning_of_its_id(make_run, client):
    run_id = make_run(name="base, seed 0")
    make_run(name="base, seed 0")
    for wanted in (run_id, run_id[:6], run_id[:20], f"base, seed 0 ({run_id[:6]})"):
        assert find_run(client, wanted).info.run_id == run_id
    for wanted in (run_id[:5], f"other ({run_id[:6]})", f"({run_id[:6]})", f"{run_id[:6]})"):
        assert f"There is no run {wanted!r}; expected the id or name" in error_of(client, wanted)


def test_newest_run_is_no_child_run_of_an_ablation(make_run, client):
    make_run(name="before")
    parent = make_run(name="ablation")
    child = make_run(name="base, seed 0")
    client.set_tag(child, "mlflow.parentRunId", parent)
    assert find_run(client, "last").info.run_id == parent


def test_name_takes_precedence_over_the_beginning_of_an_id(make_run, client):
    first = make_run(name="a")
    second = make_run(name=first[:6])
    assert find_run(client, first[:6]).info.run_id == second


def test_ambiguous_beginning_of_an_id_is_an_error_that_lists_the_runs(make_run, client, workplace):
    ids = [make_run(name=f"run {index}") for index in range(3)]
    start = ids[0][:6]
    with sqlite3.connect(workplace / "mlruns" / "mlflow.db") as store:  # not by chance
        for table in ("runs", "tags"):
            statement = f"UPDATE {table} SET run_uuid = ? WHERE run_uuid = ?"
            store.executemany(statement, [(start + run_id[6:], run_id) for run_id in ids[1:]])
    head, *lines = error_of(client, start).splitlines()
    assert head.startswith(f"3 runs have an id that begins with {start!r}; name one by its id")
    expected = [f"{start}{ids[index][6:]}  'run {index}' in hand" for index in (2, 1, 0)]
    assert [line.split(",")[0].strip() for line in lines] == expected


def test_ambiguous_name_is_an_error_that_lists_experiments_and_parents(make_run, client):
    parent = make_run(name="ablation r")
    ids = [make_run(name="base, seed 0") for _ in range(12)]
    client.set_tag(ids[-1], "mlflow.parentRunId", parent)
    client.set_tag(ids[-2], "mlflow.parentRunId", "0" * 32)  # a deleted run
    head, *lines, rest = error_of(client, "base, seed 0").splitlines()
    assert head == (
        "12 runs are called 'base, seed 0'; name one by its id, or enough of its first digits "
        "(6 or more) to be unique. Newest first:"
    )
    assert [line.split()[0] for line in lines] == ids[:1:-1]
    time = r"20\d\d-\d\d-\d\d \d\d:\d\d"
    assert re.fullmatch(rf"  {ids[-1]}  in hand, started {time}, child of 'ablation r'", lines[0])
    assert re.fullmatch(rf"  {ids[-2]}  in hand, started {time}, child of {'0' * 32}", lines[1])
    assert re.fullmatch(rf"  {ids[-3]}  in hand, started {time}", lines[2])
    assert rest == "  and 2 older ones"


def test_children_of_a_run_are_found(make_run, client):
    parent, child = make_run(name="parent"), make_run(name="child")
    client.set_tag(child, "mlflow.parentRunId", parent)
    [found] = children_of(client, client.get_run(parent))
    assert found.info.run_id == child
    assert children_of(client, found) == []


def test_a_deleted_run_is_named_with_the_command_that_restores_it(client, make_run):
    run_id = make_run()
    name = client.get_run(run_id).info.run_name
    client.delete_run(run_id)
    for wanted in (name, run_id, run_id[:8]):
        with pytest.raises(ValueError, match=rf"was deleted.*\n.*runs restore --run-id {run_id}"):
            find_run(client, wanted)
    with pytest.raises(ValueError, match="was deleted"):
        RunLogger("other").attach(run_id)


def test_a_deleted_experiment_is_refused_before_anything_is_trained(client):
    number = create_experiment(client, "gone", ROOT, tracking_uri())
    client.delete_experiment(number)
    with pytest.raises(ValueError, match=rf"'gone' was deleted.*\n.*--experiment-id {number}"):
        _ = RunLogger("gone").experiment
