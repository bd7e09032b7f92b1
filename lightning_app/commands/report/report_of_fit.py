"""Report at the end of a fit or a test."""

import os
import warnings

from lightning_app.cli.errors.user_errors import DEBUG
from lightning_app.commands.report.save_report import store_report
from lightning_app.commands.report.settings import Report
from lightning_app.store.run_logger import RunLogger


def report_run(logger: RunLogger, report: Report) -> None:
    """Write the report of a run that ends; a failure is only a warning.

    Args:
        logger: Logger of the run.
        report: Settings of the report.
    """
    try:
        client = logger.experiment  # sends everything that is buffered
        location = store_report(client, client.get_run(logger.run_id), report.language)
    except Exception as error:  # of any kind: the run itself is complete
        if os.environ.get(DEBUG):
            raise
        warnings.warn(f"Report not written: {type(error).__name__}: {error}", stacklevel=2)
    else:
        print(f"Report      {location}")
