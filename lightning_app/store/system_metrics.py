"""System metrics: load of processor, memory, disk, network and GPU during a fit."""

from typing import Any

from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

from lightning_app.store.metric_buffer import MetricBuffer


class SystemMetrics(SystemMetricsMonitor):
    """MLflow's monitor, whose numbers go the way of all other writes.

    MLflow's own asks the server for the run at every sample, and writes to it. So it would end when
    the server is away, and hold up the end of a fit while it is slow.

    Args:
        client: The spooling client.
        run_id: Id of the run.
        first_step: Number of the first sample.
        node: Number of the machine. The metrics of the first are `system/…`, as those of a fit on
            one machine; those of the second are `system/node1/…`.
    """

    def __init__(self, client: Any, run_id: str, first_step: int, node: int = 0) -> None:
        super().__init__(run_id)
        self._client, self._logging_step = client, first_step
        self._metrics_prefix = f"system/node{node}/" if node else "system/"

    def monitor(self) -> None:
        """Collect and write metrics until `finish` is called."""
        while True:
            for _ in range(self.samples_before_logging):
                self.collect_metrics()
                if self._shutdown_event.wait(self.sampling_interval):
                    return
            self.publish_metrics(self.aggregate_metrics())

    def publish_metrics(self, metrics: dict[str, float]) -> None:
        """Write metrics."""
        buffer = MetricBuffer()
        named = {f"{self._metrics_prefix}{name}": value for name, value in metrics.items()}
        buffer.add(named, self._logging_step, self._logging_step)
        for batch in buffer.batches():
            self._client.log_batch(self._run_id, metrics=batch)
        self._logging_step += 1
        for monitor in self.monitors:
            monitor.clear_metrics()


def next_sample(run: Any) -> int:
    """Number of the next sample of a run that is resumed."""
    steps = [metric.step for metric in run.data._metric_objs if metric.key.startswith("system/")]
    return max(steps, default=-1) + 1
