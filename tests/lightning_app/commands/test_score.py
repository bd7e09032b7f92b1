"""`lightning_cli score`: scores from elsewhere become metrics of a run."""

import pytest

from lightning_app.commands.compare.numbers import number_rows
from lightning_app.main import main
from lightning_app.pages.words import UNKNOWN, Words
from lightning_app.store.stored_run import open_stored_run

PUBLIC, PRIVATE = "external/kaggle/public", "external/kaggle/private"


@pytest.fixture
def score(workplace, capsys):
    """Function that runs the command; returns what it printed."""

    def run(*args):
        main(["score", *args])
        return capsys.readouterr().out

    return run


@pytest.fixture
def score_error(workplace, capsys):
    """Function that runs the command, which fails; returns its message."""

    def run(*args):
        with pytest.raises(SystemExit, match="1"):
            main(["score", *args])
        return capsys.readouterr().err

    return run


def test_scores_become_metrics_of_the_run(make_run, client, score):
    run_id = make_run(name="net", metrics={"val/accuracy": 0.9})
    printed = score("net", "kaggle/public=1.0", "kaggle/private=0.99855")
    stored = client.get_run(run_id)
    assert stored.data.metrics == {"val/accuracy": 0.9, PUBLIC: 1.0, PRIVATE: 0.99855}
    assert stored.info.status == "FINISHED"
    assert printed.splitlines() == [
        f"Score       {PUBLIC} 1",
        f"Score       {PRIVATE} 0.99855",
        f"Run         net ({run_id[:6]})",
        f"Report      lightning_cli report {run_id} writes it again",
    ]


def test_second_score_of_a_name_replaces_the_first_with_its_note(make_run, client, score):
    run_id = make_run()
    score(run_id, "kaggle/public=0.9", "--note", "submission 1")
    assert client.get_run(run_id).data.tags[f"note.{PUBLIC}"] == "submission 1"
    printed = score(run_id, f"{PUBLIC}=0.5")  # with the prefix it is the same score
    assert f"{PUBLIC} 0.5 (replaces 0.9)" in printed
    stored = client.get_run(run_id).data
    assert stored.metrics == {PUBLIC: 0.5}
    assert f"note.{PUBLIC}" not in stored.tags


def test_best_is_the_newest_run_with_such_a_checkpoint(make_run, client, workplace, score):
    run_id = make_run(name="trained")
    make_run(name="newer, without a checkpoint")
    folder = workplace / "mlruns" / "checkpoints" / "hand" / run_id
    folder.mkdir(parents=True)
    (folder / "best.ckpt").touch()
    score("best", "rank=-3")
    assert client.get_run(run_id).data.metrics == {"external/rank": -3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("public", "Expected NAME=VALUE, such as kaggle/public=0.998, got 'public'."),
        ("public=high", "The score public is 'high'; expected a number."),
        ("public=1,0", "The score public is '1,0'; expected a number."),
        ("public=nan", "The score public is nan; expected a finite number."),
        ("public=inf", "The score public is inf; expected a finite number."),
        ("=1", "A score cannot be called ''; expected a name of letters, digits"),
        ("a b=1", "A score cannot be called 'a b'; expected a name of letters, digits"),
        ("../a=1", "A score cannot be called '../a'; expected a name of letters, digits"),
        ("a//b=1", "A score cannot be called 'a//b'; expected a name of letters, digits"),
        (f"{'a' * 201}=1", "of up to 200 letters."),
    ],
)
def test_invalid_score_is_refused_and_nothing_is_recorded(
    make_run, client, score_error, text, message
):
    run_id = make_run()
    assert message in score_error(run_id, "good=1", text)
    assert client.get_run(run_id).data.metrics == {}


def test_score_given_twice_is_refused(make_run, score_error):
    assert "The score a is given twice." in score_error(make_run(), "a=1", "a=2")


def test_unknown_run_is_an_error(make_run, score_error):
    make_run(name="net")
    assert "There is no run 'nat'" in score_error("nat", "a=1")


def test_report_shows_scores_with_their_notes(make_run, client, workplace, parse, score):
    run_id = make_run()
    main(["report", run_id, "--out", "before.html"])
    score(run_id, "kaggle/private=0.99855", "--note", "<b>late</b>")
    main(["report", run_id, "--out", "after.html"])
    before, after = (
        parse((workplace / f"{name}.html").read_text("utf-8")) for name in ("before", "after")
    )
    start = after.words.index("Scores from elsewhere")
    assert after.words[start + 4 : start + 7] == ["kaggle/private", "0.99855", "<b>late</b>"]
    assert "Scores from elsewhere" not in before.words


def test_compare_has_a_row_for_each_score(make_run, client, score):
    first, second = make_run(name="a"), make_run(name="b")
    score(first, "kaggle/public=1", "kaggle/private=0.99855")
    score(second, "kaggle/public=0.5")
    with (
        open_stored_run(client, client.get_run(first)) as one,
        open_stored_run(client, client.get_run(second)) as two,
    ):
        rows = dict(number_rows([one, two], Words("en")))
    assert [number.value for number in rows["kaggle/public"]] == ["1", "0.5"]
    assert [number.value for number in rows["kaggle/private"]] == ["0.99855", UNKNOWN]
