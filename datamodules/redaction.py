"""Redaction: passwords, tokens and keys are hidden wherever settings or texts leave the process.

It belongs to `datamodules` because these open URLs, and must not import the application.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

HIDDEN = "***"
# A name is secret if one of these words is in it, or one of the others is its last word.
ANYWHERE = {
    *("password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets"),
    *("credential", "credentials", "apikey", "accesskey", "privatekey", "authorization"),
}
AT_THE_END = {"auth", "sas", "sig", "signature", "token"}
KEYS = {"access", "account", "api", "auth", "encryption", "private", "secret", "shared", "signing"}
MIN_REMEMBERED = 8  # letters of a secret that is hidden in any text; "test" is in too many words
MAX_PORT = 65_535

WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
# The second half of a chain such as `simplecache::s3://bucket` is a URL of its own; `pathlib` makes
# `http:/host` of `http://host`.
URL = re.compile(r"\b(?P<scheme>[a-zA-Z][\w+.-]+:/{1,2})(?P<rest>(?:(?!::\w+:/)[^\s\"'<>`|])+)")
QUERY_KEY = re.compile(r"(?<=[?&]key=)[^&#\s]+")  # alone, a key is a secret only in a URL
NAME = r"(?<![\w.-])(?P<name>[\w.-]+)"
VALUE = r"(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[^\s\"',;&)\]}]+)"
PAIRS = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        rf"{NAME}(?P<between>=)(?!=){VALUE}",  # of an option, a query or an argument
        rf"{NAME}(?P<between>[\"']\s*:\s*){VALUE}",  # of a dict
        rf"(?<![\w.-])(?P<name>--[\w.-]+)(?P<between>[ \t]+)(?!-){VALUE}",  # of an option
        r"^(?P<indent>[ \t]*(?:- )?)(?P<name>[\w.-]+)(?P<between>:[ \t]+)(?P<value>.+)$",  # YAML
        rf"(?<=[{{,])(?P<indent>\s*)(?P<name>[\w.-]+)(?P<between>:[ \t]+){VALUE}",  # YAML
    )
)
BEARER = re.compile(r"\b(?P<kind>Bearer|Basic) (?=\S*\d)[\w+/=.~-]{12,}")

# Most lines hold no secret, and some have millions of letters.
MARKS = ("=", ":", "--", "Bearer ", "Basic ")
PERHAPS = re.compile(
    r"(?:passw|passp|pwd|secret|credential|token|auth|sig|sas|key)[\w.-]{0,99}[\"']?\s{0,9}[=:]"
)

_remembered: set[str] = set()


def is_secret(name: str) -> bool:
    """Whether a setting with this name is a secret: `api-key` is, `num_tokens` is not."""
    words = [word.lower() for word in WORD.findall(name)]
    pairs = pairwise(words)
    return (
        bool(ANYWHERE & {*words})
        or bool(words and words[-1] in AT_THE_END)
        or any(second in ("key", "keys") and first in KEYS for first, second in pairs)
    )


def redact(value: Any, name: str = "") -> Any:
    """Hide the secrets of a setting, or of a configuration.

    Args:
        value: Plain values, lists and dicts.
        name: Name of the setting. If it is that of a secret, everything in it is hidden.
    """
    if isinstance(value, dict):
        return {
            key: redact(item, str(key) if not is_secret(name) or key == "class_path" else name)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(item, name) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if is_secret(name):
        return _hide(str(value))
    return redact_text(value) if isinstance(value, str) else value


def redact_arguments(arguments: Sequence[str]) -> list[str]:
    """Hide the secrets of a command line."""
    shown, secret = [], False
    for argument in map(str, arguments):
        name, equals, value = argument.partition("=")
        is_option = name.startswith("--")
        if secret and not is_option:
            shown.append(_hide(argument))
        elif is_option and equals and is_secret(name):
            shown.append(f"{name}={_hide(value)}")
        else:
            shown.append(redact_text(argument))
        secret = is_option and not equals and is_secret(name)
    return shown


def redact_text(text: str) -> str:
    """Hide the secrets of a text: in URLs, after the name of a secret, and those seen before."""
    if any(mark in text for mark in MARKS):
        text = "\n".join(_redact_line(line) for line in text.split("\n"))
    for secret in _remembered:
        text = text.replace(secret, HIDDEN)
    return text


def _redact_line(line: str) -> str:
    if ":/" in line:
        line = URL.sub(_url, line)
    lowered = line.lower()
    if "bearer" in lowered or "basic" in lowered:
        line = BEARER.sub(_header, line)
    if "--" in line or PERHAPS.search(lowered):
        for pattern in PAIRS:
            line = pattern.sub(_pair, line)
    return line


def _url(match: re.Match[str]) -> str:
    rest = match["rest"]
    if match["scheme"] == "models:/":  # a name and an alias of MLflow's registry
        return match[0]
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    user, colon, password = authority.partition("@")[0].partition(":")
    is_port = "@" not in authority and password.isdigit() and int(password) <= MAX_PORT
    end = -1
    if colon and password and not is_port:  # the password may hold any of these letters
        end = rest.rfind("@")
    elif "@" in authority:
        end = authority.rfind("@")
    if end >= 0:
        _remember(rest[:end].partition(":")[2] or user)
        rest = HIDDEN + rest[end:]
    return match["scheme"] + QUERY_KEY.sub(HIDDEN, rest)


def _pair(match: re.Match[str]) -> str:
    value = match["value"]
    if not is_secret(match["name"]) or value.strip("\"'") in ("", HIDDEN, "null", "None"):
        return match[0]
    quote = value[0] if value[0] in "\"'" else ""
    indent = match.groupdict().get("indent") or ""
    return f"{indent}{match['name']}{match['between']}{quote}{_hide(value.strip(quote))}{quote}"


def _header(match: re.Match[str]) -> str:
    return f"{match['kind']} {HIDDEN}"


def _hide(secret: str) -> str:
    _remember(secret)
    return HIDDEN


def _remember(secret: str) -> None:
    if len(secret) >= MIN_REMEMBERED and HIDDEN not in secret:
        _remembered.add(secret)
