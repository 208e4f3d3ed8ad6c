"""A run's report in every format, from its recording alone. Knows which there are; computes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scorebench.report import data, github, junit, markdown, page, text, trackers
from scorebench.report.data import render_csv, render_json

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording
    from scorebench.verdicts.verdict import Verdict

__all__ = [
    "FORMATS",
    "TRACKERS",
    "data",
    "github",
    "junit",
    "markdown",
    "page",
    "render_csv",
    "render_json",
    "text",
]

FORMATS: dict[str, Callable[[Recording, Summary, Verdict], str]] = {
    "text": lambda _, summary, verdict: text.render(summary, verdict),
    "json": lambda _, summary, verdict: render_json(summary, verdict),
    "csv": lambda _, summary, _verdict: render_csv(summary),
    "html": page.render,
    "junit": lambda _, summary, verdict: junit.render(summary, verdict),
    "github": lambda _, summary, verdict: github.render(summary, verdict),
    "markdown": lambda _, summary, verdict: markdown.render(summary, verdict),
}
"""By the name that --format takes."""
TRACKERS: dict[str, Callable[[Recording, Summary, Verdict], str]] = {
    "bencher": lambda _, summary, verdict: trackers.bencher(summary, verdict),
    "smaller-is-better": lambda _, summary, verdict: trackers.smaller_is_better(summary, verdict),
    "bigger-is-better": lambda _, summary, verdict: trackers.bigger_is_better(summary, verdict),
}
"""The same, for services that keep figures over time: InputError for a run that is not valid."""
