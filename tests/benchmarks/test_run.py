"""`run.py`: finds scripts, runs them in processes of their own, and goes on when one fails."""

import json

import pytest
import run

SCRIPTS = {
    "good": 'QUICK = ["--size", "3"]\nprint("| a |\\n|---|\\n| 1 |")\n'
    "import json, pathlib, sys\n"
    'file = pathlib.Path("mlruns/benchmarks/good.json")\n'
    "file.parent.mkdir(parents=True)\n"
    'file.write_text(json.dumps({"results": sys.argv[1:]}))\nprint(file)\n',
    "bad": "QUICK: list[str] = []\nprint('half a table')\nraise ValueError('no such luck')\n",
    "endless": "QUICK = []\nwhile True: pass\n",
    "large": 'LEFT_OUT = "needs a GPU"\nimport no_such_module\n',
    "silent": "",
}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scripts")
    for name, text in SCRIPTS.items():
        (folder / f"{name}.py").write_text(f'{text}\nif __name__ == "__main__":\n    pass\n')
    (folder / "shared.py").write_text("VALUE = 1\n")
    return folder


def test_scripts_are_found_with_their_short_settings_or_the_reason_that_there_are_none(scripts):
    assert run.find_scripts(scripts) == {
        "good": ["--size", "3"],
        "bad": [],
        "endless": [],
        "large": "needs a GPU",
        "silent": "has no QUICK, the arguments for a short run",
    }


def test_a_script_that_fails_or_does_not_end_stops_no_other(scripts, tmp_path, capsys):
    out = tmp_path / "results" / "run.json"
    assert run.main([f"--scripts={scripts}", f"--out={out}", "--each=0.5"]) == 1

    stored = json.loads(out.read_text())["results"]
    found = stored["scripts"]
    assert found["good"]["results"] == ["--size", "3"]
    assert found["good"]["printed"] == "| a |\n|---|\n| 1 |"
    assert found["good"]["problem"] is None
    assert found["bad"]["printed"] == "half a table"
    assert found["bad"]["problem"].startswith("ended with exit status 1\n")
    assert found["bad"]["problem"].endswith("ValueError: no such luck")
    assert found["endless"]["problem"].startswith("stopped after ")
    assert stored["left out"].keys() == {"large", "silent"}
    page = out.with_suffix(".md").read_text()
    assert "## good\n\n`uv run python benchmarks/good.py --size 3`\n\n| a |" in page
    assert "```\nhalf a table\n```" in page
    assert "left out: needs a GPU" in capsys.readouterr().out


def test_one_script_is_run_and_succeeds(scripts, tmp_path):
    out = tmp_path / "run.json"
    assert run.main([f"--scripts={scripts}", f"--out={out}", "--only", "good"]) == 0
    assert json.loads(out.read_text())["results"]["scripts"].keys() == {"good"}


def test_unknown_script_is_an_error(scripts, tmp_path):
    with pytest.raises(SystemExit, match="There is no script gpus; there are bad, endless, good"):
        run.main([f"--scripts={scripts}", f"--out={tmp_path}/run.json", "--only", "gpus"])


def test_scripts_of_this_project_are_found_with_their_settings():
    found = run.find_scripts(run.HERE)
    assert not [name for name, setting in found.items() if setting == run.NO_SETTING]
    assert found["gpu"] == "needs a GPU"
    assert found["overheads"][0] == "--rows"
    assert found["frozen_features"] == []
    assert found.keys().isdisjoint({"run", "rounds", "results"})
