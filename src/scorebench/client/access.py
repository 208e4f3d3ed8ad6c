"""The headers of a call at this moment, and the secrets in them. Knows renewals; no service.

Who sends asks here. Nothing here waits: grants are renewed by greenlets of their own, between calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf
from time import monotonic as clock

from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.client.headers import KNOWN_TO_ALL, secrets_in
from scorebench.client.hiding import without
from scorebench.client.keeping import Keeping
from scorebench.client.renewal import Renewal
from scorebench.client.target import Target


class Access:
    """What lets the calls of one process in. `target` is where they go."""

    def __init__(
        self,
        target: Target,
        plain: Mapping[str, str],
        renewals: Sequence[Renewal],
        hidden_values: Sequence[str] = (),
    ) -> None:
        """`plain` are headers that stay; `hidden_values` are looked for in answers too."""
        self.target = target
        self._plain = dict(plain)
        self._renewals = renewals
        self._values = (*hidden_values, *secrets_in(plain))
        self._changing = [one for one in renewals if one.changes]
        self._keeping = Keeping()
        self._lines, self._end_s = b"", inf
        self._bring_up_to_date()

    @property
    def signs(self) -> bool:
        """Whether each call is signed for its time and body."""
        return any(one.grant.sign for one in self._renewals)

    @property
    def changes(self) -> bool:
        """Whether headers can become others while the run goes on."""
        return bool(self._changing)

    @property
    def replaces_ours(self) -> bool:
        """Whether a header that changes replaces one that every request has."""
        names = {name.lower() for one in self._changing for name in one.grant.headers}
        return bool(names & KNOWN_TO_ALL)

    @property
    def fixed(self) -> Mapping[str, str]:
        """The headers that stay as they are."""
        return self._plain | {
            name: value
            for one in self._renewals
            if not one.changes
            for name, value in one.grant.headers.items()
        }

    def changing(self) -> bytes:
        """The lines of the headers that change, as they are now. CallFailed where nobody is signed in."""
        if clock() >= self._end_s:
            for one in self._changing:
                self._valid(one)
        return self._lines

    def _bring_up_to_date(self) -> None:
        """Each call asks for the lines: they are put together after a look, and not for each."""
        self._lines = b"".join(one.lines for one in self._changing)
        self._end_s = min((one.ends_s for one in self._changing), default=inf)

    def headers(self, body: bytes, content_type: str) -> Mapping[str, str]:
        """All headers of a call with this body, as they are now, signatures too. CallFailed as above."""
        given = self._plain | {
            name: value for one in self._renewals for name, value in self._valid(one).grant.headers.items()
        }
        to_sign = {"Content-Type": content_type} | given
        for one in self._renewals:
            if one.grant.sign is not None:
                given = {**given, **one.grant.sign(self.target, body, to_sign)}
        return given

    def _valid(self, renewal: Renewal) -> Renewal:
        if renewal.is_over:
            why = renewal.problem or "the sign-in has ended, and its renewal has no answer yet"
            raise CallFailed(Outcome.NOT_SIGNED_IN, why)
        return renewal

    def hidden(self, content: bytes) -> bytes:
        """`content`, an answer that may be shown, without the secrets in it."""
        return without(
            content, [*self._values, *(secret for one in self._renewals for secret in one.secrets)]
        )

    def begin(self, on_problem: Callable[[str], None]) -> None:
        """Renew from now on, until `end`. `on_problem` hears why one fails, once for each time it does."""

        def tell(why: str) -> None:
            on_problem(self.hidden(why.encode("utf-8", "replace")).decode("utf-8", "replace"))

        self._keeping.begin(self._changing, tell, self._bring_up_to_date)

    def end(self) -> None:
        """Renew no longer: nobody sends."""
        self._keeping.end()

    def refused(self) -> bool:
        """The service let a call in no more (401, 403): renew ahead of time; whether anything is renewed now.

        The answer to the call that was refused stays what it is.
        """
        early = [one for one in self._changing if one.refused()]
        for one in early:
            self._keeping.wake(one)
        return bool(early)
