"""OAuth 2.0 client credentials (RFC 6749, section 4.4), asked for over a connection of our own. No retries.

The token's end is `expires_in`, counted from before it was asked for. Redirects are not followed.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from scorebench.answers.http_message import CallFailed
from scorebench.client.hiding import without
from scorebench.client.places import Place, SignInFailed, one_word
from scorebench.client.sign_ins.record import Flag, Grant, Opened, SignIn, Wanted
from scorebench.client.target import Target
from scorebench.errors import InputError

if TYPE_CHECKING:
    from scorebench.answers.http_message import Answer

OAUTH = Flag(
    "--oauth",
    "sign in with OAuth client credentials: token-url=URL,client-id-env=NAME,client-secret-env=NAME and, "
    "where the service asks for them, scope=, audience=, authorization-details=",
    "KEY=VALUE,…",
)
KEYS = (
    *("token-url", "client-id", "client-id-env", "client-secret-env", "client-secret-file"),
    *("scope", "audience", "authorization-details", "client-auth"),
)
_NEXT = re.compile(rf",\s*(?=(?:{'|'.join(KEYS)})=)")
"""What separates two parts: values may hold commas, as a JSON text does."""
PASSED_ON = {"scope": "scope", "audience": "audience", "authorization-details": "authorization_details"}
"""Keys whose values are fields of the request."""
TIMEOUT_S = 10.0
MOST_BYTES = 1_048_576
SAID_BYTES = 200


@dataclass(frozen=True)
class Request:
    """What `--oauth` says, taken apart."""

    token_url: str
    client_id: Place | str
    secret: Place
    fields: tuple[tuple[str, str], ...]
    in_body: bool
    """Whether id and secret are fields of the request (`client-auth=post`), and not in its header."""


def parse(text: str) -> Request:
    """InputError names the key that is wrong."""
    parts: dict[str, str] = {}
    for part in _NEXT.split(text.strip()):
        key, equals, value = part.strip().partition("=")
        if not equals or key not in KEYS:
            raise InputError(f"--oauth: found {key[:40]!r}; expected one of {', '.join(KEYS)}, each with =")
        if key in parts or not value:
            raise InputError(f"--oauth {key}: {'given twice' if key in parts else 'has no value'}")
        parts[key] = value
    auth = parts.get("client-auth", "basic")
    if auth not in ("basic", "post"):
        raise InputError(f"--oauth client-auth={auth}: expected basic (in a header) or post (in the body)")
    fields = tuple((PASSED_ON[key], _field(key, parts[key])) for key in PASSED_ON if key in parts)
    return Request(_token_url(parts), _client_id(parts), _secret(parts), fields, auth == "post")


def _token_url(parts: dict[str, str]) -> str:
    if "token-url" not in parts:
        raise InputError("--oauth: no token-url=; expected the URL that gives tokens")
    target = Target.parse(parts["token-url"])
    target.refuse_in_the_clear("--oauth token-url")
    return parts["token-url"]


def _client_id(parts: dict[str, str]) -> Place | str:
    if ("client-id" in parts) == ("client-id-env" in parts):
        raise InputError("--oauth: expected either client-id= or client-id-env=")
    if "client-id" in parts:
        return parts["client-id"]
    return _place("client-id-env", parts["client-id-env"])


def _secret(parts: dict[str, str]) -> Place:
    if ("client-secret-env" in parts) == ("client-secret-file" in parts):
        raise InputError("--oauth: expected either client-secret-env= or client-secret-file=")
    if "client-secret-env" in parts:
        return _place("client-secret-env", parts["client-secret-env"])
    return Place("--oauth client-secret-file", file=Path(parts["client-secret-file"]))


def _place(key: str, variable: str) -> Place:
    place = Place(f"--oauth {key}", variable=variable)
    place.check()
    return place


def _field(key: str, value: str) -> str:
    if key == "authorization-details":  # RFC 9396: a JSON array of objects
        try:
            json.loads(value)
        except ValueError as problem:
            raise InputError(f"--oauth {key}: not JSON ({problem}); expected a list of objects") from None
    return value


def _open(wanted: Wanted) -> Opened:
    from scorebench.client.tls import client_context

    request = parse(wanted.get(OAUTH) or "")
    target = Target.parse(request.token_url)
    tls = None
    if target.scheme == "https":
        tls = client_context()
        if wanted.ca_file is not None:
            tls.load_verify_locations(
                str(wanted.ca_file)
            )  # besides the system's: the token may come from there
    return Opened(lambda: _fetch(request, target, tls))


def _fetch(request: Request, target: Target, tls: Any) -> Grant:
    """Asks for a token. Id and secret are read anew, so that new ones are taken."""
    asked = request.client_id
    client_id = asked if isinstance(asked, str) else asked.read("a client id")
    secret = one_word(request.secret.read("a client secret"), request.secret, "one client secret")
    answer = _post(target, tls, *_message(request, client_id, secret))
    content = without(answer.body, [secret])
    if answer.status != 200:
        raise SignInFailed(f"{_place_of(target)}: {answer.status} {_why(content)}".rstrip())
    return _grant(answer.body, target, secret)


def _message(request: Request, client_id: str, secret: str) -> tuple[bytes, dict[str, str]]:
    """(body, headers) of the request for a token."""
    fields = {"grant_type": "client_credentials", **dict(request.fields)}
    if request.in_body:
        return urlencode({**fields, "client_id": client_id, "client_secret": secret}).encode(), {}
    # RFC 6749, section 2.3.1: both are form-encoded before they are joined.
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return urlencode(fields).encode(), {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _post(target: Target, tls: Any, body: bytes, headers: dict[str, str]) -> Answer:
    from scorebench.client.connection import Connection
    from scorebench.client.watchdog import Watchdog

    times = {"timeout_s": TIMEOUT_S, "connect_timeout_s": TIMEOUT_S}
    connection = Connection(target, Watchdog(), max_answer_bytes=MOST_BYTES, tls=tls, **times)
    try:
        answer = connection.call(target.request(body, "application/x-www-form-urlencoded", headers))
    except CallFailed as failure:
        raise SignInFailed(f"{_place_of(target)}: {failure}") from None
    finally:
        connection.close()
    assert answer is not None  # no answer was expected, so none is left out
    return answer


def _place_of(target: Target) -> str:
    return f"--oauth token-url={target.shown}"


def _why(content: bytes) -> str:
    """`error` and `error_description` (RFC 6749, section 5.2), else how the answer begins."""
    try:
        fields = json.loads(content)
        words = [fields[name] for name in ("error", "error_description") if isinstance(fields.get(name), str)]
    except (ValueError, AttributeError):
        words = []
    text = ": ".join(words) or content.decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text)[:SAID_BYTES]


def _grant(body: bytes, target: Target, secret: str) -> Grant:
    try:
        fields = json.loads(body)
        token, lifetime_s = fields["access_token"], fields.get("expires_in")
        kind = str(fields.get("token_type", "bearer"))
        lifetime_s = None if lifetime_s is None else float(lifetime_s)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise SignInFailed(f"{_place_of(target)}: 200 without an access_token in JSON") from None
    if not isinstance(token, str) or not token or not all("!" <= letter <= "~" for letter in token):
        raise SignInFailed(f"{_place_of(target)}: the access_token is not one that a header can hold")
    if kind.lower() != "bearer":
        raise SignInFailed(f"{_place_of(target)}: found a token_type other than bearer")
    if lifetime_s is not None and not 0 < lifetime_s < 1e9:
        raise SignInFailed(f"{_place_of(target)}: the token has no time left (expires_in {lifetime_s:g})")
    headers = {"Authorization": f"Bearer {token}"}
    return Grant(headers, (token, secret), lifetime_s=lifetime_s, may_end=lifetime_s is None)


CLIENT_CREDENTIALS = SignIn(
    name="OAuth client credentials",
    service="any service behind OAuth 2.0, such as Databricks, Keycloak, Okta, Entra",
    line="scorebench run https://HOST/PATH --oauth "
    "token-url=https://HOST/token,client-id-env=ID,client-secret-env=SECRET",
    needs="an id and a secret in variables; `scope=`, `audience=`, `authorization-details=` where asked for",
    verified="a local HTTPS token server that checks each request by RFC 6749 and RFC 9396, issues tokens of "
    "2 s, replaces them and refuses",
    flags=(OAUTH,),
    check=lambda wanted: parse(wanted.get(OAUTH) or ""),
    open=_open,
)
