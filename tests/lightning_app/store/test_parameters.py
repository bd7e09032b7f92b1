"""MLflow parameters: flat names."""

from lightning_app.store.parameters import affects_training, flatten


def test_names_are_short_and_without_init_args():
    config = {
        "model": {
            "class_path": "models.ImageClassifier",
            "init_args": {
                "backbone": {"class_path": "models.SmallCNN", "init_args": {"width": 8}},
                "lr_scheduler": None,
            },
        }
    }
    assert flatten(config) == {
        "model": "models.ImageClassifier",
        "model.backbone": "models.SmallCNN",
        "model.backbone.width": "8",
    }


def test_objects_in_lists_are_numbered():
    config = {"augmentation": [{"class_path": "A"}, {"class_path": "B", "init_args": {"p": 0.5}}]}
    assert flatten(config) == {
        "augmentation.0": "A",
        "augmentation.1": "B",
        "augmentation.1.p": "0.5",
    }


def test_plain_list_is_one_value():
    assert flatten({"hidden": [1024, 50]}) == {"hidden": "[1024, 50]"}


def test_pictures_and_places_do_not_affect_training():
    assert not affects_training("pictures")
    assert not affects_training("trainer.logger.init_args.run_name")
    assert affects_training("picture")
    assert affects_training("model.lr")
