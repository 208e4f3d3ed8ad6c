"""A soak → its page: what it says, what happened, charts, every part and stretch. Computes nothing."""

from __future__ import annotations

from scorebench.report import html
from scorebench.report.sent import opening
from scorebench.report.setup import groups
from scorebench.report.soak import clock, happenings, rows, sentences
from scorebench.report.soak_charts import soak_charts
from scorebench.report.words import plain
from scorebench.soaks.found import Ended, Soak
from scorebench.units import say_length

MOST_HAPPENINGS = 200
BAD = ("RISES", "NOT VALID", "not valid  ", "Missed:")
"""What marks a sentence as bad news."""


def render(soak: Soak) -> str:
    """One file without network."""
    environment = soak.environment
    head, *stretches = rows(soak)
    return html.render(
        "soak",
        title=plain(f"Soak of {_target(soak)}"),
        opening=opening(environment),
        sentences=[(_kind(soak, line), " ".join(line.split())) for line in sentences(soak)],
        happenings=happenings(soak, MOST_HAPPENINGS),
        charts=soak_charts(soak),
        part_head=["Part", "From the start", "Load", "Calls", "Valid", "Says"],
        parts=_parts(soak),
        head=head,
        rows=stretches,
        setup=groups(environment),
        command=plain(soak.command),
    )


def _kind(soak: Soak, line: str) -> str:
    """How a sentence is marked."""
    if line.startswith("Soak:"):
        return "good" if soak.ended is Ended.DONE else "bad"
    return "bad" if any(word in line for word in BAD) else "plain"


def _target(soak: Soak) -> str:
    server = soak.environment.get("server")
    kind = server.get("kind") if isinstance(server, dict) else None
    return str(kind or soak.environment.get("url") or "a server")


def _parts(soak: Soak) -> list[list[str]]:
    return [
        [
            part.folder,
            clock(part.at_s),
            say_length(part.load_s),
            f"{part.calls:,}",
            f"{part.valid:,}",
            plain(part.invalid or "; ".join(part.missed) or "ok"),
        ]
        for part in soak.parts
    ]
