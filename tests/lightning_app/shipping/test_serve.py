"""Tests of `lightning_cli serve`: real requests to a server in a thread."""

import base64
import io
import json
import os
import signal
import socket
import sys
from threading import Event, Thread
from types import SimpleNamespace
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
import torch
from PIL import Image
from werkzeug.serving import BaseWSGIServer

import lightning_app
from callbacks.pictures import ClassActivation
from lightning_app.cli.networks.exportable import Exportable
from lightning_app.cli.networks.images import Images
from lightning_app.cli.networks.network import Network
from lightning_app.commands.explain.write_overlays import write_overlays
from lightning_app.commands.serve.application import MAX_BYTES, make_application
from lightning_app.commands.serve.page import render_page
from lightning_app.commands.serve.prediction_service import MAX_SIDE, PredictionService
from lightning_app.commands.serve.serve import LOOPBACK
from lightning_app.commands.serve.server import address_of, is_loopback, open_server
from lightning_app.commands.serve.training_images import PENDING, TrainingImages
from lightning_app.main import main
from lightning_app.output.folder import Folder
from lightning_app.pages.language import LANGUAGES


@pytest.fixture(scope="module")
def served(shipped):
    """A server of the run: its address, the network and its training images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shipped.folder)
        source = Exportable(shipped.run.info.run_id)
        images = TrainingImages(source)
        images.wait()
        service = PredictionService(source.source, images)
        app = make_application(service, render_page(source, "en"), LOOPBACK)
        server = open_server("127.0.0.1", 0)(app)
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield SimpleNamespace(address=address_of(server), source=source, images=images)
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def ask(served):
    """Function that posts a body; returns the status and the answer."""

    def post(body, options="", kind="application/octet-stream", **headers):
        address = f"{served.address}/predict{options}"
        request = Request(address, body, {"Content-Type": kind, **headers})
        try:
            with urlopen(request) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)

    return post


@pytest.fixture(scope="module")
def photograph(shipped):
    """A JPEG file that is larger than the network's images and not square."""
    pixels = np.asarray(Image.open(shipped.photograph)).repeat(4, axis=0).repeat(6, axis=1)
    file = shipped.folder / "photograph.jpg"
    Image.fromarray(pixels).save(file)
    return file


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def opened(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition("base64,")[2]))))


def form(data):
    """Body of a form with a file, and its type."""
    head = 'Content-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
    lines = [b"--x\r\n", head.encode(), b"Content-Type: image/jpeg\r\n\r\n", data, b"\r\n--x--\r\n"]
    return b"".join(lines), "multipart/form-data; boundary=x"


def as_json(text):
    return json.dumps({"image": text}).encode(), "application/json"


def bodies(data):
    """An image in each form that a request may have, and its type."""
    text = base64.b64encode(data).decode()
    return {
        "bytes": (data, "image/jpeg"),
        "as curl sends them": (data, "application/x-www-form-urlencoded"),
        "form": form(data),
        "base64": as_json(f"{text[:76]}\n{text[76:]}"),
        "data URI": as_json(f"data:image/jpeg;base64,{text}"),
    }


@pytest.mark.parametrize("way", bodies(b""))
def test_the_answer_is_that_of_predict(ask, photograph, shipped, way):
    run_id = shipped.run.info.run_id  # other tests train in this store
    [expected] = lightning_app.predict(run_id, photograph).to_dict("records")
    body, kind = bodies(photograph.read_bytes())[way]
    status, answer = ask(body, kind=kind)
    assert status == 200
    assert answer["label"] == expected["predicted"]
    assert answer["probability"] == pytest.approx(expected["confidence"], abs=1e-6)
    assert list(answer["probabilities"]) == [*shipped.class_names]
    others = answer["probabilities"][expected["predicted_2"]]
    assert others == pytest.approx(expected["confidence_2"], abs=1e-6)
    assert set(answer) == {"label", "probability", "probabilities", "set"}
    assert answer["set"] == expected["set"].split("|")


def test_the_overlay_is_that_of_explain(ask, served, photograph, tmp_path):
    network = served.source.source
    images = Images([photograph], network.image_size, network.num_channels, network.resize)
    write_overlays({"grad_cam": ClassActivation()}, network, images, Folder(tmp_path))
    expected = np.asarray(Image.open(tmp_path / "grad_cam" / "photograph.png"))
    _, answer = ask(photograph.read_bytes(), "?grad_cam=true")
    assert expected.shape == (64, 96, 3)
    np.testing.assert_array_equal(opened(answer["grad_cam"]), expected)


