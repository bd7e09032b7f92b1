"""System metrics of the other machines of a fit, which have no logger of the run."""

from lightning.pytorch import Trainer
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from lightning_app.store.locations import is_local, spool_folder
from lightning_app.store.run_logger import RunLogger
from lightning_app.store.spooling_client import SpoolingClient
from lightning_app.store.system_metrics import SystemMetrics, next_sample


class NodeMetrics:
    """Sends the load of a machine to the run, from its first process, until it is stopped.

    Args:
        uri: Address of the server.
        logger: Logger of the fit, which has no run in this process.
        run_id: Id of the run.
        node: Number of the machine.
    """

    def __init__(self, uri: str, logger: RunLogger, run_id: str, node: int) -> None:
        server = MlflowClient(uri)
        try:
            first = next_sample(server.get_run(run_id))
        except MlflowException:  # it is away; what is written waits for it
            first = 0
        # A name of its own: the first machine may share the folder.
        self._client = SpoolingClient(server, spool_folder(logger.root, uri) / f"{run_id}.{node}")
        self._monitor = SystemMetrics(self._client, run_id, first, node)
        self._monitor.start()

    def stop(self) -> None:
        """Stop, and send what waits."""
        self._monitor.finish()
        self._client.close()


def watch_node(trainer: Trainer, logger: RunLogger) -> NodeMetrics | None:
    """Watch this machine, if it is not the first; to be called by all processes.

    It needs a server: a database file of the first machine is not here, or cannot be shared.
    """
    if trainer.num_nodes == 1:
        return None
    run_id = trainer.strategy.broadcast(logger.run_id if trainer.is_global_zero else "")
    if trainer.node_rank == 0 or trainer.local_rank > 0 or is_local(logger.uri):
        return None
    return NodeMetrics(logger.uri, logger, run_id or "", trainer.node_rank)
