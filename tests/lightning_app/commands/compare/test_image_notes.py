"""Notes on runs that were scored on different images."""

import re


def test_other_training_images_are_reported(make_tested, add_split, compared):
    for name in ("a", "b"):
        run_id = make_tested(name, "ccddoo", params={"x": name})
        if name == "b":
            add_split(run_id, "train", {"cat": 2})
    output, page = compared("a", "b")
    assert re.search(r"images \(train\) +\N{EN DASH} +0123abcd", output)
    assert "images scored" not in output
    assert "scored on different images" not in output + page.text


def test_classes_are_matched_by_name(make_tested, add_split, compared):
    add_split(make_tested("a", "ccddoo"), "train", {"cat": 2, "dog": 2, "owl": 2})
    add_split(make_tested("b", "ccddcd"), "train", {"dog": 2, "cat": 2})
    output, _ = compared("a", "b")
    assert "broken 2" in output
    assert "owl: -100.0" in output


def test_images_that_some_runs_lack_are_counted(make_tested, compared):
    make_tested("a", "ccddoo")
    make_tested("b", "ccdd", labels="cccd")  # one of another label, two that are not there
    output, page = compared("a", "b")
    assert "on 3 test images" in output
    assert "3 left out: missing from a run, or labelled differently" in output
    assert "Left out: 3 (missing from a run, or labelled differently)." in page.text


def test_different_scored_images_are_reported(make_tested, compared):
    make_tested("a, seed 0", "ccddoo", metrics={"test/accuracy": 1.0})
    make_tested("b", "ccdd", labels="cccd", metrics={"test/accuracy": 0.75})
    output, page = compared("a, seed 0", "b")
    expected = (
        "The runs were scored on different images (test): 'a, seed 0' on 6, 'b' on 4. Images that "
        "they share, with the same label: 3. Each column of this table is based on all images of "
        "its run;"
    )
    assert expected in " ".join(output.split())
    assert max(map(len, output.splitlines())) <= 100
    assert expected in page.text
    assert (
        page.text.index("100.00 %")
        < page.text.index(expected)
        < page.text.index("Differences in settings")
    )
    row = r"images scored \(test\) +6, digest [0-9a-f]{8} +4, digest [0-9a-f]{8}"
    assert re.search(row, output)
    assert "images scored (test)" in page.words
    assert "“b” 4 张" in compared("a, seed 0", "b", "--language", "zh")[1].text


def test_different_validation_images_are_reported(make_tested, add_split, compared):
    for name in ("a", "same"):
        add_split(make_tested(name, "ccddoo"), "val", {"cat": 2})
    assert "chose their best epoch" not in compared("a", "same")[0]
    make_tested("b", "ccddoo")
    output, page = compared("a", "b")
    expected = "The runs chose their best epoch on different images (validation)"
    assert expected in " ".join(output.split())
    assert expected in page.text
