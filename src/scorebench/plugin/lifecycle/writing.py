"""Has what was counted written down while a test is under way. Knows the role and the states of a test."""

from __future__ import annotations

import gevent

from scorebench.plugin.lifecycle.gathered import Gathered
from scorebench.plugin.lifecycle.roles import Role
from scorebench.plugin.lifecycle.states import UNDER_WAY, Course
from scorebench.plugin.lifecycle.written import PERIOD_S


def write_regularly(gathered: Gathered, role: Role, course: Course) -> None:
    """Until the report is made; for a greenlet of its own."""
    while course.state in UNDER_WAY:
        gevent.sleep(PERIOD_S)
        if course.state in UNDER_WAY:
            role.so_far()  # which has it gathered
            gathered.write_down()
