"""What lets calls in: the headers that a user adds and a sign-in. Nothing else sees a secret.

What is asked for is a `Source`, which holds names alone and may be shown; `load` gives the secrets
themselves, in each process from its own environment, so that none travels from a master to its workers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from scorebench.client.access import Access
from scorebench.client.headers import PLAIN, Headers
from scorebench.client.hiding import query_values
from scorebench.client.renewal import Renewal
from scorebench.client.sign_ins.record import Grant, SignIn, Wanted
from scorebench.client.target import Target
from scorebench.errors import InputError

FILES_AGAIN_S = 1.0
"""How often files with headers are read again."""


@dataclass(frozen=True)
class Source:
    """Where headers and credentials come from, for calls to `target`."""

    target: Target
    headers: Headers = field(default_factory=Headers)
    sign_in: SignIn | None = None
    wanted: Wanted = field(default_factory=lambda: Wanted(""))
    """What the sign-in was asked with."""

    def check(self) -> None:
        """InputError for a secret over plain HTTP, and for a header that the sign-in sets."""
        if self.headers.secret_flag:
            self.target.refuse_in_the_clear(self.headers.secret_flag)
        if self.sign_in is not None:
            self.target.refuse_in_the_clear(self.sign_in.name)
        self._refuse_both(*self.headers.names)

    def _refuse_both(self, *names: str) -> None:
        for name in names:
            if self.sign_in is not None and name.lower() in self.sign_in.sets:
                raise InputError(f"{PLAIN} {name}: {self.sign_in.name} sets it too; leave one of them out")

    def load(self) -> Access:
        """The secrets of this process, ready to be used. InputError names what is missing, never a value."""
        opened, renewals = None, []
        if self.sign_in is not None:
            opened, sign_in = self.sign_in.open(self.wanted), self.sign_in
            renewals = [Renewal(opened.fetch, open_again=lambda: sign_in.open(self.wanted).fetch)]
        if self.headers.variables or self.headers.files:
            renewals.append(Renewal(self._read_headers))
            self._refuse_both(*renewals[-1].grant.headers)
        return Access(
            self.target if opened is None or opened.target is None else opened.target,
            dict(self.headers.plain),
            renewals,
            query_values(self.target.query),
        )

    def _read_headers(self) -> Grant:
        read = self.headers.read()
        again_s = FILES_AGAIN_S if self.headers.files else None
        return Grant(read, tuple(read.values()), look_again_s=again_s)
