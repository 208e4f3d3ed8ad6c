"""Keeps one grant fresh: when to ask for the next, and what to do where that fails. Arithmetic on a clock.

Knows no socket, no gevent and no service: who waits, and how, is the caller's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from time import monotonic

from scorebench.client.sign_ins.record import Grant
from scorebench.client.target import header_lines
from scorebench.errors import InputError

MARGIN_SHARE, MOST_MARGIN_S = 0.25, 300.0
"""A grant is renewed this part of its life ahead of its end, and at most so long."""
LEAST_WAIT_S = 0.2
"""Between two looks, whatever the lifetimes are."""
SAME_S = 5.0
"""The longest wait after a look that gave the same grant: who gives it decides when it is a new one."""
FIRST_RETRY_S, LAST_RETRY_S = 1.0, 30.0
FIRST_EARLY_S, LAST_EARLY_S = 5.0, 300.0
"""At least so long between two looks that a refusal brought about; each time it doubles."""
REMEMBERED = 64
"""Secrets of earlier grants; an answer may still show those before."""


class Renewal:
    """A grant and its successors. `now` is a clock in seconds.

    `on_problem` is called once for each time in which renewals fail, with the reason.
    """

    def __init__(
        self,
        fetch: Callable[[], Grant],
        now: Callable[[], float] = monotonic,
        open_again: Callable[[], Callable[[], Grant]] | None = None,
    ) -> None:
        """Fetches the first grant. SignInFailed where there is none.

        `open_again` gives another `fetch`, which knows nothing of earlier grants: a library may keep one
        until its end, though the service takes it no more.
        """
        self.on_problem: Callable[[str], object] = str
        self.secrets: deque[str] = deque(maxlen=REMEMBERED)
        self.problem: str | None = None
        """Why the last look failed; None: it did not."""
        self._fetch, self._now, self._open_again = fetch, now, open_again
        self._is_refused = False
        self._early_wait_s, self._next_early_s = FIRST_EARLY_S, -inf
        self._failures = 0
        self._known: tuple[str, ...] | None = None
        began_s = now()
        self._take(fetch(), began_s)

    @property
    def changes(self) -> bool:
        """Whether a look can ever give another grant."""
        one = self.grant
        return one.lifetime_s is not None or one.look_again_s is not None or one.may_end

    @property
    def is_over(self) -> bool:
        """Whether the grant has ended, and lets nobody in any more."""
        return self._now() >= self.ends_s

    @property
    def wait_s(self) -> float:
        """How long until the next look."""
        return max(self.look_s - self._now(), 0.0)

    def look(self) -> None:
        """Ask for the next grant; what goes wrong is kept in `problem`, and the grant stays until its end."""
        began_s = self._now()
        try:
            fetch = self._fetch
            if self._is_refused and self._open_again is not None:
                fetch = self._open_again()
            self._take(fetch(), began_s)
            self._fetch, self._is_refused = fetch, False
        except InputError as failure:
            self._failed(str(failure))
        except Exception as problem:  # of a library that signs in; the run must not end by it
            self._failed(f"{type(problem).__name__}: {problem}")

    def refused(self) -> bool:
        """The service refused a call with this grant. Whether the next look is due now.

        It is not, shortly after the last refusal: calls that left with the grant before are still being
        answered, and an account that may not call the service gets no better by asking.
        """
        now_s = self._now()
        if now_s < self._next_early_s:
            return False
        is_new = now_s > self._next_early_s + LAST_EARLY_S
        self._early_wait_s = FIRST_EARLY_S if is_new else min(self._early_wait_s * 2, LAST_EARLY_S)
        self._next_early_s = now_s + self._early_wait_s
        self.look_s, self._is_refused = now_s, True
        return True

    def _take(self, grant: Grant, asked_s: float) -> None:
        lines = header_lines(grant.headers)
        is_same = grant.secrets == self._known
        self.grant, self.problem, self._failures, self._known = grant, None, 0, grant.secrets
        self.lines = lines
        """The grant's headers as bytes."""
        for secret in grant.secrets:
            if secret and secret not in self.secrets:
                self.secrets.append(secret)
        life_s = inf if grant.lifetime_s is None else grant.lifetime_s
        self.ends_s = asked_s + life_s
        """On the clock: when the grant lets nobody in any more."""
        wait_s = life_s - min(life_s * MARGIN_SHARE, MOST_MARGIN_S) if life_s < inf else inf
        if is_same and life_s < inf:
            wait_s = min(wait_s, SAME_S)
        if grant.look_again_s is not None:
            wait_s = min(wait_s, grant.look_again_s)
        self.look_s = max(asked_s + wait_s, self._now() + LEAST_WAIT_S)
        """On the clock: when to look again."""

    def _failed(self, why: str) -> None:
        self.problem = why
        self._failures += 1
        # What is looked at all the time may be half written just then: once is no problem.
        patient = self.grant.look_again_s is not None and self.ends_s == inf
        if self._failures == (2 if patient else 1):
            self.on_problem(why)
        wait_s = min(FIRST_RETRY_S * 2 ** (self._failures - 1), LAST_RETRY_S)
        left_s = self.ends_s - self._now()
        if 0 < left_s < inf:
            wait_s = min(wait_s, max(left_s / 4, LEAST_WAIT_S))  # tries again before it ends, a few times
        self.look_s = self._now() + wait_s
