"""Runs under reports/ → a table or JSON. Knows wording and widths; reads no folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scorebench.report.aligned import table
from scorebench.report.data import dumped
from scorebench.report.words import NOT_MEASURED, count, plain, say_moment
from scorebench.units import say_rate, say_seconds

_HEAD = ["Folder", "when", "what", "verdicts", "rate", "p99"]


def render(runs: Sequence[Mapping[str, Any]]) -> str:
    """One line a run, newest first, under a head."""
    rows = [[plain(str(one["folder"])), *_cells(one)] for one in runs]
    return "\n".join(table([_HEAD, *rows], text_columns=4)) + "\n"


def render_json(runs: Sequence[Mapping[str, Any]]) -> str:
    """The same for programs: times in seconds, rates a second; null is what is not known."""
    return dumped(list(runs), indent=2)


def _cells(one: Mapping[str, Any]) -> list[str]:
    rate, p99 = one["throughput_per_s"], one["p99_s"]
    return [
        say_moment(one["changed_s"]),
        plain(_what(one), 40),
        _verdicts(one),
        NOT_MEASURED if rate is None else say_rate(rate),
        NOT_MEASURED if p99 is None else say_seconds(p99),
    ]


def _what(one: Mapping[str, Any]) -> str:
    if one["what"] == "run":
        return str(one["target"] or "run")
    return (
        f"{one['what']}, {count(one['runs'], 'run')}" if one["what"] != "runs" else count(one["runs"], "run")
    )


def _verdicts(one: Mapping[str, Any]) -> str:
    """Valid or not, and the limits, as the report's first two lines say them."""
    if one["valid"] is None:
        return "-"
    limits = {True: "met", False: "missed", None: "no limits judged"}[one["met"]]
    failed = ", calls failed" if one["exit_code"] == 1 else ""
    return f"{'valid' if one['valid'] else 'not valid'}, {limits}{failed}"
