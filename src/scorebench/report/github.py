"""Summary + verdict → GitHub's workflow commands, an annotation a failure. Knows their syntax.

Computes nothing. The step summary is Markdown: see `markdown`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scorebench.report import text
from scorebench.report.severities import SHOWN
from scorebench.report.words import count, plain

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.verdicts.verdict import Verdict


def annotate(verdict: Verdict) -> str:
    """A line for each missed limit, for failed calls and for each finding."""
    lines = []
    if verdict.failures > verdict.allowed_failures:
        calls = count(verdict.failures, "call")
        failures = f"{calls} without a valid answer; {verdict.allowed_failures:,} allowed"
        lines.append(_command("error", "calls failed", failures))
    if verdict.lost:
        lines.append(_command("error", "lost", text.LOST))
    lines += [_command("error", "limit missed", one.why) for one in verdict.checked if one.met is False]
    lines += [
        _command(SHOWN[finding.severity].github, finding.code, f"{finding.text}. Try: {finding.advice}.")
        for finding in verdict.findings
    ]
    return "".join(line + "\n" for line in lines)


def render(summary: Summary, verdict: Verdict) -> str:
    """For the log of a step: the annotations, then the report as text."""
    return annotate(verdict) + text.render(summary, verdict)


def _command(level: str, title: str, message: str) -> str:
    name = _escaped(f"scorebench: {title}").replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={name}::{_escaped(message)}"


def _escaped(message: str) -> str:
    """As GitHub's toolkit does (actions/toolkit, packages/core/src/command.ts)."""
    return plain(message).replace("%", "%25")
