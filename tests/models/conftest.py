import logging

import pytest


@pytest.fixture
def messages(caplog):
    """What is told to the user; Lightning's loggers hand nothing on to the root."""
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    logger.addHandler(caplog.handler)
    with caplog.at_level("INFO", logger=logger.name):
        yield caplog
    logger.removeHandler(caplog.handler)
