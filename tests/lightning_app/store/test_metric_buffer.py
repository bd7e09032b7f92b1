"""Metric buffer: x-axis of the metrics, and when they are due."""

import pytest

from lightning_app.store.metric_buffer import FLUSH_SECONDS, MAX_BATCH, MetricBuffer


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""
    time = [0.0]
    monkeypatch.setattr("lightning_app.store.metric_buffer.time.monotonic", lambda: time[0])
    return time


def test_metrics_are_at_their_epoch_and_those_of_steps_at_their_step():
    buffer = MetricBuffer()
    buffer.add({"val/loss": 1.5, "train/loss_step": 2.5}, step=70, epoch=3)
    [batch] = buffer.batches()
    assert [(m.key, m.value, m.step) for m in batch] == [
        ("val/loss", 1.5, 3),
        ("train/loss_step", 2.5, 70),
    ]
    assert list(buffer.batches()) == []


def test_buffer_is_due_after_some_seconds(clock):
    buffer = MetricBuffer()
    clock[0] = FLUSH_SECONDS
    assert not buffer.is_due
    clock[0] += 0.1
    assert buffer.is_due
    list(buffer.batches())
    assert not buffer.is_due


def test_full_buffer_is_due_and_sent_in_batches(clock):
    buffer = MetricBuffer()
    for step in range(MAX_BATCH - 1):
        buffer.add({"loss_step": 0.0}, step, 0)
    assert not buffer.is_due
    buffer.add({"loss_step": 0.0, "lr_step": 0.0}, MAX_BATCH, 0)
    assert buffer.is_due
    assert [len(batch) for batch in buffer.batches()] == [MAX_BATCH, 1]
