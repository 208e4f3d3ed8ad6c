"""A run → report.html: verdicts first, then figures, charts, tables, how to run it again. Knows wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scorebench.figures.percentiles import HEADLINE
from scorebench.report import html, server_metrics, stages, text, times_table
from scorebench.report.account import account
from scorebench.report.capacity_charts import capacity_charts
from scorebench.report.charts import Chart, histogram, levels, of_streams, percentiles, times_of
from scorebench.report.sent import opening
from scorebench.report.setup import groups
from scorebench.report.severities import SHOWN
from scorebench.report.time_charts import time_charts
from scorebench.report.words import NOT_MEASURED, count, milliseconds, plain
from scorebench.units import say_percent, say_rate, say_seconds
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.percentiles import Estimate
    from scorebench.figures.summary import RequestFigures, Summary, UserFigures
    from scorebench.recordings.recording import Recording
    from scorebench.verdicts.limits import Limit
    from scorebench.verdicts.verdict import Verdict


def render(
    recording: Recording,
    summary: Summary,
    verdict: Verdict,
    *,
    capacity: Mapping[str, Any] | None = None,
    files: Sequence[str] = (),
) -> str:
    """The page. A run without a call has verdicts and what it was measured with.

    `capacity` is the capacity.json of the search that the run is a step of; `files` lie beside the page.
    """
    limits = [checked.limit for checked in verdict.checked]
    return html.render(
        "report",
        **_setup(summary.environment),
        **_opening(summary, verdict),
        reasons=[_finding(one) for one in verdict.findings if one.severity is Severity.INVALID],
        verdicts=_verdicts(verdict),
        findings=[_finding(one) for one in verdict.findings if one.severity is not Severity.INVALID],
        headline=_headline(summary),
        capacity=[] if capacity is None else capacity_charts(capacity),
        charts=_charts(summary, limits),
        **_parts(summary),
        **_server_metrics(recording, summary),
        over_time=time_charts(recording, limits, open_loop=summary.open_loop),
        outcomes=[[label, f"{n:,}", say_percent(n / summary.calls)] for label, n in summary.outcomes.items()],
        changed=[plain(text) for name in ("first", "then") if (text := summary.changed_example.get(name))],
        examples=[(label, plain(answer)) for label, answer in summary.examples.items()],
        account=[plain(line) for line in account(summary)],
        events=_events(recording),
        times=_in_ms(times_table.times(summary)),
        streams=_in_ms(times_table.streams(summary)),
        slowest=times_table.slowest(summary),
        streams_told=times_table.streams_line(summary),
        requests=_requests(summary),
        users=_users(summary),
        users_note=_spread(summary),
        files=files,
    )


def _setup(environment: Mapping[str, Any]) -> dict[str, Any]:
    """The page's title, what was measured with what, and the command."""
    server = (environment.get("server") or {}).get("kind")
    name = " ".join(filter(None, ["Load test of", server, environment.get("url")]))
    return {
        "title": plain(name if server or environment.get("url") else "Load test"),
        "opening": opening(environment),
        "setup": groups(environment),
        "command": plain(str(environment.get("command") or "not recorded")),
    }


def _charts(summary: Summary, limits: Sequence[Limit]) -> list[Chart]:
    times = times_of(summary)
    found = [
        percentiles(times, limits=levels(limits, lambda of: of.q is not None and not of.of_streams)),
        histogram(*times[0]),
        percentiles(
            of_streams(summary),
            of="Chunks",
            limits=levels(limits, lambda of: of.q is not None and of.of_streams),
        ),
    ]
    return [chart for chart in found if chart is not None]


def _in_ms(rows: list[list[str]]) -> list[list[str]]:
    return [["ms", *row[1:]] if not row[0] else row for row in rows]


def _parts(summary: Summary) -> dict[str, Any]:
    parts = summary.stages
    return {
        "parts": stages.charts(parts),
        "part_rows": [] if parts is None else stages.rows(parts),
        "part_notes": [] if parts is None else list(stages.notes(parts, summary.environment)),
    }


def _server_metrics(recording: Recording, summary: Summary) -> dict[str, Any]:
    found = summary.server_metrics
    return {
        "metric_charts": server_metrics.charts(found, recording),
        "metric_rows": [] if found is None or not found.moved else server_metrics.rows(found),
        "metric_notes": [] if found is None else server_metrics.notes(found),
    }


def _events(recording: Recording) -> list[list[str]]:
    """Each event: seconds since the first call, what happened, why."""
    first_s = min(recording.measured.seconds, default=None)
    rows = []
    for event in recording.events:
        known = first_s is not None and event.get("t_s") is not None
        when = say_seconds(float(event["t_s"]) - first_s) if known and first_s is not None else NOT_MEASURED
        rows.append([when, plain(str(event["what"])), plain(str(event.get("why") or ""))])
    return rows


def _finding(found: Finding) -> dict[str, str]:
    return {
        "kind": SHOWN[found.severity].kind,
        "word": SHOWN[found.severity].heading,
        "text": plain(found.text),
        "advice": plain(found.advice),
    }


