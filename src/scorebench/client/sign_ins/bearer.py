"""A bearer token in a variable or a file, read again each second: it may be replaced. Sends nothing."""

from __future__ import annotations

from scorebench.client.places import one_word
from scorebench.client.sign_ins.places import LOOK_AGAIN_S, check_one, place_in
from scorebench.client.sign_ins.record import Flag, Grant, Opened, SignIn, Wanted

ENV = Flag("--bearer-env", "environment variable that holds a bearer token", "NAME")
FILE = Flag("--bearer-file", "file that holds a bearer token; read again when it changes", "FILE")


def _open(wanted: Wanted) -> Opened:
    place = place_in(wanted, ENV, FILE)

    def fetch() -> Grant:
        token = one_word(place.read(), place)
        return Grant({"Authorization": f"Bearer {token}"}, (token,), look_again_s=LOOK_AGAIN_S)

    return Opened(fetch)


BEARER = SignIn(
    name="bearer token",
    service="any service with bearer tokens or keys, such as Azure ML's endpoint keys",
    line="scorebench run https://HOST/PATH --bearer-env TOKEN",
    needs="a token in a variable (`--bearer-env`) or a file (`--bearer-file`)",
    verified="a local HTTPS server that checks the header of each call and replaces its token",
    flags=(ENV, FILE),
    check=lambda wanted: check_one(wanted, ENV, FILE, "token"),
    open=_open,
)
