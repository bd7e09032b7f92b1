"""`lightning_cli report`: which run, which file, which language."""

import pytest
from mlflow.exceptions import MlflowException

from lightning_app.main import main


def report_error(capsys, *args):
    with pytest.raises(SystemExit) as exit_:
        main(["report", *args])
    assert exit_.value.code == 1
    return capsys.readouterr().err


def test_report_becomes_an_artifact_of_its_run(make_run, client, workplace, monkeypatch, capsys):
    run_id = make_run()
    main(["report", run_id])
    assert [file.path for file in client.list_artifacts(run_id)] == ["report.html"]
    file = workplace / capsys.readouterr().out.split()[-1]
    assert file.read_text("utf-8").startswith("<!doctype html>")


def test_report_replaces_a_file(make_run, client, workplace):
    run_id = make_run(name="mine")
    (workplace / "a").mkdir()
    (workplace / "a" / "b.html").write_text("old")
    main(["report", "mine", "--out", "a/b.html", "--language", "zh"])
    assert 'lang="zh-Hans"' in (workplace / "a" / "b.html").read_text("utf-8")
    assert [file.name for file in (workplace / "a").iterdir()] == ["b.html"]
    assert client.list_artifacts(run_id) == []


def test_default_language_is_the_one_of_the_run(make_run, workplace):
    make_run({"report.language": "zh"}, name="mine")
    main(["report", "mine", "--out", "a.html"])
    main(["report", "mine", "--out", "b.html", "--language", "en"])
    assert 'lang="zh-Hans"' in (workplace / "a.html").read_text("utf-8")
    assert 'lang="en"' in (workplace / "b.html").read_text("utf-8")


def test_last_is_the_newest_run(make_run, workplace):
    for name in ("first", "second"):
        make_run(name=name)
    main(["report", "last", "--out", "a.html"])
    assert "<h1>second</h1>" in (workplace / "a.html").read_text("utf-8")


def test_unknown_run_is_an_error_that_names_the_newest_runs(make_run, capsys):
    make_run(name="first")
    make_run(name="second")
    assert (
        "There is no run 'x'; expected the id or name of a run, the first 6 or more digits of its "
        "id, best, last or models:/NAME@ALIAS. The newest runs are 'second', 'first'."
        in report_error(capsys, "x")
    )


def test_name_of_two_runs_is_an_error_that_lists_their_ids(make_run, capsys):
    ids = {make_run(name="it's"), make_run(name="it's")}
    error = report_error(capsys, "it's")
    assert '2 runs are called "it\'s"; name one by its id' in error
    assert all(run_id in error for run_id in ids)


def test_empty_store_and_no_store_are_errors(workplace, capsys):
    assert "There is no run in the store yet." in report_error(capsys, "last")
    (workplace / "mlruns" / "mlflow.db").unlink()
    error = report_error(capsys, "last")
    assert f"There is no run in {workplace / 'mlruns'} yet. Start one with" in error


def test_unreachable_store_is_an_error(workplace, capsys, monkeypatch):
    def refuse(*arguments, **options):
        raise MlflowException("Connection refused")

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setattr("lightning_app.store.runs.MlflowClient.search_experiments", refuse)
    error = report_error(capsys, "last")
    assert "The runs at http://127.0.0.1:9 cannot be read: Connection refused" in error


def test_file_has_to_be_an_html_file(make_run, capsys):
    make_run()
    expected = "The HTML page needs a file name that ends in .html (--out), not a.pdf."
    assert expected in report_error(capsys, "last", "--out", "a.pdf")


def test_unwritable_file_is_an_error(make_run, workplace, capsys):
    make_run()
    error = report_error(capsys, "last", "--out", "/proc/x.html")
    assert "The HTML page cannot be written to /proc/x.html (" in error
    assert "); name another file with --out." in error
