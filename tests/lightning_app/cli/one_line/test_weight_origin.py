import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lightning_app.cli.one_line.recipes import backbone_of, choose_recipe
from lightning_app.cli.one_line.weight_origin import Backbone, can_be_reached, origin_of_weights


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An environment without a network and without earlier downloads."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))


@pytest.fixture
def server(monkeypatch):
    """Address of a server that answers every question with `not found`."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)

    class NotFound(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_error(404)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), NotFound) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_a_server_that_answers_can_be_reached(server):
    assert can_be_reached(server)


def test_a_closed_port_cannot_be_reached(server):
    assert not can_be_reached("http://127.0.0.1:9")


def test_nothing_is_reached_where_the_environment_says_so(server, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert not can_be_reached(server)


def test_a_file_is_at_hand(offline):
    assert origin_of_weights(Backbone("TimmBackbone", "resnet18", "a.pth")) == ("a.pth", "")


def test_an_earlier_download_is_at_hand(offline, tmp_path):
    backbone = Backbone("TorchvisionBackbone", "squeezenet1_0", "")
    assert origin_of_weights(backbone)[0] == ""
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "squeezenet1_0-b66bff10.pth").touch()
    assert origin_of_weights(backbone) == ("an earlier download", "")


def test_weights_of_an_installed_package_are_at_hand(offline):
    origin, problem = origin_of_weights(Backbone("TimmBackbone", "tf_efficientnet_lite0", ""))
    assert (origin, problem) == ("a package that is installed", "")


def test_a_network_of_our_own_has_no_weights(offline):
    origin, problem = origin_of_weights(Backbone("SmallCNN", "", ""))
    assert (origin, problem) == ("", "there are no pretrained weights for a SmallCNN")


def test_recipe_follows_from_the_weights_that_are_at_hand(offline):
    assert choose_recipe(None, []).name == "transfer"  # of a package
    other = ["--model.backbone.name", "resnet50"]
    assert choose_recipe(None, other).name == "scratch"
    assert "huggingface.co cannot be reached" in choose_recipe(None, other).reason
    assert choose_recipe(None, [*other, "--model.backbone.weights", "a.pth"]).name == "transfer"
    assert choose_recipe("probe", []).name == "probe"


def test_backbone_is_that_of_the_recipe_unless_the_user_names_another():
    assert backbone_of("transfer", []) == Backbone("TimmBackbone", "tf_efficientnet_lite0", "")
    options = ["--model.backbone=TorchvisionBackbone", "--model.backbone.name", "resnet50"]
    assert backbone_of("transfer", options) == Backbone("TorchvisionBackbone", "resnet50", "")
    assert backbone_of("transfer", options[1:]) == Backbone("TimmBackbone", "resnet50", "")
