"""A summary as a data scientist looks at it: frame, cell of a notebook, figure. Knows pandas and Plotly."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench import extras
from scorebench.errors import InputError
from scorebench.report import data, html
from scorebench.report.board import board
from scorebench.report.charts import curve

if TYPE_CHECKING:
    import pandas as pd

    from scorebench.figures.summary import Summary
    from scorebench.verdicts.verdict import Verdict

_FRAMES = ("figures", "users", "seconds")


def to_frame(summary: Summary, of: str, folder: Path) -> pd.DataFrame:
    """One of the run's tables as in its folder's CSV files; `seconds` is read from the folder."""
    import pandas as pd

    if of == "users":
        return pd.read_csv(io.StringIO(data.users_csv(summary)))
    if of == "seconds":
        from scorebench.folders.folder import read

        return pd.read_csv(io.StringIO(data.seconds_csv(read(folder))))
    if of == "figures":
        return pd.read_csv(io.StringIO(data.render_csv(summary)), index_col="metric")
    raise InputError(f"to_frame {of!r}: not known; expected one of {', '.join(_FRAMES)}")


def to_html(summary: Summary, verdict: Verdict, folder: Path) -> str:
    """A cell of a notebook: verdicts, headline, tables. No script, no style sheet: notebooks remove both."""
    return html.fragment("cell", **board(summary, verdict, None), folder=str(folder))


def plot(summary: Summary) -> Any:
    """Times in ms over percentiles on an HDR axis; in an open loop those from due as well."""
    try:
        import plotly.graph_objects as go
    except ImportError:
        raise InputError(f"plot: Plotly is not installed; {extras.install('plots')}") from None
    lines = {"service time (from sent)": summary.service}
    if summary.open_loop:
        lines = {"response time (from due)": summary.response, **lines}
    figure = go.Figure()
    for name, times in lines.items():
        if times.count:
            points = [(share, value) for share, value in curve(times) if value is not None]
            # 1 / (1 - share), on a logarithmic axis, gives each nine the same room.
            shares = [1 / (1 - share) for share, _ in points]
            figure.add_scatter(x=shares, y=[value * 1e3 for _, value in points], name=name, mode="lines")
    marks = [1, 2, 10, 100, 1_000, 10_000]
    names = ["p0", "p50", "p90", "p99", "p99.9", "p99.99"]
    figure.update_xaxes(type="log", tickvals=marks, ticktext=names, title="percentile")
    figure.update_yaxes(type="log", title="ms")
    figure.update_layout(showlegend=True)  # a single line has a name too
    return figure
