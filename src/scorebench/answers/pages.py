"""Whether a body is a web page, and what it is called: what a wrong URL often answers. Knows HTML's head."""

from __future__ import annotations

import html
import re

_LOOKED_AT_BYTES = 65_536
_TITLE_CHARACTERS = 100
_STARTS = (b"<!doctype html", b"<html")
_TITLE = re.compile(rb"<title[^>]{0,200}>([^<]{0,2000})", re.IGNORECASE)


def is_page(body: bytes) -> bool:
    """Whether the body begins as an HTML page does."""
    return body[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_STARTS)


def title_of(body: bytes) -> str:
    """The page's title in one line; empty where it has none."""
    found = _TITLE.search(body[:_LOOKED_AT_BYTES])
    text = html.unescape(found[1].decode("utf-8", "replace")) if found else ""
    return " ".join(text.split())[:_TITLE_CHARACTERS]
