"""Runs of the plan that a YAML file describes."""

from pathlib import Path

import pytest
import yaml

from lightning_app.commands.ablate.plan_file import read_plan
from lightning_app.commands.ablate.search_space import Range, Search


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read a plan from what its file holds."""
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text("trainer: {max_epochs: 1}\n")

    def make(**plan):
        Path("plan.yaml").write_text(yaml.safe_dump({"base": "base.yaml", **plan}, sort_keys=False))
        return read_plan(Path("plan.yaml"))

    return make


VARIATIONS = {"a": {"data.augmentation": "none", "model.widths": [1, 2]}, "b": {"x.y": None}}


def test_child_runs_come_seed_by_seed_with_their_settings_last(read):
    children = read(variations=VARIATIONS, seeds=[3, 5]).child_runs(["--data.root", "here"])
    assert [child.name for child in children] == [
        *("base, seed 3", "a, seed 3", "b, seed 3"),
        *("base, seed 5", "a, seed 5", "b, seed 5"),
    ]
    assert children[1].arguments == (
        *("--config", "base.yaml", "--data.root", "here"),
        *("--data.augmentation=none", "--model.widths=[1, 2]", "--seed_everything=3"),
    )
    assert "--x.y=null" in children[2].arguments


def test_key_depends_on_what_affects_the_result_alone(read):
    def keys(*overrides, **plan):
        return [
            child.key for child in read(**{"variations": VARIATIONS, **plan}).child_runs(overrides)
        ]

    first = keys()
    assert len(set(first)) == 3
    assert keys() == first
    assert keys(base_name="plain", seeds=[0]) == first
    assert keys("--trainer.enable_progress_bar", "false", "--pictures.budget=0") == first
    assert not set(keys("--trainer.max_epochs", "2")) & set(first)
    assert not set(keys(seeds=[1])) & set(first)
    Path("base.yaml").write_text("trainer: {max_epochs: 2}\n")
    assert not set(keys()) & set(first)


def test_search_reads_choices_and_ranges(read):
    ranges = {
        "data.augmentation": ["none", "light"],
        "lr": {"low": 1e-4, "high": 1e-1, "log": True},
    }
    plan = read(search={"ranges": ranges, "trials": 3})
    assert plan.search == Search(
        {"data.augmentation": ["none", "light"], "lr": Range(1e-4, 1e-1, log=True)}, trials=3
    )
    assert [child.arguments[2:4] for child in plan.examples([])] == [
        ("--data.augmentation=none", "--lr=0.0001"),
        ("--data.augmentation=light", "--lr=0.1"),
    ]


def test_search_key_belongs_to_the_ranges_not_to_the_number_of_trials(read):
    def key(trials, *choices):
        return read(search={"ranges": {"a": list(choices)}, "trials": trials}).search_key([])

    assert key(3, 1, 2) == key(9, 1, 2) != key(3, 1, 2, 3)


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"ranges": {}}, "ranges that are not empty"),
        ({"ranges": {"a": []}}, "ranges that are not empty"),
        ({"ranges": {"a": [1]}, "trials": 0}, "one trial or more"),
        ({"ranges": {"a": {"low": 2, "high": 1}}}, "Expected low below high"),
        ({"ranges": {"a": {"low": 0.0, "high": 1.0, "log": True}}}, "above 0 with log"),
    ],
)
def test_empty_searches_are_rejected(read, search, message, capsys):
    with pytest.raises((ValueError, SystemExit)) as error:
        read(search=search)
    assert message in str(error.value) + capsys.readouterr().err


def test_search_with_several_seeds_is_rejected(read):
    with pytest.raises(ValueError, match=r"with one seed, got \[0, 1\]"):
        read(search={"ranges": {"a": [1, 2]}}, seeds=[0, 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "base: a.yaml\nvariatons:\n  no crop: {a.b: 1}\n",
            r"line 2: there is no key 'variatons'\.\n  Near names: variations",
        ),
        (
            "base: a.yaml\nvariations:\n  no crop: {data augmentation: none}\n",
            r"The variation 'no crop' sets 'data augmentation'; expected a dotted name without sp",
        ),
    ],
)
def test_typo_in_a_key_is_named(tmp_path, text, message):
    (tmp_path / "plan.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_plan(tmp_path / "plan.yaml")
