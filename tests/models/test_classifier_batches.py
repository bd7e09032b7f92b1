"""Special batches: several views per image, and labels that are shares of classes."""

import pytest
import torch
from torch.nn.functional import nll_loss

from datamodules import Options, SyntheticDataModule
from datamodules.augmentation.mixing import Mixing
from datamodules.device_batches import on_device


def test_views_of_a_test_image_are_averaged(make_classifier, make_trainer, synthetic):
    model, trainer = make_classifier().eval(), make_trainer()
    source = synthetic.sources["test"]
    images = torch.from_numpy(source.reader.images[source.rows]).movedim(3, 1) / 255
    with torch.no_grad():
        mean = (model(images).softmax(1) + model(images.flip(3)).softmax(1)) / 2
    options = Options(test_time_views=["mirror"])
    data = SyntheticDataModule(num_images=80, batch_size=16, options=options)
    logits = torch.cat([batch["logits"] for batch in trainer.predict(model, data)])
    torch.testing.assert_close(logits.softmax(1), mean)
    [metrics] = trainer.test(model, data, verbose=False)
    loss = nll_loss(mean.log(), torch.from_numpy(source.labels))
    assert metrics["test/loss"] == pytest.approx(loss.item())


def test_mixed_images_train_and_count_as_their_larger_share(make_classifier, make_trainer):
    data = SyntheticDataModule(num_images=200, batch_size=16, options=Options(cutmix=0.2))
    trainer = make_trainer(max_epochs=8)
    trainer.fit(make_classifier(), data)
    assert trainer.callback_metrics["train/accuracy"] > 0.5
    assert trainer.callback_metrics["val/accuracy"] > 0.7


@pytest.mark.parametrize("channels_last", [True, False])
def test_images_come_in_the_layout_of_the_network(channels_last, make_classifier, make_trainer):
    trainer = make_trainer()
    trainer.strategy.connect(make_classifier(channels_last=channels_last))
    pixels = torch.arange(120, dtype=torch.uint8).view(2, 3, 4, 5)
    batch = [pixels, torch.zeros(2, dtype=torch.int64), torch.arange(2)]
    images = on_device(batch, trainer, Mixing(0, 0, 4), [], 0)[0]
    assert images.is_contiguous(memory_format=torch.channels_last) == channels_last
    assert images.equal(pixels.float() / 255)
