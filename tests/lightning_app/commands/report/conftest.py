"""Pages of runs."""

import numpy as np
import pytest

from lightning_app.commands.report.report_page import write_page


@pytest.fixture
def gray():
    """A small picture of one grey."""
    return lambda value: np.full((8, 8, 3), value, np.uint8)


@pytest.fixture
def page_of(client, parse):
    """The page of a run, parsed."""
    return lambda run_id, language="en": parse(write_page(client, client.get_run(run_id), language))
