"""Text without the secrets that may be in it: what a server said, and URLs. Reads no secret itself."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl, quote, unquote

HIDDEN = b"(hidden)"
HIDDEN_IN_URL = "…"
_USER = re.compile(r"(\w://)[^/?#\s'\"]*@")
_USER_ALONE = re.compile(r"(?<![^\s'\"=])[^/@\s:'\"=]+:[^/@\s'\"]+@")
"""`user:password@host` without a scheme."""
_QUERY = re.compile(r"(?<=\w)://[^\s'\"<>?#]*\?[^\s'\"<>#]*")
_PART = re.compile(r"(?<=[?&;])[^&;]+")
_LIKE_A_SECRET = re.compile(rb"(?<![\w+/=-])(?=[\w+/=-]*[0-9])(?=[\w+/=-]*[A-Za-z])[\w+/=-]{16,}")
SHORTEST_SECRET = 6
"""Shorter ones are not looked for in answers: they would be found everywhere."""


def without(content: bytes, secrets: Sequence[str]) -> bytes:
    """`content` with each secret replaced, and with what may be one in another form.

    A server may send back what it was sent: as it is, as JSON or a URL writes it, backwards, in hex or
    base64, or cut off at the end of `content`. No list of forms is complete. So where there is a secret at
    all, long words that mix letters and digits are replaced too: a person needs none to know what failed.
    """
    secrets = [secret for secret in secrets if secret]
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        if len(secret) < SHORTEST_SECRET:
            continue
        for form in _forms(secret):
            content = content.replace(form, HIDDEN)
        content = _without_its_start(content, secret.encode())
    return _LIKE_A_SECRET.sub(HIDDEN, content) if secrets else content


def in_urls(text: str) -> str:
    """`text` without the users, passwords and query values of the URLs in it.

    The names in a query stay: they say which values a reader has to give again.
    """
    text = _USER.sub(rf"\1{HIDDEN_IN_URL}@", text)
    text = _USER_ALONE.sub(f"{HIDDEN_IN_URL}@", text)
    return _QUERY.sub(lambda found: _PART.sub(_without_its_value, found[0]), text)


def _without_its_value(part: re.Match[str]) -> str:
    name, equals, _ = part[0].partition("=")
    return f"{name}={HIDDEN_IN_URL}" if equals else HIDDEN_IN_URL


def query_values(query: str) -> tuple[str, ...]:
    """The values of a URL's query, as they are written there and as they are meant."""
    written = [part.partition("=")[2] or part for part in query.split("&") if part]
    meant = [value for _, value in parse_qsl(query)]
    return tuple(dict.fromkeys([*written, *meant, *map(unquote, written)]))


def _forms(secret: str) -> set[bytes]:
    in_json = json.dumps(secret)[1:-1]
    written = (secret, in_json, in_json.replace("/", "\\/"), quote(secret), quote(secret, safe=""))
    plain = secret.encode()
    return {
        *(form.encode() for form in written),
        plain[::-1],
        plain.hex().encode(),
        plain.hex().upper().encode(),
        *_in_base64(plain),
    }


def _in_base64(secret: bytes) -> Iterator[bytes]:
    """What the base64 of any text with `secret` in it holds: one of three, by where the secret begins."""
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(b"\0" * before + secret).rstrip(b"=")
            # The first letters depend on what is before it, the last on what follows.
            yield whole[(0, 2, 3)[before] : -1]


def _without_its_start(content: bytes, secret: bytes) -> bytes:
    """A quotation that was cut ends with the start of a secret, or with that and its closing mark."""
    end = content[:-1] if content[-1:] in (b"'", b'"') else content
    for length in range(min(len(secret), len(end)), SHORTEST_SECRET - 1, -1):
        if end.endswith(secret[:length]):
            return end[:-length] + HIDDEN + content[len(end) :]
    return content
