"""Two stop the same test: the second waits until the first is done. Knows flags; no calls and no report.

Locust calls itself running until the calls in flight are done, and stopped before the report is there.
"""

from __future__ import annotations

from gevent.event import Event as Flag

PATIENCE_S = 30.0
"""How long stopping a test may take, besides the time of its users. Then the report is made without that."""


class Stopping:
    """From the first who stops a test until its report is there."""

    def __init__(self) -> None:
        self._silent, self._over = Flag(), Flag()
        self.fell_silent()
        self.ended()

    def begin(self) -> None:
        """The calls in flight are waited for."""
        self._silent.clear()
        self._over.clear()

    def fell_silent(self) -> None:
        """They are done, or cut off."""
        self._silent.set()

    def ended(self) -> None:
        """The report is there, or has gone wrong."""
        self._over.set()

    def wait(self) -> None:
        """Until no call is in flight."""
        self._silent.wait()

    def wait_for_end(self, users_s: float) -> None:
        """Until the report is there, but no longer than its users and PATIENCE_S allow."""
        self._over.wait(users_s + PATIENCE_S)