def test_the_nearest_images_have_the_most_similar_features(ask, served):
    data, model = served.source.data, served.source.source.model
    train = data.sources["train"]
    with torch.inference_mode():
        features = model.backbone(data.images("train", range(len(train)))).double().numpy()
    features = (features - features.mean(axis=0)) / features.std(axis=0).clip(1e-6)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    cosines = features @ features[7]
    expected = np.argsort(-cosines)[:4]
    _, answer = ask(png(train.read(7)), "?nearest=4")
    found = answer["nearest"]
    assert (found["pending"], found["note"]) == (False, "")
    assert [image["name"] for image in found["images"]] == [train.names[i] for i in expected]
    labels = [data.class_names[train.labels[i]] for i in expected]
    assert [image["label"] for image in found["images"]] == labels
    similarities = [image["similarity"] for image in found["images"]]
    assert similarities == pytest.approx(cosines[expected].tolist(), abs=2e-4)
    assert found["images"][0]["name"] == train.names[7]
    assert similarities[0] == pytest.approx(1, abs=1e-4)
    assert opened(found["images"][0]["thumbnail"]).shape == train.read(7).shape


def test_a_run_whose_images_have_gone_says_so(served, shipped, photograph):
    images, away = shipped.folder / "images", shipped.folder / "away"
    images.rename(away)
    try:
        found = TrainingImages(Exportable("best"))
        found.wait()
    finally:
        away.rename(images)
    service = PredictionService(served.source.source, found)
    answer = service.answer(photograph.read_bytes(), False, 3)
    assert answer["label"] in shipped.class_names
    assert answer["nearest"]["images"] == []
    assert not answer["nearest"]["pending"]
    assert answer["nearest"]["note"].startswith(
        "The nearest training images need the data of the run, but the images of the run cannot "
        "be read: There is no folder"
    )


def test_features_are_computed_in_the_background_and_a_closed_server_stops(served):
    source, gate = Exportable("best"), Event()
    backbone = source.source.model.backbone
    with torch.no_grad():
        next(backbone.parameters()).add_(1)  # so that no features are stored
    backbone.register_forward_pre_hook(lambda module, args: gate.wait() and None)
    images = TrainingImages(source)
    batch = torch.zeros(1, 3, source.source.image_size, source.source.image_size)
    assert images.nearest(batch, 3) == {"images": [], "pending": True, "note": PENDING}
    images._closed.set()
    gate.set()
    images.close()
    assert images.nearest(batch, 3) == {
        "images": [],
        "pending": False,
        "note": "The server is closed.",
    }


def header_of_a_large_image():
    """A GIF file of a few bytes whose header asks for 900 million pixels."""
    small = io.BytesIO()
    Image.fromarray(np.zeros((1, 1), np.uint8)).save(small, "GIF")
    data = bytearray(small.getvalue())
    data[6:10] = (30_000).to_bytes(2, "little") * 2
    return bytes(data)


def cut_off_photograph():
    file = io.BytesIO()
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(file, "JPEG")
    return file.getvalue()[:-10]


