"""Results of benchmarks: their table and JSON."""

import json

from results import options_of, publish, table
from rounds import speeds


def test_table_has_the_columns_of_all_rows_and_aligns_numbers():
    rows = [
        {"name": "first", "value": 0.123456, "equal": True},
        {"name": "a|b", "images": 12_345, "value": 12_345.6, "equal": None},
    ]
    assert table(rows).splitlines() == [
        "| name  |  value | equal | images |",
        "|-------|-------:|-------|-------:|",
        "| first |  0.123 | yes   |        |",
        "| a/b   | 12,346 |       | 12,345 |",
    ]


def test_rows_are_printed_and_written_with_the_machine(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = options_of("About.").parse_args(["--out", "folder/own.json"])
    publish("name", [{"a": 1}], options.out)
    publish("name", [{"a": 2}], None)
    for file, value in (("folder/own.json", 1), ("mlruns/benchmarks/name.json", 2)):
        stored = json.loads((tmp_path / file).read_text())
        assert stored["results"] == [{"a": value}]
        assert stored["machine"]["cores"] >= 1
    assert "| 1 |" in capsys.readouterr().out


def test_speeds_are_relative_to_the_first_work_within_each_round():
    first, second = speeds("loading", {"slow": [2.0, 8.0, 4.0], "fast": [1.0, 2.0, 1.0]}, 8)
    assert first == {
        "what": "loading",
        "how": "slow",
        "a second": 2.0,  # 8 images in the median of 4 s
        "ratio": 1.0,
        "range": "1.00 to 1.00",
    }
    assert (second["a second"], second["ratio"]) == (8.0, 4.0)
    assert second["range"] == "2.00 to 4.00"
