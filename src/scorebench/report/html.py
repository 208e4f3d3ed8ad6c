"""Templates → a page that is one file: no network, no connection allowed, all text escaped. Knows Jinja2.

The style sheet and the script are allowed by their hashes, and nothing else is.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_BEFORE_A_UNIT = re.compile(r"(?<=\d) (?=(?:%|(?:µs|ms|s|min|h|B|kB|MB|GB)(?!\w)))")


def render(template: str, **values: Any) -> str:
    """`templates/<template>.html.j2` with `values`; everything that is not marked safe is escaped."""
    from markupsafe import Markup

    style, script = _text("page.css"), _text("page.js") + _text("charts.js")
    return (
        _environment()
        .get_template(f"{template}.html.j2")
        .render(
            style=Markup(style),  # noqa: S704 (ours, and held to its hash)
            script=Markup(script),  # noqa: S704
            style_hash=_hash(style),
            script_hash=_hash(script),
            **values,
        )
    )


def fragment(template: str, **values: Any) -> str:
    """The same for a part of somebody else's page: without style sheet and script."""
    return _environment().get_template(f"{template}.html.j2").render(**values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("scorebench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["with_units"] = with_units
    return environment


def with_units(text: str) -> str:
    """`8.14 ms` with a space at which no line breaks: a narrow column would part the figure from its unit."""
    return _BEFORE_A_UNIT.sub("\u00a0", text)


def _text(name: str) -> str:
    return (files("scorebench.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
