import pytest
from jsonargparse import Namespace

from lightning_app.cli.strategies import check_strategy


@pytest.mark.parametrize(
    "strategy",
    [
        "fsdp",
        "deepspeed_stage_2",
        Namespace(class_path="lightning.pytorch.strategies.FSDPStrategy"),
        Namespace(class_path="lightning.pytorch.strategies.ModelParallelStrategy"),
    ],
)
def test_a_strategy_that_splits_the_network_is_refused(strategy):
    with pytest.raises(ValueError, match=r"each process with a part of the network.*use ddp"):
        check_strategy(strategy)


@pytest.mark.parametrize(
    "strategy",
    ["auto", "ddp", "ddp_spawn", Namespace(class_path="lightning.pytorch.strategies.DDPStrategy")],
)
def test_a_strategy_that_copies_the_network_is_allowed(strategy):
    check_strategy(strategy)
