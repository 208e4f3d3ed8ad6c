"""User and password (RFC 7617), in a variable or a file as `user:password`. Sends nothing."""

from __future__ import annotations

import base64

from scorebench.client.places import Place, SignInFailed
from scorebench.client.sign_ins.places import LOOK_AGAIN_S, check_one, place_in
from scorebench.client.sign_ins.record import Flag, Grant, Opened, SignIn, Wanted

ENV = Flag("--basic-env", "environment variable that holds user:password", "NAME")
FILE = Flag("--basic-file", "file that holds user:password; read again when it changes", "FILE")


def _open(wanted: Wanted) -> Opened:
    place = place_in(wanted, ENV, FILE)

    def fetch() -> Grant:
        both = _checked(place.read("user:password"), place)
        encoded = base64.b64encode(both.encode("utf-8")).decode()
        secrets = (both.partition(":")[2], both, encoded)
        return Grant({"Authorization": f"Basic {encoded}"}, secrets, look_again_s=LOOK_AGAIN_S)

    return Opened(fetch)


def _checked(both: str, place: Place) -> str:
    user, colon, _ = both.partition(":")
    if not user or not colon:
        raise SignInFailed(f"{place} has no user before a colon; expected user:password")
    if not both.isprintable():  # RFC 7617, section 2: no control characters
        raise SignInFailed(f"{place} contains a line break or a control character; expected user:password")
    return both


BASIC = SignIn(
    name="basic",
    service="a gateway or nginx with user and password",
    line="scorebench run https://HOST/PATH --basic-env USER_AND_PASSWORD",
    needs="`user:password` in a variable (`--basic-env`) or a file (`--basic-file`)",
    verified="nginx, and a local HTTPS server that checks the header by RFC 7617",
    flags=(ENV, FILE),
    check=lambda wanted: check_one(wanted, ENV, FILE, "password"),
    open=_open,
)
