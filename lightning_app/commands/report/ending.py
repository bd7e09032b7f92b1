"""The report that a fit and a test end with."""

import os
import warnings

from lightning_app.cli.errors.user_errors import DEBUG
from lightning_app.commands.report.saving import store_page
from lightning_app.commands.report.settings import Report
from lightning_app.store.run_logger import RunLogger


def report_run(logger: RunLogger, report: Report) -> None:
    """Write the report of a run that ends; whatever is in its way is a warning."""
    try:
        client = logger.experiment  # everything that was logged is sent first
        place = store_page(client, client.get_run(logger.run_id), report.language)
    except Exception as error:  # whatever it is: the run itself is safe
        if os.environ.get(DEBUG):
            raise
        warnings.warn(f"No report: {type(error).__name__}: {error}", stacklevel=2)
    else:
        print(f"Report      {place}")
