"""Tests of `lightning_cli promote`: which version is the champion, and what is kept of it."""

import re
from pathlib import Path

import pytest

from lightning_app.commands.compare.comparison import compare_runs
from lightning_app.main import main
from lightning_app.store.checkpoints import find_checkpoint
from lightning_app.store.runs import find_run
from lightning_app.store.stored_run import open_stored_run

TRUE = "cd" * 40  # labels of eighty images
HALF = "cc" * 40  # all cats: half of them correct


def failure(capsys, *arguments):
    with pytest.raises(SystemExit, match="1"):
        main(["promote", *arguments, "--name", "animals"])
    return capsys.readouterr().err


def version(client, number):
    return client.get_model_version("animals", str(number))


def test_the_first_model_becomes_the_champion_without_a_test(
    promote, aliases, make_run, add_model, client
):
    add_model(run_id := make_run(name="first"))
    printed = promote("first")
    assert aliases() == {"champion": 1}
    assert "Alias       champion: it is the first" in printed
    assert version(client, 1).run_id == run_id
    assert version(client, 1).tags["promotion"] == "champion"


def test_a_certainly_better_model_becomes_the_champion(promote, aliases, make_model, client):
    make_model("worse", HALF, TRUE)
    promote("worse")
    make_model("better", TRUE, TRUE)
    printed = promote("better")
    assert aliases() == {"champion": 2}
    assert "accuracy +50.0 percentage points against version 1 on 80 test images" in printed
    tags = version(client, 2).tags
    assert tags["promotion.before"] == "1"
    assert float(tags["promotion.difference"]) == 0.5
    assert float(tags["promotion.low"]) > 0


def test_a_worse_model_becomes_the_challenger_and_the_reason_is_kept(
    promote, aliases, make_model, client
):
    make_model("better", TRUE, TRUE)
    promote("better")
    make_model("worse", HALF, TRUE)
    promote("worse")
    assert aliases() == {"champion": 1, "challenger": 2}
    tags = version(client, 2).tags
    assert tags["promotion"] == "challenger"
    assert "accuracy -50.0 percentage points" in tags["promotion.reason"]
    assert "that is a loss; no loss is allowed" in tags["promotion.reason"]
    assert tags["promotion.against"] == "1"


def test_the_interval_is_that_of_compare(promote, make_model, client):
    first = make_model("first", "ccddco", "ccddoo")
    promote("first")
    second = make_model("second", "ccdcoo", "ccddoo")
    promote("second")
    with (
        open_stored_run(client, client.get_run(first)) as base,
        open_stored_run(client, client.get_run(second)) as other,
    ):
        test = compare_runs([base, other], "test").pairs[0].test
    tags = version(client, 2).tags
    for key, value in test._asdict().items():
        assert float(tags[f"promotion.{key}"]) == pytest.approx(value, rel=1e-5)


def test_an_equal_model_needs_a_margin(promote, aliases, make_model):
    make_model("one", TRUE, TRUE)
    promote("one")
    make_model("two", TRUE, TRUE)
    assert "a loss is not ruled out; no loss is allowed" in promote("two")
    assert aliases() == {"champion": 1, "challenger": 2}
    promote("two", "--margin", "5")
    assert aliases() == {"champion": 2}  # the same model is the same version


def test_a_model_tested_on_fewer_images_becomes_the_challenger(promote, aliases, make_model):
    make_model("one", HALF, TRUE)
    promote("one")
    make_model("two", TRUE[:60], TRUE[:60])
    assert "it was tested on 60 of the champion's 80 test images" in promote("two")
    assert aliases() == {"champion": 1, "challenger": 2}


def test_force_makes_any_model_the_champion_and_keeps_the_reason(
    promote, aliases, make_model, make_run, add_model, client
):
    make_model("one", TRUE, TRUE)
    promote("one")
    add_model(make_run(name="untested"))
    promote("untested", "--force", "smaller and fast enough")
    assert aliases() == {"champion": 2}
    assert version(client, 2).tags["promotion.reason"] == "forced: smaller and fast enough"


def test_rollback_gives_the_alias_back_step_by_step(promote, aliases, make_model, capsys):
    for number in range(3):
        make_model(f"run{number}", TRUE, TRUE)
        promote(f"run{number}", "--force", "test")
    printed = promote("--rollback")
    assert printed == "Champion    models:/animals/2, instead of version 3\n"
    promote("--rollback")
    assert aliases() == {"champion": 1}
    assert "There was no champion of 'animals' before version 1." in failure(capsys, "--rollback")


