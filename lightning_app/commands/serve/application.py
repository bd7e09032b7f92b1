"""Web application of `serve`: the page, and JSON for programs."""

from importlib.resources import files
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from datamodules.sources.image_limits import UnreadableImageError
from lightning_app.commands.serve.prediction_service import PredictionService
from lightning_app.commands.serve.request_image import RequestError, image_of, wanted_of

MAX_BYTES = 32 * 2**20  # of a request
# Names of classes and files are strangers' texts: the page runs no script but its own.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def make_application(
    service: PredictionService, page: str, trusted_hosts: list[str] | None
) -> Flask:
    """The application: `GET /` is the page, `POST /predict` answers with JSON.

    Args:
        service: Answers the requests.
        page: The HTML page.
        trusted_hosts: Names by which the server may be called; None for all. Otherwise a website
            whose name is changed to a loopback address could read the answers.
    """
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BYTES, TRUSTED_HOSTS=trusted_hosts)
    app.json.sort_keys = False  # pyright: ignore[reportAttributeAccessIssue] - of Flask's provider
    script = files("lightning_app.commands.serve").joinpath("templates/serve.js").read_text("utf-8")

    @app.get("/")
    def show_page() -> Response:
        return Response(page, headers={"Content-Security-Policy": POLICY})

    @app.get("/serve.js")
    def send_script() -> Response:
        return Response(script, mimetype="text/javascript")

    @app.post("/predict")
    def predict() -> Response:
        wanted = wanted_of(request)
        return jsonify(service.answer(image_of(request), wanted.grad_cam, wanted.nearest))

    app.register_error_handler(UnreadableImageError, _refuse)
    app.register_error_handler(RequestError, _refuse)
    app.register_error_handler(HTTPException, _explain)
    app.after_request(_do_not_sniff)
    return app


def _refuse(error: Exception) -> tuple[Response, int]:
    return jsonify(error=str(error)), 400


def _explain(error: HTTPException) -> tuple[Response, int]:
    """Errors of the server itself, as JSON."""
    if isinstance(error, RequestEntityTooLarge):
        return jsonify(error=f"The request has more than {MAX_BYTES // 2**20} MiB."), 400
    return jsonify(error=error.description), error.code or 500


def _do_not_sniff(response: Response) -> Any:
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
