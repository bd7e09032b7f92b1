"""Claims of child runs in a real store; other machines are other host names."""

import json
import os
import socket
import time

import pytest

from lightning_app.cli.child_runs.child_run import ChildRunFailed, child_run
from lightning_app.cli.child_runs.claims import FAILED, FINISHED, STOPPED, Claim, Claims
from lightning_app.cli.child_runs.shared_children import SharedChildren
from lightning_app.store.run_file import SILENT_SECONDS, born
from lightning_app.store.stored_run import open_stored_run

CHILDREN = [child_run(name, 0, [name], "") for name in ("base", "wide", "deep")]


@pytest.fixture
def parent_id(client):
    return client.create_run(client.create_experiment("parts")).info.run_id


@pytest.fixture
def claims(client, parent_id):
    found = Claims(client, parent_id)
    yield found
    found.stop()


@pytest.fixture
def claim_elsewhere(client, parent_id):
    """Function that claims a child on another machine, some seconds ago."""

    def claim(key, number=1, ago=0.0, host="other"):
        content = {"host": host, "process": 1, "born": 1.0, "beat": time.time() - ago}
        client.log_param(parent_id, f"claim.{key}.{number}", json.dumps(content))

    return claim


def test_a_claimed_run_is_not_claimed_again_until_the_claim_ends(claims, client, parent_id):
    other = Claims(client, parent_id)
    assert claims.take("k") is None
    known = other.take("k")
    assert known == Claim(1, socket.gethostname(), os.getpid(), born(os.getpid()), known.beat)
    assert other.take("another") is None
    claims.end("k", FINISHED)
    assert claims.latest("k").end == FINISHED
    assert other.take("k") is None
    assert claims.latest("k").number == 2
    other.stop()
    assert claims.latest("k").end == STOPPED


def test_of_two_claims_at_once_the_store_takes_one(claims, claim_elsewhere, monkeypatch):
    latest = claims.latest

    def before_the_other(key):
        monkeypatch.setattr(claims, "latest", latest)
        found = latest(key)
        claim_elsewhere(key)
        return found

    monkeypatch.setattr(claims, "latest", before_the_other)
    assert claims.take("k").host == "other"


@pytest.mark.parametrize(("ago", "is_free"), [(0, False), (SILENT_SECONDS + 60, True)])
def test_claim_of_a_silent_machine_is_taken_over(claims, claim_elsewhere, ago, is_free):
    claim_elsewhere("k", ago=ago)
    assert (claims.take("k") is None) == is_free


def test_heartbeat_keeps_a_claim(claims, claim_elsewhere, client, parent_id):
    claim_elsewhere("k", ago=SILENT_SECONDS + 60)
    beat = {"number": 1, "beat": time.time(), "end": ""}
    client.set_tag(parent_id, "claim.k", json.dumps(beat))
    assert claims.take("k").host == "other"


def test_claim_of_a_process_that_has_ended_here_is_taken_over_at_once(claims, claim_elsewhere):
    claim_elsewhere("k", host=socket.gethostname())
    assert claims.take("k") is None


def test_claims_are_no_settings_of_the_parent_run(claims, client, parent_id):
    claims.take("k")
    client.log_param(parent_id, "lr", "1")
    with open_stored_run(client, client.get_run(parent_id)) as record:
        assert record.params == {"lr": "1"}


class OneOfTwo:
    """A runner whose parent run is shared with another machine."""

    jobs, is_stopped = 1, False

    def __init__(self, client, parent_id, runs):
        self.parent = self
        self.client, self.run_id, self.runs, self.trained = client, parent_id, runs, []

    def stopping(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def stop(self):
        pass

    def finished(self, child):
        return child.variation in self.runs

    def run(self, child):
        self.trained.append(child.variation)
        if child.variation == "deep":
            raise ChildRunFailed("too deep.")
        self.runs.add(child.variation)


def test_what_another_machine_trains_is_waited_for_and_not_trained_here(
    client, parent_id, claim_elsewhere, monkeypatch
):
    base, runs, ended = CHILDREN[0], set(), []
    claim_elsewhere(base.key)

    def other_machine(seconds):
        state = {"number": 1, "beat": time.time(), "end": FINISHED}
        client.set_tag(parent_id, f"claim.{base.key}", json.dumps(state))
        runs.add("base")

    monkeypatch.setattr(time, "sleep", other_machine)
    runner = OneOfTwo(client, parent_id, runs)
    done = SharedChildren(runner, lambda child, seconds, failure: ended.append((child, failure)))
    done.run(CHILDREN)
    assert runner.trained == ["wide", "deep"]
    assert [child.variation for child, _ in ended] == ["wide", "deep", "base"]
    assert [str(failure) for _, failure in ended] == ["None", "too deep.", "None"]
    claims = Claims(client, parent_id)
    assert claims.latest(CHILDREN[1].key).end == FINISHED
    assert claims.latest(CHILDREN[2].key).end == FAILED


def test_run_that_was_stopped_on_another_machine_is_taken_over(
    client, parent_id, claim_elsewhere, monkeypatch
):
    base, ended = CHILDREN[0], []
    claim_elsewhere(base.key)
    stopped = json.dumps({"number": 1, "beat": time.time(), "end": STOPPED})
    monkeypatch.setattr(
        time, "sleep", lambda seconds: client.set_tag(parent_id, f"claim.{base.key}", stopped)
    )
    runner = OneOfTwo(client, parent_id, set())
    SharedChildren(runner, lambda *end: ended.append(end)).run([base])
    assert runner.trained == ["base"]
    assert [failure for _, _, failure in ended] == [None]


def test_what_failed_on_another_machine_is_reported_and_not_trained_here(
    client, parent_id, claim_elsewhere, monkeypatch
):
    base, ended = CHILDREN[0], []
    claim_elsewhere(base.key)
    failed = json.dumps({"number": 1, "beat": time.time(), "end": FAILED})
    monkeypatch.setattr(
        time, "sleep", lambda seconds: client.set_tag(parent_id, f"claim.{base.key}", failed)
    )
    runner = OneOfTwo(client, parent_id, set())
    SharedChildren(runner, lambda *end: ended.append(end)).run([base])
    assert runner.trained == []
    [(child, seconds, failure)] = ended
    assert (child, seconds, str(failure)) == (base, None, "the output on other says why.")
