"""Readers of samples look at the load: what processes did before it changes no finding, advice or figure."""

from __future__ import annotations

from typing import Any, cast

import pytest

from scorebench.advice.record import Facts
from scorebench.advice.rules import advise
from scorebench.figures.server_use import process_samples, server_samples
from scorebench.figures.summary import summarise
from scorebench.recordings.recording import Recording
from scorebench.recordings.types import Sample
from scorebench.soaks.parts import stretches_of
from scorebench.verdicts.findings import look
from tests.recordings import START_S, calls, evenly, recording


@pytest.mark.parametrize(
    "before",
    [
        {"who": "generator", "cpu": 0.0},  # a minute of idleness would hide a busy generator
        {"who": "generator", "cpu": 1.0, "late_s": 1.0},  # and what starts users is busy for a while
        {"who": "generator", "cpu": 0.0, "stall_s": 5.0, "users": 50},
        {"who": "server", "cpu": 9.0, "rss_bytes": 1},
        {"who": "server process 1", "cpu": 9.0, "rss_bytes": 1},
    ],
)
@pytest.mark.parametrize("is_busy", [False, True])
def test_what_was_sampled_before_the_load_changes_nothing(before: dict[str, Any], is_busy: bool) -> None:
    """A minute of it, then ten seconds of load: findings, advice and stretches are those without it."""
    made, like = (loaded(is_busy=is_busy) for _ in range(2))
    made.resources += [cast("Sample", {"t_s": START_S - 60 + second, **before}) for second in range(61)]
    found, expected = (look(summarise(one), one) for one in (made, like))
    assert [(one.code, one.severity) for one in found] == [(one.code, one.severity) for one in expected]
    assert ("generator_cpu" in {one.code for one in found}) == is_busy
    assert advise(Facts(summarise(made), made, ())) == advise(Facts(summarise(like), like, ()))
    assert list(stretches_of(made, int(START_S), 2)) == list(stretches_of(like, int(START_S), 2))
    assert server_samples(made) == server_samples(like)
    assert process_samples(made) == process_samples(like)


def loaded(*, is_busy: bool) -> Recording:
    """Ten seconds of load, in which the generator uses a whole core or little."""
    made = recording(
        calls(evenly(1000)), load_ended_s=START_S + 10, server={"kind": "webserver", "workers": 1}
    )
    for second in range(1, 11):
        at_s = START_S + second
        made.resources += [
            {"t_s": at_s, "who": "generator", "cpu": 0.99 if is_busy else 0.2, "rss_bytes": 10, "users": 1},
            {"t_s": at_s, "who": "server", "cpu": 0.5, "rss_bytes": 10},
            {"t_s": at_s, "who": "server process 1", "cpu": 0.5, "rss_bytes": 10},
        ]
    return made
