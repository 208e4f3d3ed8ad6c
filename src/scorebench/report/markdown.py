"""Summary + verdict → Markdown, for a step summary or a merge request. Knows its syntax.

Computes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scorebench.report import text, times_table
from scorebench.report.account import account
from scorebench.report.sent import header
from scorebench.report.severities import SHOWN
from scorebench.report.words import count, plain
from scorebench.units import say_percent
from scorebench.verdicts.finding import Finding, Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.verdicts.limits import Checked
    from scorebench.verdicts.verdict import Verdict


def render(summary: Summary, verdict: Verdict) -> str:
    """Verdicts, headline, limits and findings, times, outcomes; the users stay in users.csv."""
    sections = [
        ["## Load test"],
        [f"- {escaped(line)}" for line in header(summary.environment)],
        _verdicts(verdict),
        [escaped(line) + "  " for line in text.headline(summary)],
        _limits(verdict.checked),
        [_finding(finding) for finding in verdict.findings],
        _times(summary),
        _streams(summary),
        _outcomes(summary),
        _examples(summary),
        [escaped(line) + "  " for line in account(summary)],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def escaped(foreign: str) -> str:
    """Text as it is: nothing in it formats, links, mentions somebody or opens a tag."""
    return re.sub(r"([\\`*_\[\]<>#|~&@])", _entity, plain(foreign))


def _entity(found: re.Match[str]) -> str:
    # GitHub links "@name" after it has read entities, unless something stands between.
    return "@&#8203;" if found[0] == "@" else f"&#{ord(found[0])};"


def _verdicts(verdict: Verdict) -> list[str]:
    valid = "valid" if verdict.valid else "**NOT VALID**"
    met = {True: "met", False: "**MISSED**", None: "not decided" if verdict.checked else "none given"}
    lines = [f"- Measurement: {valid}", f"- Limits: {met[verdict.met]}"]
    if verdict.failures:
        calls = count(verdict.failures, "call")
        lines.append(f"- Failed: {calls} without a valid answer; {verdict.allowed_failures:,} allowed")
    return [*lines, f"- **Lost**: {text.LOST}"] if verdict.lost else lines


def _limits(checked: Sequence[Checked]) -> list[str]:
    words = {True: "met", False: "**MISSED**", None: "not judged"}
    rows = [[f"{escaped(one.limit.text)}", words[one.met], escaped(one.why)] for one in checked]
    return _table(["Limit", "", "Why"], rows, text_columns=3) if rows else []


def _finding(finding: Finding) -> str:
    shown = SHOWN[finding.severity]
    word = f"**{shown.word}**" if finding.severity is Severity.INVALID else shown.word
    return f"- {word}: {escaped(finding.text)}. Try: {escaped(finding.advice)}."


def _times(summary: Summary) -> list[str]:
    rows = times_table.times(summary)
    return _table(["ms", *rows[0][1:]], rows[1:]) if rows else []


def _streams(summary: Summary) -> list[str]:
    rows = times_table.streams(summary)
    if not rows:
        return []
    return [*_table(["ms", *rows[0][1:]], rows[1:]), "", times_table.streams_line(summary)]


def _outcomes(summary: Summary) -> list[str]:
    rows = [[label, f"{n:,}", say_percent(n / summary.calls)] for label, n in summary.outcomes.items()]
    return _table(["Outcome", "Calls", "Share"], rows) if rows else []


def _examples(summary: Summary) -> list[str]:
    """In a fence longer than any that the answer holds, so that it can't get out."""
    lines = []
    for label, answer in summary.examples.items():
        shown = plain(answer)
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", shown)), default=0))
        lines += [f"First answer that was '{escaped(label)}':", "", fence, shown, fence, ""]
    return lines[:-1]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int = 1) -> list[str]:
    rule = ["---" if column < text_columns else "---:" for column in range(len(head))]
    return ["| " + " | ".join(row) + " |" for row in (head, rule, *rows)]
