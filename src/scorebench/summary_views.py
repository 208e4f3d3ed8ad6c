"""A summary as a data scientist looks at it: frame, notebook cell, figure. Knows pandas, HTML, Plotly."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.report import text
from scorebench.report.charts import curve

if TYPE_CHECKING:
    import pandas as pd

    from scorebench.summary import Summary
    from scorebench.verdict import Verdict


def to_frame(summary: Summary) -> pd.DataFrame:
    """A row a user; times in seconds, NaN where no call was valid."""
    import pandas as pd

    return pd.DataFrame([user.to_dict() for user in summary.users])


def to_html(summary: Summary, verdict: Verdict) -> str:
    """The text report, everything in it escaped."""
    return f"<pre>{escape(text.render(summary, verdict))}</pre>"


def plot(summary: Summary) -> Any:
    """Times in ms over percentiles on an HDR axis: service, and in an open loop response as well."""
    try:
        import plotly.graph_objects as go
    except ImportError:
        raise InputError("plot: Plotly is not installed; pip install 'scorebench[plots]'") from None
    lines = {"service time (from sent)": summary.service}
    if summary.open_loop:
        lines = {"response time (from due)": summary.response, **lines}
    figure = go.Figure()
    for name, times in lines.items():
        if times.count:
            points = curve(times)
            # 1 / (1 - share), on a logarithmic axis, gives each nine the same room.
            shares = [1 / (1 - share) for share, _ in points]
            values = [(value or 0.0) * 1e3 for _, value in points]
            figure.add_scatter(x=shares, y=values, name=name, mode="lines")
    marks = [1, 2, 10, 100, 1_000, 10_000]
    names = ["p0", "p50", "p90", "p99", "p99.9", "p99.99"]
    figure.update_xaxes(type="log", tickvals=marks, ticktext=names, title="percentile")
    figure.update_yaxes(type="log", title="ms")
    return figure
