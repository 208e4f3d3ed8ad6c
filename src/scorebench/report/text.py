"""Summary + verdict → the tables printed at the end of a run. Knows wording and width; computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scorebench.figures.percentiles import HEADLINE, Estimate
from scorebench.report import server_metrics, stages, times_table
from scorebench.report.account import account
from scorebench.report.aligned import table
from scorebench.report.environment import environment_line
from scorebench.report.sent import header
from scorebench.report.severities import BOLD, GREEN, RED, SHOWN, YELLOW
from scorebench.report.words import NOT_MEASURED, count, milliseconds, percentile_text, plain
from scorebench.units import say_percent, say_rate, say_seconds
from scorebench.verdicts.finding import Finding
from scorebench.verdicts.limits import Checked

if TYPE_CHECKING:
    from scorebench.figures.summary import RequestFigures, Summary, UserFigures
    from scorebench.verdicts.verdict import Verdict

WIDTH = 100
USERS = 20
"""Rows of the per-user table; all users are in users.csv."""
SLOWEST = 5
"""Slowest calls that are printed; the page and summary.json have more."""

USERS_TITLE = "Users (service time of their valid calls in ms)"
REQUESTS_TITLE = "Requests, and the users that made them (service time of the valid calls in ms)"
NAME_WIDTH = 40

LOST = "--stop-when ended the run"
__all__ = ["headline", "render", "table", "users"]


def render(
    summary: Summary, verdict: Verdict, *, colour: bool = False, width: int = WIDTH, users: int = USERS
) -> str:
    """The report as text, most important first: verdicts, headline, times, outcomes, users, the account.

    `colour` adds ANSI colours; `users` is how many rows of the per-user table are shown.
    """
    page = _Page(colour, width)
    sections = [
        [*header(summary.environment), *_verdicts(verdict, page)],
        headline(summary),
        _times(summary, page),
        _streams(summary, page),
        _slowest(summary, page),
        _parts(summary, page),
        _server_metrics(summary, page),
        _outcomes(summary, page),
        _requests(summary, page, users),
        _users(summary, page, users),
        account(summary),
        _environment(summary, page),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


class _Page:
    def __init__(self, colour: bool, width: int) -> None:
        self._colour = colour
        self.width = width

    def paint(self, text: str, colour: int | None) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._colour and colour else text

    def title(self, text: str) -> str:
        return self.paint(text, BOLD)


def _verdicts(verdict: Verdict, page: _Page) -> list[str]:
    valid = page.paint("valid", GREEN) if verdict.valid else page.paint("NOT VALID", RED)
    lines = [f"Measurement: {valid}", f"Limits:      {_met(verdict, page)}"]
    lines += [_limit(checked, _good(verdict), page) for checked in verdict.checked]
    lines += _failures(verdict, page)
    if verdict.lost:
        lines.append(f"  {page.paint('lost     ', RED)}  {LOST}")
    for finding in verdict.findings:
        lines += _finding(finding, page)
    return lines


def _failures(verdict: Verdict, page: _Page) -> list[str]:
    if not verdict.failures:
        return []
    beyond = verdict.failures > verdict.allowed_failures
    word = page.paint(f"{'failed':<9}", RED if beyond else YELLOW)
    calls = f"{count(verdict.failures, 'call')} without a valid answer; {verdict.allowed_failures:,} allowed"
    return [f"  {word}  {calls}"]


def _met(verdict: Verdict, page: _Page) -> str:
    if not verdict.checked:
        return "none given (--limit 'p99<50ms' sets one)"
    kept = sum(one.met is True for one in verdict.checked)
    of = f"{kept} of {len(verdict.checked)}"
    if verdict.met is None:
        return page.paint("not decided", YELLOW) + f": {of} met"
    return page.paint("met", _good(verdict)) if verdict.met else page.paint("MISSED", RED) + f": {of} met"


def _good(verdict: Verdict) -> int:
    """Green only if the measurement can be trusted."""
    return GREEN if verdict.valid else YELLOW


def _limit(checked: Checked, good: int, page: _Page) -> str:
    word, colour = {True: ("met", good), False: ("MISSED", RED), None: ("open", YELLOW)}[checked.met]
    why = f": {plain(checked.why)}" if checked.met is not None else ""  # a finding says why it is open
    return f"  {page.paint(f'{word:<9}', colour)}  {plain(checked.limit.text)}{why}"


def _finding(finding: Finding, page: _Page) -> list[str]:
    shown = SHOWN[finding.severity]
    word = page.paint(f"{shown.word:<9}", shown.colour)
    return [f"  {word}  {plain(finding.text)}", f"             Try: {plain(finding.advice)}."]


def headline(summary: Summary) -> list[str]:
    """The run in two lines: calls, rates and the share of valid answers; p50, p95 and p99 with its bounds."""
    if not summary.calls:
        return ["No call was sent."]
    if not summary.valid:
        return [f"{count(summary.calls, 'call')} sent, no valid answer: there are no times to show."]
    took = f" in {say_seconds(summary.wall_time_s)}" if summary.wall_time_s else ""
    rates = [
        _rate(summary.throughput_per_s, "valid answers"),
        _rate(summary.rows_per_s, "rows"),
        f"{say_percent(summary.valid / summary.calls)} of the calls valid",
    ]
    shown = summary.response.percentiles
    shown_times = ", ".join(f"{key} {percentile_text(shown[key])}" for key in HEADLINE[:-1])
    name = "Response" if summary.open_loop else "Service"
    last = HEADLINE[-1]
    return [
        f"{count(summary.calls, 'call')}{took}: {', '.join(rates)}",
        f"{name} time: {shown_times}, {last} {_bounded(shown[last])}",
    ]


def _rate(per_s: float | None, noun: str) -> str:
    return f"{noun}/s {NOT_MEASURED}" if per_s is None else f"{say_rate(per_s).removesuffix('/s')} {noun}/s"


def _share(share: float | None) -> str:
    return NOT_MEASURED if share is None else say_percent(share)


def _bounded(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return percentile_text(found)
    return f"{percentile_text(found)} (99 % sure: {say_seconds(found.low)} to {say_seconds(found.high)})"


def _times(summary: Summary, page: _Page) -> list[str]:
    rows = times_table.times(summary)
    if not rows:
        return []
    about = "service time from sent, response time from due" if summary.open_loop else "sent to done"
    return [page.title(f"Times of the {count(summary.valid, 'valid call')} in ms ({about})"), *table(rows)]


def _streams(summary: Summary, page: _Page) -> list[str]:
    rows = times_table.streams(summary)
    return (
        [page.title(times_table.STREAMS_TITLE), *table(rows), times_table.streams_line(summary)]
        if rows
        else []
    )


def _parts(summary: Summary, page: _Page) -> list[str]:
    parts = stages.lines(summary.stages, summary.environment)
    return [page.title(stages.TITLE), *parts] if parts else []


def _server_metrics(summary: Summary, page: _Page) -> list[str]:
    found = server_metrics.lines(summary.server_metrics)
    return [page.title(server_metrics.TITLE), *found] if found else []


def _slowest(summary: Summary, page: _Page) -> list[str]:
    rows = times_table.slowest(summary)
    return (
        [page.title(times_table.SLOWEST_TITLE), *table(rows[: SLOWEST + 1], text_columns=3)] if rows else []
    )


def _outcomes(summary: Summary, page: _Page) -> list[str]:
    if not summary.calls:
        return []
    rows = [[label, f"{n:,}", say_percent(n / summary.calls)] for label, n in summary.outcomes.items()]
    lines = [page.title("Calls by outcome"), *table(rows, text_columns=1)]
    examples = {k: text for k, text in summary.examples.items() if k in summary.outcomes}
    if examples:
        lines += ["", page.title("Examples of calls that were not valid")]
        lines += [f"  {plain(f'{label}: {text}', page.width - 2)}" for label, text in examples.items()]
    return lines


def _users(summary: Summary, page: _Page, most: int) -> list[str]:
    if not summary.users:
        return []
    lines = [page.title(USERS_TITLE), *table(users(summary, most), text_columns=0)]
    if len(summary.users) > most:
        lines.append(f"  … and {len(summary.users) - most:,} more in users.csv")
    return lines


def _requests(summary: Summary, page: _Page, most: int) -> list[str]:
    """A line for each request, as Locust has, and under it one for each of its users."""
    if not summary.requests:
        return []
    return [page.title(REQUESTS_TITLE), *table(requests(summary, most), text_columns=3)]


def requests(summary: Summary, most: int) -> list[list[str]]:
    """The table of requests with the first `most` users of each, times in ms, its head first."""
    rows = [["Method", "Name", "Thread", "Mean", "Max", "Min", "Calls", "Valid"]]
    for request in summary.requests:
        named = [plain(request.method), plain(request.name, NAME_WIDTH)]
        rows.append([*named, "all", *_exact_times(request)])
        for user in request.users[:most]:
            rows.append(["", "", _thread(user, _many_workers(summary)), *_exact_times(user)])
    return rows


def users(summary: Summary, most: int) -> list[list[str]]:
    """The table of the first `most` users, times in ms, its head first."""
    head = ["Thread", "Mean", "Max", "Min", "Calls", "Valid"]
    return [head, *(_user(user, _many_workers(summary)) for user in summary.users[:most])]


def _user(user: UserFigures, many_workers: bool) -> list[str]:
    return [_thread(user, many_workers), *_exact_times(user)]


def _exact_times(of: UserFigures | RequestFigures) -> list[str]:
    times = [milliseconds(value) for value in (of.mean_s, of.max_s, of.min_s)]
    return [*times, f"{of.calls:,}", f"{of.valid:,}"]


def _thread(user: UserFigures, many_workers: bool) -> str:
    if user.user is None:
        return "not known"
    return f"{user.worker}.{user.user}" if many_workers else str(user.user)


def _many_workers(summary: Summary) -> bool:
    return len({user.worker for user in summary.users}) > 1


def _environment(summary: Summary, page: _Page) -> list[str]:
    return [plain(known, page.width * 2)] if (known := environment_line(summary.environment)) else []
