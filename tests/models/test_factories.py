import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch._dynamo.utils import counters

from datamodules import SyntheticDataModule
from models import MLP, SmallCNN
from models.factories import drop_unknown
from models.freezing import freeze_before


def test_channels_last_does_not_change_the_losses(make_classifier, make_trainer):
    def losses(channels_last):
        data = SyntheticDataModule(num_images=60, batch_size=8, num_workers=0)
        model, trainer = make_classifier(channels_last=channels_last), make_trainer(max_epochs=2)
        trainer.fit(model, data)
        return [trainer.callback_metrics[name].item() for name in ("train/loss", "val/loss")], model

    plain, _ = losses(False)
    changed, model = losses(True)
    assert changed == pytest.approx(plain, rel=1e-5)
    weight = model.backbone.blocks.block2.conv.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_hooks_run_when_the_module_of_a_compiled_network_is_called(make_classifier):
    model, seen = make_classifier(compile="eager").eval(), []
    images = torch.rand(2, 1, 16, 16)
    _, compiled = model.compiled_forward(model, images)
    model.backbone.blocks.register_forward_hook(lambda *arguments: seen.append(arguments))
    torch.testing.assert_close(model(images), compiled)
    assert len(seen) == 1


def test_unknown_backend_is_refused(make_classifier):
    with pytest.raises(ValueError, match=r"compile to be true, false, .*inductor.*, got 'fast'"):
        make_classifier(compile="fast")


def test_settings_that_a_class_does_not_take_are_removed():
    settings = {"class_path": "models.SmallCNN", "init_args": {"width": 4, "image_size": 32}}
    drop_unknown(settings, SmallCNN)
    assert settings["init_args"] == {"width": 4}
    settings = {"class_path": "models.MLP", "init_args": {"image_size": 32}}
    drop_unknown(settings, MLP)
    assert settings["init_args"] == {"image_size": 32}


def test_each_boundary_compiles_training_and_evaluation_once_and_as_a_whole(make_classifier):
    compiler = CompileCounter()
    backbone = MLP((8,), dropout=0, num_channels=1, image_size=8)
    model, images = (
        make_classifier(make_backbone=lambda: backbone, compile=compiler),
        torch.rand(4, 1, 8, 8),
    )
    breaks = sum(counters["graph_break"].values())
    for boundary, expected in (("head", 2), ("all", 4), ("all", 4)):
        freeze_before(boundary, model)
        model.backbone.register_forward_hook(lambda *arguments: None).remove()  # as pictures do
        for train in (True, False):
            with torch.set_grad_enabled(train):
                model.train(train).compiled_forward(model, images)
        assert compiler.frame_count == expected
    assert sum(counters["graph_break"].values()) == breaks
