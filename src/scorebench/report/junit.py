"""Summary + verdict → JUnit XML: a test case for validity, one for failed calls, one a limit.

Knows its elements; computes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from scorebench.report import text
from scorebench.report.words import count, plain
from scorebench.verdicts.finding import Severity

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.verdicts.limits import Checked
    from scorebench.verdicts.verdict import Verdict


@dataclass(frozen=True)
class Case:
    """`wrong` is one line on why the case failed; None if it passed. `skipped`: it could not be judged."""

    name: str
    wrong: str | None
    details: str = ""
    skipped: bool = False


def render(summary: Summary, verdict: Verdict) -> str:
    """One suite. A CI that reads it goes red exactly when the command's exit code is not 0."""
    return _document(_suite("scorebench", summary, verdict))


def render_all(runs: Sequence[tuple[str, Summary, Verdict]]) -> str:
    """A suite a run, by its name."""
    suites = Element("testsuites", name="scorebench")
    suites.extend(_suite(f"scorebench {plain(name)}", summary, verdict) for name, summary, verdict in runs)
    return _document(suites)


def _document(root: Element) -> str:
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(name: str, summary: Summary, verdict: Verdict) -> Element:
    cases = [_validity(verdict), _calls(verdict), *map(_limit, verdict.checked), *_lost(verdict)]
    suite = Element("testsuite", name=name, tests=str(len(cases)), errors="0")
    suite.set("failures", str(sum(case.wrong is not None and not case.skipped for case in cases)))
    suite.set("skipped", str(sum(case.skipped for case in cases)))
    if summary.wall_time_s is not None:
        suite.set("time", f"{summary.wall_time_s:.3f}")
    for case in cases:
        _add(suite, case)
    SubElement(suite, "system-out").text = text.render(summary, verdict)
    return suite


def _add(suite: Element, case: Case) -> None:
    element = SubElement(suite, "testcase", classname="scorebench", name=plain(case.name))
    if case.wrong is not None:
        wrong = SubElement(element, "skipped" if case.skipped else "failure", message=plain(case.wrong))
        wrong.text = case.details


def _validity(verdict: Verdict) -> Case:
    wrong = [f for f in verdict.findings if f.severity is Severity.INVALID]
    details = "\n".join(f"{plain(finding.text)}. Try: {plain(finding.advice)}." for finding in wrong)
    return Case("the measurement is valid", wrong[0].text if wrong else None, details)


def _calls(verdict: Verdict) -> Case:
    name = f"calls without a valid answer: at most {verdict.allowed_failures}"
    beyond = verdict.failures > verdict.allowed_failures
    return Case(name, f"{count(verdict.failures, 'call')} without a valid answer" if beyond else None)


def _limit(checked: Checked) -> Case:
    """A limit that could not be judged makes the measurement invalid, and that case fails."""
    wrong = None if checked.met else checked.why
    return Case(checked.limit.text, wrong, skipped=checked.met is None)


def _lost(verdict: Verdict) -> list[Case]:
    return [Case("the run was not ended early", text.LOST)] if verdict.lost else []
