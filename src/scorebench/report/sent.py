"""Which rows were sent, and to what: the first words of a run and of every report. Knows wording alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scorebench.payloads.origin import Kind
from scorebench.report.words import count, plain, say_moment

COLUMNS = 8
"""Names of columns that are told."""
INDEX = "Unnamed: "
"""How the column of an index is called that somebody saved with the rows."""


def header(facts: Mapping[str, Any]) -> list[str]:
    """`Sent: …` and `To: …`, as far as they are known: an older recording, or other users, may not tell."""
    lines = [("Sent:", rows(facts)), ("To:", place(facts))]
    return [f"{name:<12} {plain(text)}" for name, text in lines if text]


def opening(facts: Mapping[str, Any]) -> list[str]:
    """The lines below a page's title: what was sent, to what, and when; all else is in its setup."""
    started_s = facts.get("started_s")
    when = [] if started_s is None else [f"Measured on {say_moment(started_s)}"]
    return [" ".join(line.split()) for line in header(facts)] + when


def rows(facts: Mapping[str, Any]) -> str:
    """`4,898 rows of wine.csv as split, 1 a call; columns sent as they are: a, b, c`."""
    payload = facts.get("payload") or {}
    source, number = payload.get("source"), payload.get("rows")
    if not isinstance(source, Mapping) or not isinstance(number, int):
        return ""
    form = f"as {payload.get('format')}, {payload.get('rows_per_call')} a call"
    columns = f"; {text}" if (text := _columns(source)) else ""
    return f"{count(number, 'row')} {_of(source)} {form}{columns}"


def place(facts: Mapping[str, Any]) -> str:
    """`webserver http://127.0.0.1:5001 with the model models:/wine/3`."""
    server = facts.get("server") or {}
    url = server.get("url") or facts.get("url")
    if not url:
        return ""
    where = " ".join(filter(None, [server.get("kind"), str(url)]))
    if server.get("model"):
        return f"{where} with the model {server['model']}"
    if facts.get("model"):
        return f"{where}; --model says that {facts['model']} answers there"
    return f"{where}; which model answers there is not known"


def _of(source: Mapping[str, Any]) -> str:
    name = source.get("name")
    words = {
        Kind.FILE: f"of {name}",
        Kind.EXAMPLE: f"of the input example of {name}",
        Kind.SIGNATURE: f"made from the signature of {name}",
        Kind.DEMO: "of the demo (neither --data nor --model was given)",
        Kind.BODY: f"in the body {name}, sent as it is,",
    }
    return words.get(Kind(source["kind"]) if source.get("kind") in list(Kind) else Kind.FILE, "")


def _columns(source: Mapping[str, Any]) -> str:
    if source.get("kind") != Kind.FILE:
        return ""
    if source.get("signature_of"):
        return f"columns cast by the signature of {source['signature_of']}"
    names = source.get("columns") or []
    if not names:
        return "columns sent as they are, without names"
    more = int(source.get("column_count") or len(names)) - len(names[:COLUMNS])
    listed = ", ".join(map(str, names[:COLUMNS])) + (f" and {more:,} more" if more > 0 else "")
    return f"columns sent as they are: {listed}{_index(names)}"


def _index(names: Sequence[Any]) -> str:
    found = next((str(name) for name in names if str(name).startswith(INDEX)), None)
    return "" if found is None else f" (is {found!r} a saved index? --drop {found!r} leaves it out)"
