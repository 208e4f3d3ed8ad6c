"""A piece of advice, and what a rule may look at. Knows figures; no wording of reports, no rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from scorebench.advice.commands import changed
from scorebench.verdicts.finding import Severity

if TYPE_CHECKING:
    from scorebench.figures.stages import TypicalCall
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording
    from scorebench.verdicts.finding import Finding

TIMED_SHARE = 0.95
"""Of the calls must have stages for a rule about stages."""


@dataclass(frozen=True)
class Advice:
    """What to change. `figure`: what was found; `gain`: what to expect; `proof`: a command to show it.

    `threshold` and `source` are those of its rule: where it speaks up, and where that comes from.
    """

    rule: str
    figure: str
    change: str
    gain: str
    proof: str
    threshold: str = ""
    source: str = ""


@dataclass(frozen=True)
class Facts:
    """A run, as rules see it."""

    summary: Summary
    recording: Recording
    findings: tuple[Finding, ...]

    @property
    def server(self) -> Mapping[str, Any]:
        """What is known of the server; empty where nothing is."""
        found = self.summary.environment.get("server")
        return found if isinstance(found, dict) else {}

    @property
    def workers(self) -> int | None:
        """Worker processes, where the server says so."""
        found = self.server.get("workers")
        return found if isinstance(found, int) and found > 0 else None

    @property
    def cores(self) -> int | None:
        """That the server may use."""
        pinned = self.server.get("cpus")
        found = len(pinned) if pinned else self.summary.environment.get("host_cores")
        return found if isinstance(found, int) and found > 0 else None

    @property
    def typical(self) -> TypicalCall | None:
        """The median call by its parts; None unless the server told nearly all of them."""
        stages = self.summary.stages
        if stages is None or stages.with_timings < TIMED_SHARE * stages.calls:
            return None
        return stages.typical.get("p50")

    @property
    def invalid(self) -> str | None:
        """Why the measurement is not valid."""
        return next((one.text for one in self.findings if one.severity is Severity.INVALID), None)

    @property
    def command(self) -> str:
        """That measured this."""
        return str(self.summary.environment.get("command") or "scorebench run TARGET")

    def again(self, options: Mapping[str, str], without: Collection[str] = ()) -> str:
        """The command with these options of the generator, in place of their former values."""
        return changed(self.command, options, without)

    def with_server(self, name: str, value: str, own: str) -> str:
        """The same with an option of the server; for a user's own server, `own` says what to do there."""
        if not self.server.get("kind"):
            return f"{own} there, then {self.command}"
        return changed(self.command, {name: value})


@dataclass(frozen=True)
class Rule:
    """`look` yields advice where the data supports it; `threshold` and `source` are for people."""

    name: str
    threshold: str
    source: str
    look: Callable[[Facts], Iterator[Advice]]

    def advice(self, facts: Facts) -> list[Advice]:
        """What it says of this run."""
        return [replace(one, threshold=self.threshold, source=self.source) for one in self.look(facts)]
