"""What was measured in a run: tallies that add up batch by batch, merge over workers, and survive in a file.

Knows calls, outcomes and histograms; nothing of files, clocks, Locust, or of what the numbers mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scorebench.recordings.calls import Calls
from scorebench.recordings.tally import Tally

FORMAT = 1
"""The version of the form that `to_dict` writes; raised when an older reader could not make sense of it."""

EXAMPLE_BYTES = 2_000


class FormatError(ValueError):
    """A recording of a format that this version cannot read."""

    def __init__(self, found: object) -> None:
        super().__init__(
            f"is a recording of format {found!r:.40}; this scorebench reads format {FORMAT}. "
            "Read it with the version that wrote it, or run again."
        )


@dataclass
class Recording:
    """Everything that a run leaves: `measured` is what the figures are made of, `warm_up` is kept apart.

    Times are Unix seconds. What nobody measured is None or absent, never 0.
    """

    measured: Tally = field(default_factory=Tally)
    warm_up: Tally = field(default_factory=Tally)
    due: int | None = None
    """Calls of both phases that came due, counted where they were made due. None: not known apart, as in a
    closed loop, where a call is due when it is sent."""
    never_sent: dict[str, int] = field(default_factory=dict)
    """Calls that were due and did not leave, by cause."""
    reconnects: int = 0
    """Kept-alive connections that the server had closed: reopened, the call sent again."""
    changed: int = 0
    """Answers to a payload that differed from its first, and were judged anew."""
    examples: dict[str, str] = field(default_factory=dict)
    """The first answer of each kind that was not valid, by outcome label, cut to 2 kB."""
    resources: list[dict[str, Any]] = field(default_factory=list)
    """One sample a second and process: `t_s`, `who`, `cpu` (1.0 is one core), `rss_bytes`, `users`."""
    environment: dict[str, Any] = field(default_factory=dict)
    """Versions, host, cores, options, payload, server: told once by whoever leads the run."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """What happened besides calls, each with `t_s` and `what`: stopped early, server restarted."""

    def add(self, calls: Calls) -> None:
        """Count a batch. What belongs to the warm-up goes to `warm_up` itself."""
        self.measured.add(calls)

    def add_example(self, label: str, answer: str) -> None:
        """Keep the first answer of its kind."""
        if label not in self.examples:
            self.examples[label] = answer[:EXAMPLE_BYTES]

    def add_due(self, calls: int) -> None:
        """Count calls that came due."""
        self.due = (self.due or 0) + calls

    def add_never_sent(self, cause: str, calls: int) -> None:
        """Count calls that were due and did not leave."""
        if calls:
            self.never_sent[cause] = self.never_sent.get(cause, 0) + calls

    def merge(self, other: Recording) -> None:
        """Add what another process counted; its environment fills what this one does not know."""
        self.measured.merge(other.measured)
        self.warm_up.merge(other.warm_up)
        if other.due is not None:
            self.add_due(other.due)
        for cause, calls in other.never_sent.items():
            self.add_never_sent(cause, calls)
        self.reconnects += other.reconnects
        self.changed += other.changed
        for label, answer in other.examples.items():
            self.add_example(label, answer)
        self.resources.extend(other.resources)
        self.environment = {**other.environment, **self.environment}
        self.events.extend(other.events)

    def rename_users(self, worker: int) -> None:
        """Say which worker the users belong to, so that two workers' first users stay two."""
        for tally in (self.measured, self.warm_up):
            tally.rename_users(worker)
        for sample in self.resources:
            sample["who"] = f"{sample['who']} {worker}"

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON and msgpack; `from_dict` reads it back."""
        return {
            "format": FORMAT,
            "measured": self.measured.to_dict(),
            "warm_up": self.warm_up.to_dict(),
            "due": self.due,
            "never_sent": self.never_sent,
            "reconnects": self.reconnects,
            "changed": self.changed,
            "examples": self.examples,
            "resources": self.resources,
            "environment": self.environment,
            "events": self.events,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Recording:
        """The recording that `to_dict` wrote; FormatError names the version that is needed."""
        if data.get("format") != FORMAT:
            raise FormatError(data.get("format"))
        return cls(
            measured=Tally.from_dict(data["measured"]),
            warm_up=Tally.from_dict(data["warm_up"]),
            due=data.get("due"),  # recordings of before it was counted have none
            never_sent=dict(data["never_sent"]),
            reconnects=int(data["reconnects"]),
            changed=int(data["changed"]),
            examples=dict(data["examples"]),
            resources=list(data["resources"]),
            environment=dict(data["environment"]),
            events=list(data["events"]),
        )
