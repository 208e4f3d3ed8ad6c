"""A sweep → its page: what it says, charts, every cell. Computes nothing."""

from __future__ import annotations

from scorebench.report import html
from scorebench.report.sent import opening
from scorebench.report.setup import groups
from scorebench.report.sweep import alike, rows, sentences
from scorebench.report.sweep_charts import sweep_charts
from scorebench.report.words import NOT_MEASURED, plain
from scorebench.sweeps.found import Sweep


def render(sweep: Sweep) -> str:
    """One file without network."""
    environment = alike(sweep)
    head, *cells = rows(sweep)
    empty = {n for n in range(len(head)) if cells and all(cell[n] == NOT_MEASURED for cell in cells)}
    return html.render(
        "sweep",
        title=plain(f"Sweep of {', '.join(dict.fromkeys(cell.place.server for cell in sweep.cells))}"),
        opening=opening(environment),
        kind="good" if sweep.measured == len(sweep.cells) else "bad",
        sentences=[plain(line) for line in sentences(sweep)],
        charts=sweep_charts(sweep),
        problems=[
            {"cell": plain(cell.place.words), "why": plain(cell.problem)}
            for cell in sweep.cells
            if cell.runs and cell.problem
        ],
        head=[name[:1].upper() + name[1:] for n, name in enumerate(head) if n not in empty],
        rows=[[text for n, text in enumerate(cell) if n not in empty] for cell in cells],
        empty=", ".join(head[n] for n in sorted(empty)),
        setup=groups(environment),
        command=plain(str(environment.get("command") or "not recorded")),
    )
