"""Reports of runs, rendered and parsed."""

import numpy as np
import pytest

from lightning_app.commands.report.report_page import render_report


@pytest.fixture
def gray():
    """A small picture of a single grey value."""
    return lambda value: np.full((8, 8, 3), value, np.uint8)


@pytest.fixture
def page_of(client, parse):
    """The report of a run, parsed."""
    return lambda run_id, language="en": parse(
        render_report(client, client.get_run(run_id), language)
    )
