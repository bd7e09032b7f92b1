"""Settings with which a fit used to end in an error of a library."""

import pytest
from torch import bfloat16, float64

from datamodules import SyntheticDataModule
from models import Head


@pytest.mark.parametrize(("precision", "dtype"), [("bf16-true", bfloat16), ("64-true", float64)])
def test_images_get_the_type_of_the_weights(
    make_classifier, make_trainer, synthetic, precision, dtype
):
    model = make_classifier()
    trainer = make_trainer(max_steps=1, precision=precision)
    trainer.fit(model, datamodule=synthetic)
    assert next(model.parameters()).dtype == dtype
    assert trainer.test(model, datamodule=synthetic, verbose=False)[0]["test/loss"] > 0


def test_batch_of_one_with_a_batch_norm_says_what_to_do(make_classifier, make_trainer):
    data = SyntheticDataModule(num_images=80, batch_size=1)
    model = make_classifier(head=lambda *sizes: Head(*sizes, hidden=[8], norm="batch"))
    with pytest.raises(ValueError, match=r"one value per channel: raise data\.batch_size"):
        make_trainer(max_steps=1, num_sanity_val_steps=0).fit(model, datamodule=data)