def _opening(summary: Summary, verdict: Verdict) -> dict[str, Any]:
    """The first verdict; where no call got a valid answer, that and what the server said come before it."""
    failed = None
    if summary.calls and not summary.valid:
        label, calls = max(summary.outcomes.items(), key=lambda item: item[1])
        mostly = f"{calls:,} of {count(summary.calls, 'call')} ended as “{label}”"
        answer = plain(summary.examples.get(label, ""))
        failed = {"text": f"{mostly}. The first said:" if answer else f"{mostly}.", "answer": answer}
    return {"valid": _valid(verdict), "failed": failed}


def _valid(verdict: Verdict) -> dict[str, str]:
    if verdict.valid:
        return {"kind": "good", "word": "Valid.", "text": "The measurement can be trusted."}
    return {
        "kind": "bad",
        "word": "Not valid.",
        "text": "The measurement can't be trusted, for these reasons:",
    }


def _verdicts(verdict: Verdict) -> list[dict[str, str]]:
    """The verdicts on the server. Nothing is green if the measurement can't be trusted."""
    met = "good" if verdict.valid else "plain"
    words = {True: (met, "Met:"), False: ("bad", "Missed:"), None: ("warn", "Not decided:")}
    found = []
    for one in verdict.checked:
        kind, word = words[one.met]
        found.append({"kind": kind, "word": word, "text": plain(f"{one.limit.text}: {one.why}.")})
    if not verdict.checked:
        found.append({"kind": "plain", "word": "No limits", "text": "were given."})
    if verdict.failures:
        failures = (
            f"{count(verdict.failures, 'call')} without a valid answer; {verdict.allowed_failures:,} allowed."
        )
        beyond = verdict.failures > verdict.allowed_failures
        found.append({"kind": "bad" if beyond else "warn", "word": "Failed:", "text": failures})
    if verdict.lost:
        found.append({"kind": "bad", "word": "Lost:", "text": f"{text.LOST}."})
    return found


def _headline(summary: Summary) -> list[tuple[str, str, str]]:
    """(what, figure, its bounds or what it is of)."""
    times, name = summary.response, "Response" if summary.open_loop else "Service"
    rate, rows = summary.throughput_per_s, summary.rows_per_s
    took = NOT_MEASURED if summary.wall_time_s is None else f"in {say_seconds(summary.wall_time_s)}"
    return [
        (
            "Valid answers",
            NOT_MEASURED if rate is None else say_rate(rate),
            f"{count(summary.calls, 'call')} {took}",
        ),
        ("Rows", NOT_MEASURED if rows is None else say_rate(rows), f"{summary.rows:,} in valid answers"),
        *((f"{name} time {q}", *_value_and_bounds(times.percentiles[q])) for q in HEADLINE),
        *_first_chunk(summary),
        (
            "Calls valid",
            say_percent(summary.valid / summary.calls) if summary.calls else NOT_MEASURED,
            f"{summary.valid:,} of {count(summary.calls, 'call')}",
        ),
    ]


def _first_chunk(summary: Summary) -> list[tuple[str, str, str]]:
    if summary.streams is None:
        return []
    return [("First chunk p95", *_value_and_bounds(summary.streams.first_chunk.percentiles["p95"]))]


def _value_and_bounds(found: Estimate) -> tuple[str, str]:
    if found.value is None:
        return "not shown", found.needs
    if found.low is None:
        return say_seconds(found.value), "bounds not known"
    between = f"at least {say_seconds(found.low)}"
    if found.high is not None:
        between = f"{say_seconds(found.low)} to {say_seconds(found.high)}"
    return say_seconds(found.value), f"99 % sure: {between}"


def _users(summary: Summary) -> list[list[str]]:
    return [[str(user.worker), _user(user), *_exact(user)] for user in summary.users]


def _requests(summary: Summary) -> list[list[str]]:
    """A row for each request, and below it one for each of its first users."""
    rows = []
    for request in summary.requests:
        named = [plain(request.method), plain(request.name)]
        rows.append([*named, "all", *_exact(request)])
        rows += [[*named, _named_user(user), *_exact(user)] for user in request.users[: text.USERS]]
    return rows


def _named_user(user: UserFigures) -> str:
    return f"{user.worker}.{user.user}" if user.user is not None else _user(user)


def _user(user: UserFigures) -> str:
    return "not known" if user.user is None else str(user.user)


def _exact(of: UserFigures | RequestFigures) -> list[str]:
    return [f"{of.calls:,}", f"{of.valid:,}", *map(milliseconds, (of.mean_s, of.max_s, of.min_s))]


def _spread(summary: Summary) -> str:
    means = [user.mean_s for user in summary.users if user.mean_s is not None]
    if not means:
        return "No user had a valid call."
    return (
        f"Mean service times of the users lie between {say_seconds(min(means))} and "
        f"{say_seconds(max(means))}. Click a heading to sort."
    )
