"""A run, running or ended → what its tab in Locust's page shows, as texts. Knows wording; computes nothing.

The browser gets finished texts: only this module knows how a figure is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scorebench.figures.percentiles import HEADLINE
from scorebench.report import live as live_words
from scorebench.report import text, times_table
from scorebench.report.account import account
from scorebench.report.live_charts import live_charts
from scorebench.report.severities import SHOWN
from scorebench.report.words import NOT_MEASURED, count, plain
from scorebench.units import say_percent, say_rate, say_seconds
from scorebench.verdicts.finding import Severity

if TYPE_CHECKING:
    from scorebench.figures.last_minutes import LastMinutes
    from scorebench.figures.live import Live
    from scorebench.figures.percentiles import Estimate
    from scorebench.figures.summary import Summary
    from scorebench.verdicts.limits import Checked
    from scorebench.verdicts.verdict import Verdict

USERS = 200
"""Rows of the per-user table; all users are in users.csv."""
EXAMPLE = 300
"""Characters of an answer that was not valid."""
GOOD, BAD, WARN, OPEN = "good", "bad", "warn", "open"
"""Style of a line; its meaning is in its words."""
_TONES = {Severity.INVALID: BAD, Severity.WARNING: WARN, Severity.NOTE: OPEN}


def board(
    summary: Summary, verdict: Verdict, live: Live | None, last: LastMinutes | None = None
) -> dict[str, Any]:
    """For JSON. `live` is None once the run has ended; `summary` and `verdict` are then final."""
    return {
        "charts": [] if last is None else live_charts(last, open_loop=summary.open_loop, ended=live is None),
        "running": live is not None,
        "progress": _progress(summary, live),
        "share_done": None if live is None else live.share_done,
        "verdicts": _verdicts(verdict, live) if summary.calls else [],
        "figures": _figures(summary, live),
        "tables": [table for table in _tables(summary, live) if len(table["rows"]) > 0],
        "account": account(summary) if live is None else [],
    }


def _progress(summary: Summary, live: Live | None) -> str:
    if live is not None:
        return live_words.progress(live) + _warm_up(live.calls, summary.calls)
    took = f" in {say_seconds(summary.wall_time_s)}" if summary.wall_time_s else ""
    return f"{count(summary.calls, 'call')}{took}"


def _warm_up(calls: int, measured: int) -> str:
    """Why the tables have fewer calls than were made; what came in between the two is no warm-up."""
    if calls <= measured:
        return ""
    return f", {calls - measured:,} of them in the warm-up, which the figures leave out"


def _verdicts(verdict: Verdict, live: Live | None) -> list[dict[str, str]]:
    so_far = "" if live is None else " so far"
    valid = (GOOD, f"valid{so_far}") if verdict.valid else (BAD, "not valid")
    lines = [_line(*valid, "Measurement"), _line(*_met(verdict, so_far))]
    lines += [_limit(one, so_far, verdict.valid) for one in verdict.checked]
    if verdict.failures:
        tone = BAD if verdict.failures > verdict.allowed_failures else WARN
        failed = (
            f"{count(verdict.failures, 'call')} without a valid answer; {verdict.allowed_failures:,} allowed"
        )
        lines.append(_line(tone, "failed", failed))
    if verdict.lost:
        lines.append(_line(BAD, "lost", text.LOST))
    for finding in verdict.findings:
        tone, word = _TONES[finding.severity], SHOWN[finding.severity].word
        lines.append(_line(tone, word, finding.text, f"Try: {finding.advice}."))
    return lines


def _met(verdict: Verdict, so_far: str) -> tuple[str, str, str]:
    if not verdict.checked:
        return OPEN, "none given", "Limits"
    met = GOOD if verdict.valid else OPEN  # nothing is green that rests on what can't be trusted
    words = {True: (met, f"met{so_far}"), False: (BAD, f"missed{so_far}"), None: (OPEN, "not decided")}
    kept = sum(one.met is True for one in verdict.checked)
    return *words[verdict.met], f"Limits: {kept} of {len(verdict.checked)} met"


def _limit(checked: Checked, so_far: str, valid: bool) -> dict[str, str]:
    words = {
        True: (GOOD if valid else OPEN, f"met{so_far}"),
        False: (BAD, f"missed{so_far}"),
        None: (OPEN, "open"),
    }
    return _line(*words[checked.met], f"{checked.limit.text}: {checked.why}")


def _line(tone: str, word: str, text: str, advice: str = "") -> dict[str, str]:
    return {"tone": tone, "word": word, "text": plain(text), "advice": plain(advice)}


def _figures(summary: Summary, live: Live | None) -> list[dict[str, str]]:
    """The headline; each with a name, a value, and a note below it."""
    times = summary.response.percentiles
    of = "due to done" if summary.open_loop else "sent to done"
    return [
        _figure("valid answers", _rate(summary.throughput_per_s), _now(live)),
        _figure("sent", _rate(summary.sent_per_s), _offered(summary, live)),
        *(_percentile(name, times[name], of) for name in HEADLINE),
        *_first_chunk(summary),
        _figure("valid", _share(summary), f"{summary.valid:,} of {count(summary.calls, 'call')}"),
        *_lag(summary),
    ]


def _figure(name: str, value: str, note: str) -> dict[str, str]:
    return {"name": name, "value": value, "note": note}


def _rate(per_s: float | None) -> str:
    return NOT_MEASURED if per_s is None else say_rate(per_s)


def _share(summary: Summary) -> str:
    return say_percent(summary.valid / summary.calls) if summary.calls else NOT_MEASURED


def _percentile(name: str, found: Estimate, note: str) -> dict[str, str]:
    if found.value is None:
        return _figure(name, "not shown", found.needs)
    return _figure(name, say_seconds(found.value), note)


def _now(live: Live | None) -> str:
    if live is None:
        return "mean of the whole run"
    return "no rate yet" if live.throughput_per_s is None else f"now {say_rate(live.throughput_per_s)}"


def _offered(summary: Summary, live: Live | None) -> str:
    if not summary.open_loop:
        return "closed loop"
    if live is not None and live.offered_per_s is not None:
        return f"offered now {say_rate(live.offered_per_s)}"
    offered = summary.environment.get("offered_rate_per_s")
    spec = plain(str(summary.environment.get("arrivals")), 40)
    return spec if offered is None else f"offered {say_rate(offered)}, {spec}"


def _lag(summary: Summary) -> list[dict[str, str]]:
    """None in a closed loop, where a call is due when it is sent."""
    if not summary.open_loop:
        return []
    p50, p99 = summary.lag.percentiles["p50"].value, summary.lag.percentiles["p99"]
    return [_percentile("generator lag p99", p99, "" if p50 is None else f"p50 {say_seconds(p50)}")]


def _first_chunk(summary: Summary) -> list[dict[str, str]]:
    if summary.streams is None:
        return []
    found = summary.streams.first_chunk.percentiles["p95"]
    return [_percentile("first chunk p95", found, "sent to the first chunk")]


def _tables(summary: Summary, live: Live | None) -> list[dict[str, Any]]:
    times, streams = times_table.times(summary), times_table.streams(summary)
    users = text.users(summary, USERS)
    more = len(summary.users) - USERS
    about = "service time from sent, response time from due" if summary.open_loop else "sent to done"
    return [
        _table(
            f"Times of the valid calls in ms ({about})", times if live is None else _without_bounds(times)
        ),
        _table(
            times_table.STREAMS_TITLE,
            streams if live is None else _without_bounds(streams),
            times_table.streams_line(summary),
        ),
        _table("Calls by outcome", _outcomes(summary)),
        _table(text.USERS_TITLE, users, f"and {more:,} more in users.csv" if more > 0 else ""),
    ]


def _without_bounds(times: list[list[str]]) -> list[list[str]]:
    """While the run goes on bounds are not computed; where they stand for a percentile is what it needs."""
    return [[row[0], *(row[i] or row[i + 1] for i in range(1, len(row), 2))] for row in times]


def _outcomes(summary: Summary) -> list[list[str]]:
    head = ["Outcome", "Calls", "Share", "Example"]
    rows = [
        [label, f"{n:,}", say_percent(n / summary.calls), plain(summary.examples.get(label, ""), EXAMPLE)]
        for label, n in summary.outcomes.items()
    ]
    return [head, *rows] if any(row[3] for row in rows) else [row[:3] for row in [head, *rows]]


def _table(title: str, rows: list[list[str]], note: str = "") -> dict[str, Any]:
    return {"title": title, "head": rows[0] if rows else [], "rows": rows[1:], "note": note}
