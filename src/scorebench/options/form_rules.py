"""What the start form of Locust's page may change, and what not. Knows options; no Locust, no request."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Mapping

from scorebench.errors import InputError
from scorebench.options.names import name_in, value_of
from scorebench.options.table import OPTIONS, SIGN_IN_SCHEMES


def has_secret(begun: Namespace) -> bool:
    """Whether Locust was started with something that only its host may see."""
    scheme, _, _ = str(begun.scorebench_host or "").partition("://")
    asked = any(value_of(begun, option.name) for option in OPTIONS if option.signs_in)
    return asked or scheme in SIGN_IN_SCHEMES


FIELDS = {"--host": "Host", "--run-time": "Run time", "--users": "Number of users"} | {
    option.flag: option.name.replace("_", " ").title() for option in OPTIONS if option.on_page
}
"""What the form calls an option."""


def as_fields(text: str) -> str:
    """`text` with the names of the form's fields in place of options. Other options keep their names."""
    return re.sub(r"--[a-z][a-z-]*", lambda found: FIELDS.get(found[0], found[0]), text)


def refuse_what_is_no_field(begun: Namespace, form: Mapping[str, str]) -> None:
    """Who can open the page names no file or secret of this machine, and sends none to another host."""
    for option in OPTIONS:
        value = form.get(name_in(begun, option.name))
        if not option.on_page and value and value != str(value_of(begun, option.name)):
            raise InputError(f"{option.flag}: cannot be set here; pass it when you start Locust")
    arrivals = form.get(name_in(begun, "arrivals"), "").strip()
    if arrivals.startswith("replay") and arrivals != value_of(begun, "arrivals"):
        raise InputError(
            "--arrivals replay: names a file and cannot be set here; pass it when you start Locust"
        )
    if has_secret(begun) and form.get("host", begun.scorebench_host) != begun.scorebench_host:
        raise InputError(
            "--host: with credentials, the host cannot be changed; keep the one Locust was started with"
        )