BYTES, JSON = "image/jpeg", "application/json"
EXPECTED = "expected the bytes of an image file, a form with the file as `image`, or JSON"
# What is wrong: body, type, options, and the answer.
FAULTS = {
    "text": (b"no image", BYTES, "", "The file is not an image that can be read"),
    "bomb": (header_of_a_large_image(), BYTES, "", "The file has more than 100,000,000 pixels;"),
    "cut off": (cut_off_photograph(), BYTES, "", "The file is truncated: its end is missing."),
    "50 MB": (b"a" * 50_000_000, BYTES, "", "The request has more than 32 MiB."),
    "empty": (b"", BYTES, "", f"The request is empty; {EXPECTED}"),
    "path": (*as_json("/etc/passwd"), "", "'/etc/passwd' is not the base64 text of an image file."),
    "number": (*as_json(7), "", f"There is no JSON with a text `image`; {EXPECTED}"),
    "list": (b"[1, 2]", JSON, "", "There is no JSON with a text `image`"),
    "broken JSON": (b"[1, 2", JSON, "", "There is no JSON with a text `image`"),
    "form without a file": (b"x", "multipart/form-data", "", "The form has no file `image`"),
    "form with a text": (*form(b"x"), "", "The file is not an image that can be read"),
    "grad_cam": (b"x", BYTES, "?grad_cam=maybe", "grad_cam is 'maybe'; expected true or false."),
    "nearest": (b"x", BYTES, "?nearest=-1", "nearest is '-1'; expected a number, 0 to 100."),
    "too many": (b"x", BYTES, "?nearest=101", "nearest is 101; expected 100 or less."),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_read_has_status_400_and_the_server_lives_on(ask, photograph, fault):
    body, kind, options, text = FAULTS[fault]
    status, answer = ask(body, options, kind)
    assert status == 400
    assert text in answer["error"]
    assert ask(photograph.read_bytes())[0] == 200


def test_a_server_on_loopback_answers_to_no_other_name(ask, photograph):
    assert photograph.stat().st_size < MAX_BYTES
    status, answer = ask(photograph.read_bytes(), Host="rebound.example.com")
    assert status == 400
    assert "not trusted" in answer["error"]
    assert ask(photograph.read_bytes(), Host="localhost:8000")[0] == 200


def test_the_page_runs_no_script_but_its_own(served, parse):
    with urlopen(served.address) as answer:
        policy, page = answer.headers["Content-Security-Policy"], parse(answer.read().decode())
    assert "default-src 'none'; script-src 'self';" in policy
    assert [script.get("src") for script in page.all("script")] == [None, "/serve.js"]
    with urlopen(f"{served.address}/serve.js") as script:
        assert "innerHTML" not in script.read().decode()
    assert served.source.title in page.text
    assert "3 classes; it sees images as 16 \N{MULTIPLICATION SIGN} 16 pixels" in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_escaped_in_the_page(parse, language):
    network = SimpleNamespace(class_names=("</script><b>cat", "dog"), image_size=8)
    source = SimpleNamespace(title="</script><img src=x onerror=alert(1)>", source=network)
    page = parse(render_page(source, language))
    assert "</script><img src=x onerror=alert(1)>" in page.text
    assert len(page.all("img")) == 2
    assert page.all("b") == [{}]


def test_a_network_without_feature_maps_says_so():
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
    service = PredictionService(Network(model, ("cat", "dog"), 2, 3, "net"), None)
    answer = service.answer(png(np.zeros((2, 2, 3), np.uint8)), True, 0)
    assert answer["grad_cam"] is None
    assert "feature map" in answer["grad_cam_note"]


@pytest.mark.parametrize(
    ("size", "shown"),
    [((300, 4000), (75, MAX_SIDE)), ((1, 4000), (1, MAX_SIDE)), ((8, 6), (160, 120))],
)
def test_the_overlay_has_a_size_that_can_be_seen(served, size, shown):
    service = PredictionService(served.source.source, served.images)
    answer = service.answer(png(np.zeros(size, np.uint8)), True, 0)
    assert opened(answer["grad_cam"]).shape == (*shown, 3)


def test_other_machines_are_let_in_with_a_warning(served, capsys, monkeypatch):
    monkeypatch.setattr(BaseWSGIServer, "serve_forever", lambda server: None)
    handler = signal.getsignal(signal.SIGTERM)
    main(["serve", "best", "--port=0", "--host=0.0.0.0"])
    signal.signal(signal.SIGTERM, handler)
    assert "warning: --host 0.0.0.0 lets other machines in." in capsys.readouterr().err


class Output(io.StringIO):
    """Text that is printed; `event` is set when the address is."""

    def __init__(self):
        super().__init__()
        self.event = Event()

    def flush(self):
        if "in a browser" in self.getvalue():
            self.event.set()


def test_the_command_serves_until_ctrl_c_and_ends_with_one_line(served, monkeypatch):
    found, output = [], Output()

    def look_and_interrupt():
        output.event.wait()
        address = output.getvalue().partition("Open ")[2].split()[0]
        with urlopen(address) as answer:
            found.append(answer.status)
        os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGTERM)
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = Thread(target=look_and_interrupt)
    thread.start()
    monkeypatch.setattr(sys, "stdout", output)
    try:
        main(["serve", "best", "--port=0"])
    finally:
        signal.signal(signal.SIGTERM, handler)
        signal.signal(signal.SIGINT, interrupt)
        output.event.set()
        thread.join()
    assert found == [200]
    lines = output.getvalue().splitlines()
    assert [line.split()[0] for line in lines if line] == ["Network", "Open", "Stopped."]
    assert lines[-1] == "Stopped."


def test_a_port_that_is_taken_is_an_error(served, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match="1"):
            main(["serve", "best", f"--port={port}"])
    error = capsys.readouterr().err
    assert f"The address 127.0.0.1, port {port}, cannot be used" in error
    assert "Choose another with --port or --host." in error


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_only_loopback_is_reached_from_this_machine_alone(host, alone):
    assert is_loopback(host) == alone
