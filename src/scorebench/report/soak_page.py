"""A soak → its page: what it says, what happened, charts, every part and stretch. Computes nothing."""

from __future__ import annotations

from scorebench.report import html
from scorebench.report.environment import environment_line
from scorebench.report.setup import groups
from scorebench.report.soak import clock, happenings, rows, sentences
from scorebench.report.soak_charts import soak_charts
from scorebench.report.words import plain
from scorebench.soaks.found import Ended, Soak
from scorebench.units import say_length

MOST_HAPPENINGS = 200


def render(soak: Soak) -> str:
    """One file without network."""
    environment = soak.environment
    head, *stretches = rows(soak)
    return html.render(
        "soak",
        title=plain(f"Soak of {_target(soak)}"),
        setup_line=plain(environment_line(environment)),
        kind="good" if is_good(soak) else "bad",
        sentences=[" ".join(line.split()) for line in sentences(soak)],
        happenings=happenings(soak, MOST_HAPPENINGS),
        charts=soak_charts(soak),
        part_head=["Part", "From the start", "Load", "Calls", "Valid", "Says"],
        parts=_parts(soak),
        head=head,
        rows=stretches,
        setup=groups(environment),
        command=plain(soak.command),
    )


def is_good(soak: Soak) -> bool:
    """Whether all of it was measured, is valid, kept its limits, and nothing rises."""
    return soak.ended is Ended.DONE and not soak.rises() and not any(part.exit_code for part in soak.parts)


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
