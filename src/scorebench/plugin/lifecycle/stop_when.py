"""Ends a run that is lost: looks each second at the last ones. Knows conditions, Locust's clock alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import gevent

from scorebench.figures.recent import Recent
from scorebench.verdicts.limits import StopWhen, Watch

if TYPE_CHECKING:
    from scorebench.recordings.recording import Recording

PERIOD_S = 1.0


def watch(
    conditions: Sequence[StopWhen],
    so_far: Callable[[], Recording | None],
    waiting: Callable[[], Mapping[int, int]],
    on_lost: Callable[[StopWhen], None],
) -> None:
    """Call `on_lost` once, when a condition has held for its time; ends when `so_far` gives None.

    `waiting` gives {whole seconds that they have waited: calls in flight}.
    """
    recent = Recent()
    watches = [(condition, Watch(condition)) for condition in conditions]
    while (recording := so_far()) is not None:
        now_s = time.monotonic()
        recent.see(now_s, recording, waiting())
        for condition, one in watches:
            if one.see(now_s, recent.figure(condition.metric)):
                on_lost(condition)
                return
        gevent.sleep(PERIOD_S)
