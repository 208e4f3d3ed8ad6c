"""Calls by request: what a locustfile that sends different requests calls each of them, and who sent it.

Knows calls and their counts; nothing of clients or of Locust.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from scorebench.answers.outcome import Outcome
from scorebench.recordings.calls import Calls
from scorebench.recordings.tally import UserKey, UserTally, add_users

Name = tuple[str, str]
"""A request's method and name, such as ("POST", "/invocations")."""


@dataclass
class Requests:
    """A phase of a run, empty where all its calls were the same request."""

    users: dict[Name, dict[UserKey, UserTally]] = field(default_factory=dict)

    def add(self, names: Sequence[Name], calls: Calls) -> None:
        """Count a batch; `names[call.payload]` is what a call was."""
        for _ in self.adding(names, calls):
            pass

    def adding(self, names: Sequence[Name], calls: Calls) -> Iterator[None]:
        """Count a batch, a request at a time."""
        for index in np.unique(calls.payload).tolist():
            of_name = calls.select(calls.payload == index)
            valid = of_name.outcome == Outcome.VALID
            users = self.users.setdefault(names[index], {})
            add_users(users, of_name, valid, of_name.done_s - of_name.sent_s)
            yield

    def merge(self, other: Requests) -> None:
        """Add what another process counted."""
        for name, users in other.users.items():
            mine = self.users.setdefault(name, {})
            for key, tally in users.items():
                mine.setdefault(key, UserTally()).merge(tally)

    def rename_users(self, worker: int) -> None:
        """Say which worker the users belong to."""
        for name, users in self.users.items():
            self.users[name] = {(worker, number): tally for (_, number), tally in users.items()}
