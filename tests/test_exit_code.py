"""With what Locust exits: no decision of anybody's hides a missed limit, or a report that is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scorebench.verdicts.exit_code import Decided, exit_code
from scorebench.verdicts.verdict import ExitCode

pytestmark = pytest.mark.quick
NOTHING = Decided(by_locustfile=None, on_error=1, task_raised=False, listener_raised=False)
LENIENT = replace(NOTHING, on_error=0)
"""locust --exit-code-on-error 0"""


@pytest.mark.parametrize(
    ("ours", "decided", "code"),
    [
        (ExitCode.GOOD, NOTHING, 0),
        (ExitCode.CALLS_FAILED, NOTHING, 1),
        (ExitCode.CALLS_FAILED, LENIENT, 0),
        (ExitCode.LIMIT_MISSED, LENIENT, 3),
        (ExitCode.NOT_VALID, replace(NOTHING, by_locustfile=0), 4),
        (ExitCode.CALLS_FAILED, replace(NOTHING, by_locustfile=0), 0),
        (ExitCode.GOOD, replace(NOTHING, by_locustfile=7), 7),
        (ExitCode.GOOD, replace(NOTHING, task_raised=True), 1),
        (ExitCode.GOOD, replace(NOTHING, listener_raised=True), 2),
    ],
)
def test_the_gravest_decides(ours: ExitCode, decided: Decided, code: int) -> None:
    """What Locust's documentation promises for its own codes; limits and validity are ours alone to know."""
    assert exit_code(ours, decided, answered=True, kept=True) == code


@pytest.mark.parametrize("decided", [NOTHING, LENIENT, replace(NOTHING, by_locustfile=0)])
def test_a_report_that_is_lost_is_never_0(decided: Decided) -> None:
    """Who reads it in a later step of CI must not find the run green and no file."""
    for ours in (ExitCode.GOOD, ExitCode.CALLS_FAILED):
        assert exit_code(ours, decided, answered=True, kept=False) == 1


def test_a_server_that_answered_nothing_is_never_0() -> None:
    """--exit-code-on-error 0 forgives failed calls, and not a server that is not there."""
    assert exit_code(ExitCode.CALLS_FAILED, LENIENT, answered=False, kept=True) == 1
