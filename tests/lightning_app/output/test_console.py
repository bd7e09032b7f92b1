import sys

import pytest
from rich.console import Console

from lightning_app.output import console
from lightning_app.output.console import Column, print_table


@pytest.fixture
def lines_of(capsys):
    """Print a table; returns its lines without the blanks at their ends."""

    def print_(*arguments):
        print_table(*arguments)
        return [line.rstrip() for line in capsys.readouterr().out.splitlines()]

    return print_


def test_columns_are_aligned(lines_of):
    columns = [Column("run"), Column("accuracy", "right"), Column("state")]
    rows = [("first", "91.2", "finished"), ("b", "100.0", "failed")]
    assert lines_of(columns, rows, "Runs:") == [
        "Runs:",
        "run    accuracy  state",
        "first      91.2  finished",
        "b         100.0  failed",
    ]


def test_wide_characters_count_twice(lines_of):
    lines = lines_of([Column("class"), Column("n")], [("猫猫猫", "1"), ("cat", "2")])
    assert lines == ["class   n", "猫猫猫  1", "cat     2"]


def test_columns_that_do_not_fit_follow_below_with_the_first_column(lines_of):
    columns = [Column(""), Column("a" * 60), Column("b" * 60), Column("c" * 30)]
    assert lines_of(columns, [("lr", "1", "2", "3")]) == [
        f"    {'a' * 60}",
        f"lr  1{' ' * 59}".rstrip(),
        "",
        f"    {'b' * 60}  {'c' * 30}",
        f"lr  2{' ' * 61}3",
    ]


def test_no_single_column_is_left_over(lines_of):
    columns = [Column("variation"), *(Column(letter * 20) for letter in "abcd"), Column("p")]
    lines = lines_of(columns, [("base", "1", "2", "3", "4", "0.5")])
    assert [len(line.split()) for line in lines] == [3, 3, 0, 4, 4]
    assert lines[3].split() == ["variation", "c" * 20, "d" * 20, "p"]


def test_prose_is_wrapped_inside_its_column(lines_of):
    lines = lines_of([Column("level"), Column("advice", wrap=True)], [("error", "word " * 30)])
    assert max(map(len, lines)) <= 100
    assert [line.split()[0] for line in lines] == ["level", "error", "word"]
    assert lines[2].startswith(" " * len("error  "))


def test_cell_that_is_wider_than_the_table_is_cut(lines_of):
    assert lines_of([Column("x" * 120)], []) == ["x" * 99 + "…"]


def test_output_to_a_file_has_no_colours_and_is_verbatim(lines_of):
    lines = lines_of([Column("name")], [("[red]a[/red] :smile:",)])
    assert lines == ["name", "[red]a[/red] :smile:"]


def test_heading_is_bold_in_a_terminal(monkeypatch, capsys):
    def terminal(**options):
        return Console(file=sys.stdout, force_terminal=True, color_system="standard", **options)

    monkeypatch.setattr(console, "Console", terminal)
    print_table([Column("name")], [("a",)])
    assert capsys.readouterr().out.startswith("\x1b[1mname\x1b[0m")