def test_rollback_without_a_model_is_an_error(workplace, client, capsys):
    assert "The registry has no model 'animals' with a champion." in failure(capsys, "--rollback")


def test_a_run_that_was_not_tested_cannot_be_compared(
    promote, make_model, make_run, add_model, capsys
):
    make_model("one", TRUE, TRUE)
    promote("one")
    add_model(run_id := make_run(name="untested"))
    error = failure(capsys, "untested")
    assert f"The run untested ({run_id[:6]}) was not tested: it has no predictions/" in error
    assert f"`lightning_cli test --ckpt_path {run_id}` tests it" in error


def test_a_test_of_another_checkpoint_does_not_count(promote, make_model, capsys):
    make_model("one", TRUE, TRUE)
    promote("one")
    evaluation = {
        "split": ["test"], "checkpoint": ["last"], "epoch": [7], "images": [80], "seen": [0],
        "digest": [""], "settings": [""], "time": [0],
    }  # fmt: skip
    make_model("two", TRUE, TRUE, tables={"evaluations": evaluation})
    assert "are of epoch 7, but its model is of epoch 3" in failure(capsys, "two")


def test_the_champion_is_not_promoted_again(promote, make_model, capsys):
    make_model("one", TRUE, TRUE)
    promote("one")
    assert "is the champion already, as version 1." in failure(capsys, "one")


def test_the_scores_are_tags_and_the_description_is_the_card_without_metadata(
    promote, make_model, client
):
    run_id = make_model("one", TRUE, TRUE)
    promote("one")
    found = version(client, 1)
    assert found.tags["test/accuracy"] == "1.0000 (0.6097 to 1.0000)"  # of six images, by Wilson
    card = client.download_artifacts(run_id, "model_card.md")
    assert found.description.startswith("Image classifier, network. From the run one (")
    assert Path(card).read_text().endswith(f"\n---\n\n# animals\n\n{found.description}\n")


def test_a_long_card_is_cut_before_a_section(promote, make_model, add_split, client):
    run_id = make_model("one", TRUE, TRUE)
    add_split(run_id, "train", {f"class {number} {'x' * 60}": 100 for number in range(500)})
    promote("one")
    text = version(client, 1).description
    assert len(text) <= 5000
    assert "\n## Data" not in text
    assert text.endswith("The whole card is the artifact `model_card.md` of the run.\n")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["one", "--rollback"], "name a RUN to promote, or give --rollback without a RUN"),
        ([], "name a RUN to promote"),
        (["one", "--margin", "-1"], "expected 0 to 100 percentage points"),
    ],
)
def test_impossible_options_are_refused(workplace, capsys, arguments, text):
    with pytest.raises(SystemExit, match="2"):
        main(["promote", *arguments, "--name", "animals"])
    assert text in capsys.readouterr().err


def test_a_name_that_an_address_cannot_hold_is_refused(workplace, client, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["promote", "one", "--name", "a/b"])
    assert "--name is 'a/b'; expected a name without the letters / : @." in capsys.readouterr().err


def test_an_address_of_the_registry_names_a_run(promote, make_model, client):
    run_id = make_model("one", TRUE, TRUE)
    promote("one")
    for address in ("models:/animals@champion", "models:/animals/1"):
        assert find_run(client, address).info.run_id == run_id


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("models:/plants@champion", "The registry has no model 'plants'; it has 'animals'."),
        ("models:/animals@best", "There is no models:/animals@best; the model 'animals' has "
         "@champion, /1."),
        ("models:/animals/7", "There is no models:/animals/7; the model 'animals' has"),
        ("models:/animals", "'models:/animals' is no registered model; expected models:/NAME@"),
    ],
)  # fmt: skip
def test_an_unknown_address_is_explained(promote, make_model, client, address, text):
    make_model("one", TRUE, TRUE)
    promote("one")
    with pytest.raises(ValueError, match=re.escape(text)):
        find_run(client, address)


def test_a_version_of_others_has_no_run_here(client):
    client.create_registered_model("foreign")
    client.create_model_version("foreign", "somewhere")
    with pytest.raises(ValueError, match="was not registered by `lightning_cli promote`"):
        find_run(client, "models:/foreign/1")


def test_a_registered_model_whose_checkpoint_is_gone_is_explained(promote, make_model):
    make_model("one", TRUE, TRUE)
    promote("one")
    with pytest.raises(ValueError, match="The checkpoint of models:/animals@champion is not here"):
        find_checkpoint("models:/animals@champion")
