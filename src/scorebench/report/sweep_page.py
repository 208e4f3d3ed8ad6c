"""A sweep → its page: what it says, charts, every cell. Computes nothing."""

from __future__ import annotations

from scorebench.report import html
from scorebench.report.environment import environment_line
from scorebench.report.setup import groups
from scorebench.report.sweep import rows, sentences
from scorebench.report.sweep_charts import sweep_charts
from scorebench.report.words import plain
from scorebench.sweeps.found import Sweep


def render(sweep: Sweep) -> str:
    """One file without network."""
    environment = sweep.environment
    head, *cells = rows(sweep)
    return html.render(
        "sweep",
        title=plain(f"Sweep of {', '.join(dict.fromkeys(cell.place.server for cell in sweep.cells))}"),
        setup_line=plain(environment_line(environment)),
        kind="good" if sweep.measured == len(sweep.cells) else "bad",
        sentences=[plain(line) for line in sentences(sweep)],
        charts=sweep_charts(sweep),
        head=[name[:1].upper() + name[1:] for name in head],
        rows=cells,
        setup=groups(environment),
        command=plain(str(environment.get("command") or "not recorded")),
    )
