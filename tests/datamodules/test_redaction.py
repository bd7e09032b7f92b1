"""Redaction: every form in which a secret is written."""

import pytest

from datamodules import redaction
from datamodules.redaction import is_secret, redact, redact_arguments, redact_text

PW = "hunter2"


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(redaction, "_remembered", set())


@pytest.mark.parametrize(
    "name",
    [
        *("password", "db_password", "passwd", "passphrase", "pwd", "client_secret", "secret_key"),
        *("token", "hf_token", "access_token", "session-token", "sig", "X-Amz-Signature"),
        *("api_key", "api-key", "apiKey", "APIKey", "apikey", "AWSAccessKeyId", "access_key"),
        *("private_key", "account_key", "aws_secret_access_key", "credentials", "auth"),
        *("basic_auth", "Authorization", "data.init_args.storage.password", "--data.api_key"),
    ],
)
def test_names_of_secrets(name):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("num_tokens", "tokenizer", "num_prefix_tokens", "token_dim", "author", "authors"),
        *("key", "keys", "keyboard", "monkey", "passed", "signal", "design", "secretary"),
        *("image_size", "no_embed_class_tokens", "data.root", "lr", "", "-"),
    ],
)
def test_names_of_other_settings(name):
    assert not is_secret(name)


TEXTS = {
    "password": (f"http://me:{PW}@host/x", "http://***@host/x"),
    "token as user": (f"https://{PW}@host/x", "https://***@host/x"),
    "slash": (f"http://me:a/{PW}@host/x", "http://***@host/x"),
    "at": (f"http://me:a@{PW}@host/x", "http://***@host/x"),
    "slash and at": (f"http://me:a@b/{PW}@host/x", "http://***@host/x"),
    "question mark": (f"http://me:a?{PW}@host/x", "http://***@host/x"),
    "digits": ("http://me:1234@host:80/x", "http://***@host:80/x"),
    "database": (
        f"postgresql+psycopg2://me:{PW}@db:5432/runs",
        "postgresql+psycopg2://***@db:5432/runs",
    ),
    "storage": (f"s3://AKIA:{PW}/+x@bucket/y", "s3://***@bucket/y"),
    "chain": (f"simplecache::s3://a:{PW}@b/y", "simplecache::s3://***@b/y"),
    "archive": (f"zip://a.png::http://a:{PW}@b/y", "zip://a.png::http://***@b/y"),
    "address": (f"http://a:{PW}@[::1]:80/y", "http://***@[::1]:80/y"),
    "path": (f"http:/me:{PW}@host/x", "http:/***@host/x"),
    "signature": (f"https://host/x?sv=1&sig={PW}&se=2", "https://host/x?sv=1&sig=***&se=2"),
    "token": (f"https://host/x?token={PW}", "https://host/x?token=***"),
    "key in a query": (f"https://host/x?key={PW}&a=b", "https://host/x?key=***&a=b"),
    "amazon": (f"https://h/x?X-Amz-Signature={PW}", "https://h/x?X-Amz-Signature=***"),
    "two": (f"from http://a:{PW}@b to http://c:{PW}@d.", "from http://***@b to http://***@d."),
    "quoted": (f"'http://a:{PW}@b/c': no file", "'http://***@b/c': no file"),
    "option": (f"fit --data.password {PW} --x 1", "fit --data.password *** --x 1"),
    "option with =": (f"fit --data.password={PW} --x 1", "fit --data.password=*** --x 1"),
    "quoted option": (f"fit --password 'a {PW}' --x 1", "fit --password '***' --x 1"),
    "namespace": (f"Namespace(token='{PW}', lr=1)", "Namespace(token='***', lr=1)"),
    "dict": (f"{{'api_key': '{PW}', 'lr': 1}}", "{'api_key': '***', 'lr': 1}"),
    "JSON": (f'{{"api-key": "{PW}"}}', '{"api-key": "***"}'),
    "YAML": (f"a: 1\n  password: {PW} x\nb: 2", "a: 1\n  password: ***\nb: 2"),
    "YAML in a line": (f"{{a: 1, password: {PW}, b: 2}}", "{a: 1, password: ***, b: 2}"),
    "header": (f"Authorization: Bearer {PW}", "Authorization: ***"),
    "bearer": ("sent Bearer eyJ0eXAiOiJKV1QiLCJh", "sent Bearer ***"),
}


@pytest.mark.parametrize(("text", "shown"), TEXTS.values(), ids=list(TEXTS))
def test_secrets_of_texts_are_hidden(text, shown):
    assert redact_text(text) == shown
    assert redact_text(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "http://host:8080/images@2x.png",
        "https://host/@user/data?page=1&tokens=5",
        "s3://bucket/folder",
        "file:///home/me/a.png",
        "C:/data/a@b.png",
        "sqlite:////tmp/mlruns/mlflow.db",
        "http://[::1]:5000/",
        "Expected a token: none was found.",
        "--model.tokenizer wordpiece --model.num_tokens 5",
        "password: null",
        "Basic augmentation with 12 transforms",
        "image,label\na=b.png,cat\n",
        "me@example.com",
        "google-auth==2.41.1",
    ],
)
def test_other_texts_stay(text):
    assert redact_text(text) == text


def test_configuration_without_its_secrets():
    config = {
        "root": f"s3://me:{PW}@host/x",
        "options": {"auth": {"class_path": "a.B", "init_args": {"user": "me", "pin": 1234}}},
        "keys": [{"access_key": "k"}, {"secret": ["a", "b"]}],
        "num_tokens": "5",
        "class_token": True,
        "token": None,
        "lr": 0.1,
    }
    assert redact(config) == {
        "root": "s3://***@host/x",
        "options": {"auth": {"class_path": "a.B", "init_args": {"user": "***", "pin": "***"}}},
        "keys": [{"access_key": "***"}, {"secret": ["***", "***"]}],
        "num_tokens": "5",
        "class_token": True,
        "token": None,
        "lr": 0.1,
    }


def test_command_line_without_its_secrets():
    arguments = ["fit", "--data.password", "-x", "--hf_token=a b", "--root", f"http://a:{PW}@b"]
    assert redact_arguments(arguments) == [
        *("fit", "--data.password", "***", "--hf_token=***", "--root", "http://***@b")
    ]


def test_secret_that_was_seen_is_hidden_wherever_it_is_repeated():
    redact({"password": "correct horse"})
    redact_text("http://me:battery-staple@host")
    redact({"password": "short"})
    text = "got 'correct horse' and battery-staple; this is short"
    assert redact_text(text) == "got '***' and ***; this is short"


def test_long_texts_take_time_in_proportion_to_their_length():
    """Two megabytes take milliseconds; a pattern that backtracks would take hours."""
    assert len(redact_text(f"<img src='data:image/png;base64,{'A' * 2**21}'>")) > 2**21
    assert len(redact_text("http://" + "a:@/" * 2**19)) > 4
    assert len(redact_text("token=" + "--a " * 2**19)) > 4
