"""Every behaviour in the table of hostile servers ends as it must, and no call reaches a server twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.reliability import hostile
from tests.reliability.meeting import hostile_server, meet
from tests.scoring_server import ScoringServer


@pytest.fixture(scope="module")
def server() -> Iterator[ScoringServer]:
    with hostile_server(hostile.ALL) as running:
        yield running


@pytest.mark.parametrize("number", range(len(hostile.ALL)), ids=[case.does for case in hostile.ALL])
def test_a_server_that(server: ScoringServer, number: int) -> None:
    """Each call ends as expected, and the server's log has each call once."""
    case = hostile.ALL[number]
    met = meet(server, number, case)
    assert met.got == case.expected
    assert met.holds(case), met


def test_a_case_that_does_not_hold_goes_red(server: ScoringServer) -> None:
    """What is met is compared: a case with another expectation differs."""
    case = hostile.ALL[1]
    met = meet(server, 1, case)
    assert not met.holds(replace(case, expected=(hostile.VALID,) * len(case.replies)))
    assert not replace(met, read=met.read + 1).holds(case)  # as if a call had been repeated


def test_each_behaviour_stands_once() -> None:
    """No two records say the same, and there are as many as promised."""
    assert len({case.does for case in hostile.ALL}) == len(hostile.ALL) >= 67
