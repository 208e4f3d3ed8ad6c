"""The greenlets that serve a run beside its users; one that dies of an error is noted, never silent.

Knows gevent and what to do on a death; nothing of what the helpers do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import gevent

from scorebench.recordings.happenings import HELPER_DIED

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("scorebench")


class Helpers:
    """Spawns helpers, and calls `note(what, why)` when one of them fails."""

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self._note = note

    def spawn(self, name: str, work: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> gevent.Greenlet:
        """Do `work` in a greenlet of its own; `name` says which part of the run it is."""
        return gevent.spawn(self.watched(name, work), *args, **kwargs)

    def watched(self, name: str, work: Callable[P, R]) -> Callable[P, R]:
        """`work`, whose failure is noted before it is raised: Locust's events log it, and go on."""

        @wraps(work)
        def do(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return work(*args, **kwargs)
            except Exception as error:
                logger.error("scorebench: the %s failed: %r", name, error)
                self._note(HELPER_DIED, f"{name}: {error!r:.500}")
                raise

        return do
