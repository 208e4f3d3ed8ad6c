"""Templates → a page that is one file: no network, no connection allowed, all text escaped. Knows Jinja2.

The style sheet and the script are allowed by their hashes, and nothing else is.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


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

    return Environment(
        loader=PackageLoader("scorebench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def _text(name: str) -> str:
    return (files("scorebench.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
