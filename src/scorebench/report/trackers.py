"""Summary + verdict → JSON for services that keep figures over time. Knows their forms; computes nothing.

Bencher Metric Format: {benchmark: {measure: {value, lower_value, upper_value}}}. github-action-benchmark: a
list of {name, unit, value, range, extra}, one tool for figures that should fall and one for those that should
rise. A figure stays in such a history, so one of a measurement that is not valid is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.report.data import dumped
from scorebench.report.environment import environment_line
from scorebench.report.forms.summary import by_metric
from scorebench.report.words import plain

if TYPE_CHECKING:
    from scorebench.figures.metric import Metric
    from scorebench.figures.summary import Summary
    from scorebench.verdicts.verdict import Verdict

Bounds = tuple[float | None, float | None]


def bencher(summary: Summary, verdict: Verdict) -> str:
    """Bencher Metric Format: one benchmark, a measure a metric, in SI units; bounds hold with 99 %."""
    measures = {}
    for metric, value, (low, high) in _figures(summary, verdict, "bencher"):
        bounds = {"lower_value": low, "upper_value": high}
        measures[metric.name] = {"value": value} | {k: v for k, v in bounds.items() if v is not None}
    return dumped({_name(summary): measures}, indent=2)


def smaller_is_better(summary: Summary, verdict: Verdict) -> str:
    """For the tool `customSmallerIsBetter`: times."""
    return _listed(summary, verdict, "smaller-is-better", falls=True)


def bigger_is_better(summary: Summary, verdict: Verdict) -> str:
    """For the tool `customBiggerIsBetter`: rates, and the share of valid calls."""
    return _listed(summary, verdict, "bigger-is-better", falls=False)


def _listed(summary: Summary, verdict: Verdict, format: str, *, falls: bool) -> str:
    rows: list[dict[str, Any]] = []
    extra = plain(environment_line(summary.environment))
    for metric, value, bounds in _figures(summary, verdict, format):
        if (metric.best == 0) is not falls:
            continue
        row = {
            "name": f"{_name(summary)}: {metric.name}",
            "unit": metric.unit.name or "share",
            "value": value,
        }
        rows.append(row | _range(bounds) | ({"extra": extra} if extra else {}))
    return dumped(rows, indent=2)


def _range(bounds: Bounds) -> dict[str, str]:
    low, high = bounds
    return {} if low is None or high is None else {"range": f"{low:.6g} to {high:.6g}"}


def _figures(summary: Summary, verdict: Verdict, format: str) -> Iterator[tuple[Metric, float, Bounds]]:
    """Those that were measured, of the metrics that are compared. InputError for a run to be left out."""
    if not verdict.valid:
        reason = next((finding.text for finding in verdict.findings), "see the report")
        raise InputError(
            f"--format {format}: the measurement is not valid ({plain(reason, 200)}); measure again"
        )
    for metric, value, bounds in by_metric(summary):
        if metric.is_compared and value is not None:
            yield metric, value, bounds


def _name(summary: Summary) -> str:
    """The same for runs of the same kind, whatever their port: what a history goes by."""
    environment = summary.environment
    server, payload = environment.get("server") or {}, environment.get("payload") or {}
    where = server.get("kind") or environment.get("url") or "run"
    load = environment.get("arrivals") or f"{environment.get('users')} users"
    return plain(f"scorebench {where}, {payload.get('format') or 'unknown format'}, {load}")
