"""What was measured in a run: tallies that add up batch by batch, and merge over workers.

Knows calls, outcomes and histograms; nothing of files, clocks, Locust, or of what the numbers mean. `form`
knows its form in a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from scorebench.recordings.calls import Calls
from scorebench.recordings.requests import Requests
from scorebench.recordings.tally import Tally
from scorebench.recordings.types import (
    Count,
    Event,
    Example,
    Label,
    Sample,
    SeriesName,
    SeriesPoint,
    Sum,
    UnixTime,
)

EXAMPLE_BYTES = 2_000


class Fields(Struct, kw_only=True):
    """The fields of a recording besides its tallies, in memory and in its file.

    To add a field, add a line with a default here: it is then written, read, checked, described in the schema
    and merged, and older recordings are still read. Merging adds numbers and lists, and keeps the first of
    two texts with the same name.
    """

    due: Annotated[
        Count | None,
        Meta(
            description="Calls of both phases that came due, counted where they were made due. Null or "
            "absent: not counted apart, as in a closed loop, where a call is due when it is sent."
        ),
    ] = None
    never_sent: Annotated[
        dict[str, Count], Meta(description="Calls that were due and did not leave, by cause.")
    ] = field(default_factory=dict)
    reconnects: Annotated[
        Count, Meta(description="Connections that had ended before a call arrived, and were opened again.")
    ] = 0
    sent_twice: Annotated[
        Count,
        Meta(description="Calls that were sent on such a connection in vain, and again on the new one."),
    ] = 0
    unasked: Annotated[
        Count,
        Meta(description="Connections that were closed because the server sent more than it was asked for."),
    ] = 0
    reading_s: Annotated[
        Sum, Meta(description="Seconds that users spent on reading and judging answers, one after the other.")
    ] = 0.0
    changed: Annotated[Count, Meta(description="Answers to a payload that differed from its first.")] = 0
    changed_example: Annotated[
        dict[str, Example],
        Meta(description="Two answers that differ: `body`, its number; `first` and `then`, cut."),
    ] = field(default_factory=dict)
    examples: Annotated[
        dict[Label, Example], Meta(description="The first answer of each outcome but 'valid', cut to 2 kB.")
    ] = field(default_factory=dict)
    resources: Annotated[list[Sample], Meta(description="A sample a second and process.")] = field(
        default_factory=list
    )
    scraped_s: Annotated[
        list[UnixTime],
        Meta(description="Unix seconds at which the server's metrics were read, with --scrape."),
    ] = field(default_factory=list)
    scraped_counters: Annotated[
        dict[SeriesName, list[SeriesPoint]],
        Meta(description="[Unix second, value] of each counter, where its value was new."),
    ] = field(default_factory=dict)
    scraped_gauges: Annotated[
        dict[SeriesName, list[SeriesPoint]],
        Meta(description="[Unix second, value] of each other series, where its value was new."),
    ] = field(default_factory=dict)
    environment: Annotated[
        dict[str, Any],
        Meta(description="What the figures depend on, recorded by the process that leads the run."),
    ] = field(default_factory=dict)
    events: Annotated[list[Event], Meta(description="What happened besides calls.")] = field(
        default_factory=list
    )


class Recording(Fields, kw_only=True):
    """Everything that a run leaves: `measured` is what the figures are made of, `warm_up` is kept apart.

    Times are Unix seconds. What nobody measured is None or absent, never 0.
    """

    measured: Tally = field(default_factory=Tally)
    warm_up: Tally = field(default_factory=Tally)
    requests: Requests = field(default_factory=Requests)
    """What was measured, by request, where a locustfile sends different ones."""

    def add(self, calls: Calls) -> None:
        """Count a batch. What belongs to the warm-up goes to `warm_up` itself."""
        self.measured.add(calls)

    def add_example(self, label: str, answer: str) -> None:
        """Keep the first answer of its kind."""
        if label not in self.examples:
            whole = answer[:EXAMPLE_BYTES].encode("utf-8", "replace").decode()  # no half of a character
            self.examples[label] = whole

    def add_due(self, calls: int) -> None:
        """Count calls that came due."""
        self.due = (self.due or 0) + calls

    def add_never_sent(self, cause: str, calls: int) -> None:
        """Count calls that were due and did not leave."""
        if calls:
            self.never_sent[cause] = self.never_sent.get(cause, 0) + calls

    def add_scrape(self, at_s: float, counters: Mapping[str, float], gauges: Mapping[str, float]) -> None:
        """Keep what the server's metrics were at `at_s`: those that changed since the last time."""
        self.scraped_s.append(at_s)
        for kept, values in ((self.scraped_counters, counters), (self.scraped_gauges, gauges)):
            for name, value in values.items():
                kept.setdefault(name, []).append((at_s, value))

    def merge(self, other: Recording) -> None:
        """Add what another process counted; its environment fills what this one does not know."""
        self.measured.merge(other.measured)
        self.warm_up.merge(other.warm_up)
        self.requests.merge(other.requests)
        for name in Fields.__struct_fields__:
            setattr(self, name, _merged(name, getattr(self, name), getattr(other, name)))

    def rename_users(self, worker: int) -> None:
        """Say which worker the users belong to, so that two workers' first users stay two."""
        for tally in (self.measured, self.warm_up):
            tally.rename_users(worker)
        self.requests.rename_users(worker)
        for sample in self.resources:
            sample["who"] = f"{sample['who']} {worker}"

    def renumber_workers(self, numbers: Mapping[int, int]) -> None:
        """Give workers other numbers, by their old ones."""
        for users in (self.measured.users, self.warm_up.users, *self.requests.users.values()):
            renamed = {(numbers.get(worker, worker), user): tally for (worker, user), tally in users.items()}
            users.clear()
            users.update(renamed)


def _merged(name: str, mine: Any, theirs: Any) -> Any:
    """The sum of both. Numbers in the environment describe the whole run and are not added."""
    if mine is None or theirs is None:
        return theirs if mine is None else mine
    if not isinstance(mine, dict):
        return mine + theirs
    together = {**theirs, **mine} if name == "environment" else dict(mine)
    if name != "environment":
        for key, value in theirs.items():
            known = together.get(key)
            together[key] = known if isinstance(known, str) else _merged(name, known, value)
    return together
